"""Histories from MySQL and MariaDB."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from runstore_sql.history import Columns, HistoryReader, SeriesExtent, columns_of_cursor
from runstore_sql.numbers import from_pair

_COLUMNS: Final = "step, value, logged_at_us, special"
_RANGE: Final = "FROM runstore_point WHERE series_pk = %s AND step BETWEEN %s AND %s"
_EXTREMES: Final = """
    SELECT min(CASE WHEN p.value = e.lowest THEN p.step END), min(CASE WHEN p.value = e.highest THEN p.step END),
        e.first_step
    FROM runstore_point p
    STRAIGHT_JOIN (
        SELECT {bucket} AS bucket, min(p.value) AS lowest, max(p.value) AS highest, min(p.step) AS first_step
        FROM runstore_point p WHERE p.series_pk = %s GROUP BY 1) e ON e.bucket = {bucket}
    WHERE p.series_pk = %s GROUP BY e.bucket, e.first_step"""
_LARGEST: Final = 2**63
_AT_STEPS: Final = """
    SELECT p.step, p.value, p.logged_at_us, p.special
    FROM JSON_TABLE(%s, '$[*]' COLUMNS (step BIGINT PATH '$')) k
    STRAIGHT_JOIN runstore_point p ON p.series_pk = %s AND p.step = k.step"""


class MysqlHistoryReader(HistoryReader):
    """See :class:`HistoryReader`. The driver's own rows are the limit here: it is written in Python."""

    begin = (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    )

    def points(self, cursor: Any, series_pk: int, *, low: int, high: int) -> Columns:
        """See :meth:`HistoryReader.points`."""
        cursor.execute(f"SELECT {_COLUMNS} {_RANGE} ORDER BY step", (series_pk, low, high))
        return columns_of_cursor(_Rows(cursor))

    def extremes(
        self, cursor: Any, extent: SeriesExtent, buckets: Sequence[tuple[int, int]]
    ) -> Iterable[tuple[int, float, int]]:
        """See :meth:`HistoryReader.extremes`."""
        # Two passes over the series. By the buckets' bounds it would be one for each bucket: a range that comes from
        # another table is no range to MariaDB's planner.
        cursor.execute(_EXTREMES.format(bucket=_bucket_sql(extent, len(buckets))), (extent.pk, extent.pk))
        steps: set[int] = set()
        for lowest, highest, first in cursor.fetchall():
            steps |= {first} if lowest is None else {lowest, highest}
        return self._at(cursor, extent.pk, sorted(steps))

    def ends(self, cursor: Any, extent: SeriesExtent) -> Iterable[tuple[int, float, int]]:
        """See :meth:`HistoryReader.ends`."""
        return self._at(cursor, extent.pk, [extent.first, extent.last])

    def _at(self, cursor: Any, series_pk: int, steps: Sequence[int]) -> Iterable[tuple[int, float, int]]:
        cursor.execute(_AT_STEPS, (json.dumps(steps), series_pk))
        return [_native(row) for row in cursor.fetchall()]


class _Rows:
    """A cursor whose rows have their values whole."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def fetchmany(self, count: int) -> list[tuple[int, float, int]]:
        """The next rows, none at the end."""
        return [_native(row) for row in self._cursor.fetchmany(count)]


def _bucket_sql(extent: SeriesExtent, buckets: int) -> str:
    """The bucket of a point ``p``, numbered as in :func:`runstore_sql.history.bucket_bounds`; all of them integers."""
    span = extent.last - extent.first + 1
    offset = f"(p.step - {extent.first})"
    if span * buckets >= _LARGEST:
        offset = f"CAST({offset} AS DECIMAL(20))"
    return f"({offset} * {buckets} DIV {span})"


def _native(row: tuple[int, float | None, int, int]) -> tuple[int, float, int]:
    step, value, moment, special = row
    return step, from_pair(value, special), moment
