"""Roll-ups in SQLite."""

import math
import sqlite3

from runstore.series import Columns
from runstore_sql.metrics.points import columns_of
from runstore_sql.metrics.rollup_tables import RollupTables

_POINTS = """
    SELECT step, value, logged_at_us FROM runstore_point
    WHERE series_pk = ? AND step BETWEEN ? AND ? ORDER BY step LIMIT ?"""


class SqliteRollups(RollupTables[sqlite3.Cursor]):
    """As all dialects have them; NULL is NaN."""

    placeholder = "?"
    locks = ""  # a transaction has locked the whole file

    def points(self, cursor: sqlite3.Cursor, series_pk: int, low: int, high: int, *, most: int) -> Columns:
        rows = cursor.execute(_POINTS, (series_pk, low, high, most)).fetchall()
        return columns_of([(step, math.nan if value is None else value, time) for step, value, time in rows])
