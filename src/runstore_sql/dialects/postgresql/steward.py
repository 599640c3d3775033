"""What a person wants to know of a PostgreSQL database."""

from collections.abc import Sequence
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from runstore.backend import Rights, Selection
from runstore_sql.dialects.postgresql.rights import MAY_WRITE
from runstore_sql.dialects.steward import Steward

_READ_ONLY: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_OURS: Final = r"c.relnamespace = to_regnamespace(current_schema()) AND c.relname LIKE 'runstore\_%'"
_RIGHTS: Final = rf"""
    SELECT current_user, pg_is_in_recovery(), has_schema_privilege(current_schema(), 'CREATE'),
        coalesce(bool_and(has_table_privilege(c.oid, 'SELECT')), true), coalesce(bool_and(pg_has_role(c.relowner, 'USAGE')), true)
    FROM pg_class c WHERE {_OURS} AND c.relkind IN ('r', 'p')"""  # noqa: S608 - our own text
_BROKEN: Final = rf"""
    SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE {_OURS} AND NOT (i.indisvalid AND i.indisready) ORDER BY 1"""  # noqa: S608 - our own text


class PostgresqlSteward(Steward):
    """A server with roles."""

    def server(self, connection: Any) -> str:
        return f"PostgreSQL {connection.info.parameter_status('server_version')}, psycopg {psycopg.__version__}"

    def rights(self, connection: Any, url: sa.URL, *, has_schema: bool) -> Rights:
        del url
        user, is_replica, may_create, may_read, is_owner = connection.execute(_RIGHTS).fetchone()
        may_write = None
        if is_replica:
            may_write = False
        elif has_schema:
            (may_write,) = connection.execute(MAY_WRITE).fetchone()
        return Rights(
            user=user, read=may_read, write=may_write, change=bool(may_create and is_owner and not is_replica)
        )

    def broken_indexes(self, connection: Any) -> Sequence[str]:
        return [name for (name,) in connection.execute(_BROKEN)]

    def select(self, connection: Any, statement: str, limit: int) -> Selection:
        """As the query of a cursor, which is one statement that reads, in a transaction that cannot write."""
        connection.execute(_READ_ONLY)
        try:
            with connection.cursor(name="runstore_selection") as cursor:
                cursor.execute(statement)
                rows = cursor.fetchmany(limit + 1)
                titles = [each.name for each in cursor.description or ()]
        finally:
            connection.execute("ROLLBACK")
        return Selection(titles, rows[:limit], len(rows) > limit)
