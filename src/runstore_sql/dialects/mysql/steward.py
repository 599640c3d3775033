"""What a person wants to know of a MySQL or MariaDB database."""

import re
from collections.abc import Callable
from typing import Any, Final

import pymysql
import pymysql.cursors
import sqlalchemy as sa

from runstore.backend import Rights, Selection
from runstore_sql.dialects.mysql.rights import WRITE_NOTHING
from runstore_sql.dialects.steward import Steward

_GRANTED: Final = """
    SELECT privilege_type FROM information_schema.user_privileges
    UNION SELECT privilege_type FROM information_schema.schema_privileges WHERE DATABASE() LIKE table_schema"""
_CHANGES: Final = frozenset({"ALTER", "CREATE", "CREATE VIEW", "INDEX"})
_REFUSED: Final = frozenset({1044, 1142, 1143, 1290, 1792, 1836})
"""Errors of a right that is missing, and of a server or session that only reads."""

_EXECUTE: Final = "EXECUTE runstore_selection"
_INTO: Final = re.compile(r"\bINTO\b", re.IGNORECASE)


class MysqlSteward(Steward):
    """A server with accounts."""

    def server(self, connection: Any) -> str:
        facts = connection.runstore_facts
        version = facts.version.partition("-")[0]
        return f"{'MariaDB' if facts.is_mariadb else 'MySQL'} {version}, PyMySQL {pymysql.__version__}"

    def rights(self, connection: Any, url: sa.URL, *, has_schema: bool) -> Rights:
        del url
        with connection.cursor() as cursor:
            cursor.execute("SELECT CURRENT_USER()")
            (user,) = cursor.fetchone()
            cursor.execute(_GRANTED)
            granted = {str(name).upper() for (name,) in cursor.fetchall()}
            may_change = True if granted >= _CHANGES else None  # a role may grant more, and the server does not tell
            return Rights(user=user, read=True, write=_may_write(cursor) if has_schema else None, change=may_change)

    def select(self, connection: Any, statement: str, limit: int) -> Selection:
        """As a prepared statement, which is one, and one that can be explained, in a transaction that cannot write.

        What can be explained reads or writes rows: nothing else, which such a transaction may let through, gets further.
        Nor does what writes its rows to a file of the server, which both let through, and no subquery does.
        """
        with connection.cursor() as cursor:
            cursor.execute("START TRANSACTION READ ONLY")
        try:
            with connection.cursor() as cursor:
                _prepare(cursor, f"EXPLAIN {statement}")
                cursor.execute(_EXECUTE)  # of what is no such statement, EXPLAIN looks for a table of that name
                if _INTO.search(statement):
                    _prepare(cursor, f"EXPLAIN SELECT EXISTS ({statement.rstrip().rstrip(';')}\n)")
                _prepare(cursor, statement)
            with pymysql.cursors.SSCursor(connection) as cursor:
                cursor.execute(_EXECUTE)
                rows = list(cursor.fetchmany(limit + 1))
                titles = [each[0] for each in cursor.description or ()]
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
        return Selection(titles, rows[:limit], len(rows) > limit)

    def make_scratch(self, run: Callable[[Callable[[Any], None]], None], url: sa.URL, name: str) -> sa.URL:
        """A database."""
        run(lambda connection: connection.query(f"CREATE DATABASE {name}"))
        return url.set(database=name)

    def drop_scratch(self, run: Callable[[Callable[[Any], None]], None], made: sa.URL, name: str) -> None:
        del made
        run(lambda connection: connection.query(f"DROP DATABASE IF EXISTS {name}"))


def _prepare(cursor: Any, statement: str) -> None:
    cursor.execute("SET @runstore_statement = %s", (statement,))
    cursor.execute("PREPARE runstore_selection FROM @runstore_statement")


def _may_write(cursor: Any) -> bool:
    try:
        for statement in WRITE_NOTHING:
            cursor.execute(statement)
    except pymysql.MySQLError as error:
        if error.args and error.args[0] in _REFUSED:
            return False
        raise
    return True
