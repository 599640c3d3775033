"""Histories from SQLite, where a query costs no round trip: short range scans, and no sorting."""

import math
import sqlite3
from typing import Any, Final

from runstore.series import Columns
from runstore_sql.metrics.history import DensePoints, HistoryReader
from runstore_sql.metrics.points import PointRow

TAKE: Final = "runstore_take_point"
"""The function that is there while a history is read."""
_RANGE: Final = "FROM runstore_point WHERE series_pk = ? AND step BETWEEN ? AND ?"


class SqliteHistoryReader(HistoryReader[sqlite3.Cursor]):
    """Hands each point to a function that the statement calls: 0.15 of the plain way's time for 100,000 points.

    The driver releases the interpreter's lock and the connection's mutex for every row, and the mutex again for every
    column: that is most of the cost.
    """

    placeholder = "?"
    begin = ("BEGIN",)
    columns = "step, value, logged_at_us"

    def native(self, row: Any) -> PointRow:
        """NULL is NaN."""
        step, value, time_us = row
        return step, math.nan if value is None else value, time_us

    def points(self, cursor: sqlite3.Cursor, series_pk: int, *, low: int, high: int) -> Columns:
        return _take(cursor, "value, logged_at_us, step", (series_pk, low, high))

    def dense_points(self, cursor: sqlite3.Cursor, series_pk: int, *, low: int, high: int) -> DensePoints:
        _, values, times = _take(cursor, "value, logged_at_us", (series_pk, low, high))
        return values, times


def _take(cursor: sqlite3.Cursor, items: str, parameters: tuple[int, ...]) -> Columns:
    """The columns of a range; the steps are empty unless they are among the items asked for."""
    columns = steps, values, times = Columns.empty()
    add_step, add_value, add_time = steps.append, values.append, times.append
    stopped: list[BaseException] = []

    def take(value: float | None, time_us: int, step: int = -1) -> None:
        try:
            add_value(math.nan if value is None else value)
            add_time(time_us)
            if step >= 0:
                add_step(step)
        except BaseException as error:  # SQLite would tell no more than that there was one
            stopped.append(error)
            raise

    connection = cursor.connection
    connection.create_function(TAKE, -1, take)
    try:
        # No point passes the condition, so no row is made; the key has them in order, so they are met in it.
        cursor.execute(f"SELECT 1 {_RANGE} AND {TAKE}({items}) ORDER BY step", parameters).fetchall()
    except sqlite3.OperationalError as error:
        if stopped:
            raise stopped[0] from None
        if str(error).startswith("user-defined function"):  # stopped as it began, before it could see by what: a signal
            raise KeyboardInterrupt from error
        raise
    finally:
        connection.create_function(TAKE, -1, None)  # the connection outlives the columns
    return columns
