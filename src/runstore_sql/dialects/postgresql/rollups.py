"""Roll-ups in PostgreSQL."""

from array import array
from typing import Any

import psycopg

from runstore.series import Columns
from runstore_sql.dialects.postgresql.history import take_block
from runstore_sql.metrics.rollup_tables import RollupTables


class PostgresqlRollups(RollupTables["psycopg.Cursor[Any]"]):
    """As all dialects have them."""

    def points(self, cursor: "psycopg.Cursor[Any]", series_pk: int, low: int, high: int, *, most: int) -> Columns:
        columns = Columns(array("q"), array("d"), array("q"))
        take_block(cursor, (series_pk, low, high, most), columns)
        return columns
