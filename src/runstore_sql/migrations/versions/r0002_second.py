"""The second schema: runs that can be noted, archived and deleted; roll-ups of their points.

It only adds, and the views leave out what was deleted. A release that knows the first schema reads on, and is refused when it wants to write.
"""

from alembic import op

from runstore_sql.dialects.base import dialect_of
from runstore_sql.migrations.r0002_columns import add_columns, add_index
from runstore_sql.migrations.r0002_results import add_results, add_search_indexes, add_settled, add_unsettled
from runstore_sql.migrations.r0002_rollups import add_rollups
from runstore_sql.migrations.r0002_views import view_statements

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds what is not there yet."""
    words = dialect_of(op.get_bind().dialect.name).first_schema
    add_columns(words)
    add_index("runstore_run_by_name", "runstore_run", ["name", "start_us", "id"])
    add_rollups(words)
    for statement in view_statements(words):
        op.get_bind().exec_driver_sql(statement)
    add_settled()
    add_results(words)
    add_unsettled()
    add_search_indexes()
