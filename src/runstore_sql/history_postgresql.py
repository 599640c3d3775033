"""Histories from PostgreSQL: whole ones by binary COPY, whose rows have one length and are unpacked in blocks."""

import struct
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, Final

from runstore_sql.history import Columns, HistoryReader, SeriesExtent
from runstore_sql.packing import PackedInts

_COPY: Final = """
    COPY (SELECT step, value, logged_at_us FROM runstore_point
          WHERE series_pk = {pk} AND step BETWEEN {low} AND {high} ORDER BY step) TO STDOUT (FORMAT BINARY)"""
_COPY_HEADER: Final = 19
_COPY_TRAILER: Final = 2
_ROW: Final = struct.Struct(">hiqidiq")
"""Number of columns, then each column's length and bytes; no column is ever NULL."""

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

    def points(self, connection: Any, cursor: Any, series_pk: int, *, low: int, high: int) -> Columns:  # noqa: ARG002
        """See :meth:`HistoryReader.points`."""
        # COPY takes no parameters; these are integers.
        with cursor.copy(_COPY.format(pk=int(series_pk), low=int(low), high=int(high))) as copy:
            data = b"".join(copy)
        body = memoryview(data)[_COPY_HEADER : len(data) - _COPY_TRAILER]
        steps, values, moments = array("q"), array("d"), array("q")
        if body:
            _, _, some_steps, _, some_values, _, some_moments = zip(*_ROW.iter_unpack(body), strict=True)
            steps.extend(some_steps)
            values.extend(some_values)
            moments.extend(some_moments)
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
