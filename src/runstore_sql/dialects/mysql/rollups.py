"""Roll-ups in MySQL and MariaDB."""

from collections.abc import Sequence
from typing import Any

from runstore.series import Columns, PackRange
from runstore_sql.dialects.mysql.history import take_block
from runstore_sql.dialects.mysql.packets import in_packets
from runstore_sql.dialects.mysql.trips import Trips
from runstore_sql.metrics.rollup_tables import PackRow, RollupTables

_RANGES_A_QUERY = 100
_LONGEST_PACK = 8_000
"""Bytes of a pack in hexadecimal digits, at most."""


class MysqlRollups(RollupTables[Trips]):
    """Statements with the bytes in their text, as this driver's are."""

    upsert = " ON DUPLICATE KEY UPDATE data = VALUES(data)"

    def write_packs(self, cursor: Any, rows: Sequence[PackRow]) -> None:
        for some in in_packets(rows, _LONGEST_PACK, cursor.room):
            texts = [f"({pk},{level},{pack},x'{data.hex()}')" for pk, level, pack, data in some]
            into = "INSERT INTO runstore_rollup (series_pk, level, pack, data) VALUES "
            cursor.execute(f"{into}{','.join(texts)}{self.upsert}")

    def points(self, cursor: Trips, series_pk: int, low: int, high: int, *, most: int) -> Columns:
        columns = Columns.empty()
        while low <= high and (left := most - len(columns.steps)):
            is_more = take_block(cursor, series_pk, [(low, high)], columns, most=left, room=cursor.room)
            if not is_more:
                break
            low = columns.steps[-1] + 1
        return columns

    def packs_of_many(
        self, cursor: Trips, wanted: Sequence[tuple[int, PackRange]]
    ) -> dict[tuple[int, PackRange], list[bytes]]:
        found: dict[tuple[int, PackRange], list[bytes]] = {each: [] for each in wanted}
        for begin in range(0, len(wanted), _RANGES_A_QUERY):
            some = wanted[begin : begin + _RANGES_A_QUERY]
            parts = [
                f"SELECT {number}, pack, data FROM runstore_rollup WHERE series_pk = {pk} AND level = {each.level} "  # noqa: S608 - integers
                f"AND pack BETWEEN {each.first} AND {each.last}"
                for number, (pk, each) in enumerate(some)
            ]
            for number, _, data in sorted(self.rows(cursor, " UNION ALL ".join(parts), ())):
                found[some[number]].append(data)
        return found
