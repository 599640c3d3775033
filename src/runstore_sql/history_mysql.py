"""Histories from MySQL and MariaDB."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from runstore_sql.history import Columns, HistoryReader, SeriesExtent, columns_of_cursor
from runstore_sql.numbers import from_pair

_COLUMNS: Final = "step, value, logged_at_us, special"
_RANGE: Final = "FROM runstore_point WHERE series_pk = %s AND step BETWEEN %s AND %s"
_IN_BUCKET: Final = "FROM runstore_point p WHERE p.series_pk = %s AND p.step BETWEEN b.low AND b.high"
_EXTREMES: Final = f"""
    SELECT b.low, b.high,
        (SELECT min(p.value) {_IN_BUCKET}), (SELECT max(p.value) {_IN_BUCKET}), (SELECT min(p.step) {_IN_BUCKET})
    FROM JSON_TABLE(%s, '$[*]' COLUMNS (low BIGINT PATH '$[0]', high BIGINT PATH '$[1]')) b"""  # noqa: S608 - our text
_KEPT: Final = """
    SELECT min(p.step) FROM JSON_TABLE(%s, '$[*]' COLUMNS (
        id INT PATH '$[0]', low BIGINT PATH '$[1]', high BIGINT PATH '$[2]', value DOUBLE PATH '$[3]')) b
    STRAIGHT_JOIN runstore_point p ON p.series_pk = %s AND p.step BETWEEN b.low AND b.high AND p.value = b.value
    GROUP BY b.id"""
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
        cursor.execute(_EXTREMES, (extent.pk, extent.pk, extent.pk, json.dumps(buckets)))
        wanted: list[tuple[int, int, int, float]] = []
        steps: list[int] = []
        for low, high, lowest, highest, first in cursor.fetchall():
            if lowest is not None:
                wanted += [(len(wanted), low, high, lowest), (len(wanted) + 1, low, high, highest)]
            elif first is not None:
                steps.append(first)
        if wanted:
            cursor.execute(_KEPT, (json.dumps(wanted), extent.pk))
            steps += [row[0] for row in cursor.fetchall()]
        return self._at(cursor, extent.pk, steps)

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


def _native(row: tuple[int, float | None, int, int]) -> tuple[int, float, int]:
    step, value, moment, special = row
    return step, from_pair(value, special), moment
