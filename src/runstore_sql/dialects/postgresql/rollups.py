"""Roll-ups in PostgreSQL."""

from array import array
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from runstore.series import Columns, PackRange
from runstore_sql.dialects.postgresql.arrays import PackedInts
from runstore_sql.dialects.postgresql.history import take_block
from runstore_sql.metrics.rollup_tables import RollupTables

_PACKS: Final = """
    SELECT w.number, r.data
    FROM unnest(%s::int8[], %s::int8[], %s::int8[], %s::int8[]) WITH ORDINALITY AS w(series_pk, level, first, last, number)
    CROSS JOIN LATERAL (
        SELECT p.pack, p.data FROM runstore_rollup p
        WHERE p.series_pk = w.series_pk AND p.level = w.level AND p.pack BETWEEN w.first AND w.last) r
    ORDER BY w.number, r.pack"""


class PostgresqlRollups(RollupTables["psycopg.Cursor[Any]"]):
    """As all dialects have them."""

    def points(self, cursor: "psycopg.Cursor[Any]", series_pk: int, low: int, high: int, *, most: int) -> Columns:
        columns = Columns(array("q"), array("d"), array("q"))
        take_block(cursor, (series_pk, low, high, most), columns)
        return columns

    def packs_of_many(
        self, cursor: "psycopg.Cursor[Any]", wanted: Sequence[tuple[int, PackRange]]
    ) -> dict[tuple[int, PackRange], list[bytes]]:
        if not wanted:
            return {}
        rows = [(pk, each.level, each.first, each.last) for pk, each in wanted]
        columns = [PackedInts(array("q", column)) for column in zip(*rows, strict=True)]
        cursor.execute(_PACKS, columns, binary=True)
        found: dict[tuple[int, PackRange], list[bytes]] = {each: [] for each in wanted}
        for number, data in cursor.fetchall():
            found[wanted[number - 1]].append(data)
        return found
