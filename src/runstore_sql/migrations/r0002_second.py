"""The second schema: runs that can be noted, archived and deleted; roll-ups of their points.

It only adds, and the views leave out what was deleted. A release that knows the first schema reads on, and is refused when it wants to write.
"""

import sqlalchemy as sa

from runstore_sql.dialects.base import dialect_of
from runstore_sql.migrations.changes import add_index
from runstore_sql.migrations.r0002_columns import add_columns
from runstore_sql.migrations.r0002_results import add_results, add_search_indexes, add_settled, add_unsettled
from runstore_sql.migrations.r0002_rollups import add_rollups
from runstore_sql.migrations.r0002_views import view_statements


def add(connection: sa.Connection) -> None:
    """Adds what is not there yet."""
    words = dialect_of(connection.dialect.name).first_schema
    add_columns(connection, words)
    add_index(connection, "runstore_run_by_name", "runstore_run", ["name", "start_us", "id"])
    add_rollups(connection, words)
    for statement in view_statements(words):
        connection.exec_driver_sql(statement)
    add_settled(connection)
    add_results(connection, words)
    add_unsettled(connection)
    add_search_indexes(connection)
