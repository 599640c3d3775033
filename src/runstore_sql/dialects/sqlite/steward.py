"""What a person wants to know of a SQLite file."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from runstore.backend import Rights, Selection
from runstore.errors import StoreFailureError
from runstore_sql.dialects.steward import Steward

_ALLOWED: Final = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)


class SqliteSteward(Steward):
    """A file: its rights are those of the file system."""

    def is_made(self, url: sa.URL) -> bool:
        return Path(url.database or "").exists()

    def server(self, connection: Any) -> str:
        del connection
        return f"SQLite {sqlite3.sqlite_version}"

    def rights(self, connection: Any, url: sa.URL, *, has_schema: bool) -> Rights:
        del connection, has_schema
        path = Path(os.path.realpath(url.database or ""))
        may_write = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)
        return Rights(read=os.access(path, os.R_OK), write=may_write, change=may_write)

    def select(self, connection: Any, statement: str, limit: int) -> Selection:
        """SQLite asks, as it prepares a statement, for each thing that it would do. One call prepares one statement."""
        connection.execute("PRAGMA query_only = ON")
        connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)
        try:
            cursor = connection.execute(statement)
            if cursor.description is None:
                raise sqlite3.OperationalError("it is empty")
            rows = cursor.fetchmany(limit + 1)
            titles = [each[0] for each in cursor.description or ()]
            cursor.close()
        finally:
            connection.set_authorizer(None)
        return Selection(titles, rows[:limit], len(rows) > limit)

    def make_scratch(self, run: Callable[[Callable[[Any], None]], None], url: sa.URL, name: str) -> sa.URL:
        """A folder beside the file: a trial of SQLite is one of the file system, too."""
        del run
        path = Path(os.path.realpath(url.database or ""))
        beside = next(folder for folder in path.parents if folder.is_dir())
        try:
            (beside / name).mkdir()
        except OSError as error:
            raise StoreFailureError(
                f"no folder for trials can be made in {beside}: {error.strerror}; give a path in a folder that you may write"
            ) from error
        return url.set(database=str(beside / name / "runs.db"))

    def drop_scratch(self, run: Callable[[Callable[[Any], None]], None], made: sa.URL, name: str) -> None:
        del run
        folder = Path(made.database or "").parent
        if folder.name == name:
            shutil.rmtree(folder, ignore_errors=True)
