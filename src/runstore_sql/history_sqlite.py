"""Histories from SQLite, where a query costs no round trip: two short range scans a bucket, and no sorting."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from runstore_sql.history import Columns, HistoryReader, SeriesExtent, columns_of_cursor

_RANGE: Final = "FROM runstore_point WHERE series_pk = ? AND step BETWEEN ? AND ?"
_FINITE: Final = "AND value BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308"
_FIRST: Final = f"SELECT step, value, logged_at_us {_RANGE} ORDER BY step LIMIT 1"


class SqliteHistoryReader(HistoryReader):
    """See :class:`HistoryReader`."""

    placeholder = "?"
    begin = ("BEGIN",)

    def points(self, cursor: Any, series_pk: int, *, low: int, high: int) -> Columns:
        """See :meth:`HistoryReader.points`."""
        cursor.execute(f"SELECT step, value, logged_at_us {_RANGE} ORDER BY step", (series_pk, low, high))
        return columns_of_cursor(cursor)

    def extremes(
        self, cursor: Any, extent: SeriesExtent, buckets: Sequence[tuple[int, int]]
    ) -> Iterable[tuple[int, float, int]]:
        """See :meth:`HistoryReader.extremes`."""
        # With one min() or max(), SQLite takes the other columns from the row that has it; rows come in step order and
        # only a better one replaces it, so of equals the earliest stays.
        finite = _FINITE if extent.non_finite_count else ""
        lowest = f"SELECT step, min(value), logged_at_us {_RANGE} {finite}"
        highest = f"SELECT step, max(value), logged_at_us {_RANGE} {finite}"
        for low, high in buckets:
            bucket = (extent.pk, low, high)
            found = cursor.execute(lowest, bucket).fetchone()
            if found[0] is not None:
                yield found
                yield cursor.execute(highest, bucket).fetchone()
            elif extent.non_finite_count:
                yield from map(_with_nan, cursor.execute(_FIRST, bucket).fetchall())

    def ends(self, cursor: Any, extent: SeriesExtent) -> Iterable[tuple[int, float, int]]:
        """See :meth:`HistoryReader.ends`."""
        for step in (extent.first, extent.last):
            yield from map(_with_nan, cursor.execute(_FIRST, (extent.pk, step, step)).fetchall())


def _with_nan(row: tuple[int, float | None, int]) -> tuple[int, float, int]:
    return (row[0], math.nan if row[1] is None else row[1], row[2])
