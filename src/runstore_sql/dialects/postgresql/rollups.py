"""Roll-ups in PostgreSQL."""

from array import array
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from runstore.series import Columns, PackRange
from runstore_sql.dialects.postgresql.arrays import PackedInts
from runstore_sql.dialects.postgresql.history import take_block
from runstore_sql.metrics.rollup_tables import Frontier, PackRow, RollupTables

_PACKS: Final = """
    SELECT w.number, r.data
    FROM unnest(%s::int8[], %s::int8[], %s::int8[], %s::int8[]) WITH ORDINALITY AS w(series_pk, level, first, last, number)
    CROSS JOIN LATERAL (
        SELECT p.pack, p.data FROM runstore_rollup p
        WHERE p.series_pk = w.series_pk AND p.level = w.level AND p.pack BETWEEN w.first AND w.last) r
    ORDER BY w.number, r.pack"""

_WRITE_ADVANCES: Final = """
    WITH frontiers AS (
        UPDATE runstore_series s SET level = f.level, rolled_step = f.rolled
        FROM unnest(%s::int8[], %s::int8[], %s::int8[]) AS f(pk, level, rolled) WHERE s.pk = f.pk
    )
    INSERT INTO runstore_rollup (series_pk, level, pack, data)
    SELECT * FROM unnest(%s::int8[], %s::int8[], %s::int8[], %b::bytea[])
    ON CONFLICT (series_pk, level, pack) DO UPDATE SET data = excluded.data"""


class PostgresqlRollups(RollupTables["psycopg.Cursor[Any]"]):
    """As all dialects have them."""

    def points(self, cursor: "psycopg.Cursor[Any]", series_pk: int, low: int, high: int, *, most: int) -> Columns:
        columns = Columns(array("q"), array("d"), array("q"))
        take_block(cursor, (series_pk, low, high, most), columns)
        return columns

    def write_advances(
        self, cursor: "psycopg.Cursor[Any]", packs: Sequence[PackRow], frontiers: Sequence[Frontier]
    ) -> None:
        if packs or frontiers:
            moved, keys = (
                list(zip(*rows, strict=True)) or [()] * 3 for rows in (frontiers, [row[:3] for row in packs])
            )
            columns = [PackedInts(array("q", column)) for column in (*moved, *keys)]
            cursor.execute(_WRITE_ADVANCES, (*columns, [data for *_, data in packs]))

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
