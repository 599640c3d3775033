"""What a person wants to know of a PostgreSQL database."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from runstore.backend import Rights, Selection
from runstore.errors import StoreFailureError
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

    place_query = "SELECT CASE WHEN current_schema() LIKE 'runstore\\_scratch\\_%' THEN current_schema() ELSE current_database() END"

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

    def make_scratch(self, run: Callable[[Callable[[Any], None]], None], url: sa.URL, name: str) -> sa.URL:
        """A database, or for a user who may make none, a schema of the URL's."""
        try:
            run(lambda connection: connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"))
        except StoreFailureError as error:
            if not isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
                raise
            run(lambda connection: connection.execute(f"CREATE SCHEMA {name}"))
            given = url.query.get("options", "")
            options = f"{given if isinstance(given, str) else ' '.join(given)} -csearch_path={name}".strip()
            return url.update_query_dict({"options": options})
        return url.set(database=name)

    def drop_scratch(self, run: Callable[[Callable[[Any], None]], None], made: sa.URL, name: str) -> None:
        is_database = made.database == name
        drop = (
            f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" if is_database else f"DROP SCHEMA IF EXISTS {name} CASCADE"
        )
        run(lambda connection: connection.execute(drop))
