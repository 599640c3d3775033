"""Histories from PostgreSQL: columns as packed binary arrays, a block of points a row."""

from array import array
from collections.abc import Iterable, Sequence
from typing import Any, Final

from runstore_sql.history import Columns, HistoryReader, SeriesExtent
from runstore_sql.packing import PackedInts, unpacked

_BLOCK: Final = 200_000
"""Points a row: some 7 MB on the server and here, however long the series."""
_POINTS: Final = """
    SELECT array_send(array_agg(step)), array_send(array_agg(value)), array_send(array_agg(logged_at_us))
    FROM (SELECT step, value, logged_at_us FROM runstore_point
          WHERE series_pk = %s AND step BETWEEN %s AND %s ORDER BY step LIMIT %s) p"""
_BUCKETS: Final = "unnest(%s::int8[], %s::int8[]) AS b(low, high)"
_EXTREMES: Final = f"""
    SELECT p.step, p.value, p.logged_at_us
    FROM {_BUCKETS}
    CROSS JOIN LATERAL (
        SELECT min(q.value) FILTER (WHERE {{finite}}) AS lowest, max(q.value) FILTER (WHERE {{finite}}) AS highest,
            min(q.step) AS first_step
        FROM runstore_point q WHERE q.series_pk = %s AND q.step BETWEEN b.low AND b.high) e
    CROSS JOIN LATERAL (
        (SELECT * FROM runstore_point l WHERE l.series_pk = %s AND l.step BETWEEN b.low AND b.high
            AND l.value = e.lowest ORDER BY l.step LIMIT 1)
        UNION ALL
        (SELECT * FROM runstore_point h WHERE h.series_pk = %s AND h.step BETWEEN b.low AND b.high
            AND h.value = e.highest ORDER BY h.step LIMIT 1)
        UNION ALL
        (SELECT * FROM runstore_point f WHERE f.series_pk = %s AND f.step = e.first_step AND e.lowest IS NULL)) p
"""  # noqa: S608 - our own text
_AT_STEPS: Final = "SELECT step, value, logged_at_us FROM runstore_point WHERE series_pk = %s AND step = ANY(%s)"


class PostgresqlHistoryReader(HistoryReader):
    """See :class:`HistoryReader`."""

    begin = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",)

    def points(self, cursor: Any, series_pk: int, *, low: int, high: int) -> Columns:
        """See :meth:`HistoryReader.points`."""
        columns: tuple[array[Any], ...] = (array("q"), array("d"), array("q"))
        while low <= high:
            cursor.execute(_POINTS, (series_pk, low, high, _BLOCK), binary=True)
            packed = cursor.fetchone()
            if packed[0] is None:
                break
            block = [unpacked(data, column.typecode) for data, column in zip(packed, columns, strict=True)]
            for column, some in zip(columns, block, strict=True):
                column.extend(some)
            if len(block[0]) < _BLOCK:
                break
            low = block[0][-1] + 1
        steps, values, moments = columns
        return steps, values, moments

    def extremes(
        self, cursor: Any, extent: SeriesExtent, buckets: Sequence[tuple[int, int]]
    ) -> Iterable[tuple[int, float, int]]:
        """See :meth:`HistoryReader.extremes`."""
        finite = "q.value > '-Infinity' AND q.value < 'Infinity'" if extent.non_finite_count else "true"
        bounds = [PackedInts(array("q", side)) for side in zip(*buckets, strict=True)]
        cursor.execute(_EXTREMES.format(finite=finite), (*bounds, *[extent.pk] * 4))
        return list(cursor.fetchall())

    def ends(self, cursor: Any, extent: SeriesExtent) -> Iterable[tuple[int, float, int]]:
        """See :meth:`HistoryReader.ends`."""
        cursor.execute(_AT_STEPS, (extent.pk, [extent.first, extent.last]))
        return list(cursor.fetchall())
