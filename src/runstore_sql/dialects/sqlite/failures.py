"""What SQLite's errors mean."""

import sqlite3
from typing import Any, Final

from runstore_sql.dialects.failures import Failures

_TRANSIENT: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")
_ADVICE: Final = {
    "SQLITE_READONLY": "the file or its folder cannot be written; check its permissions",
    "SQLITE_CANTOPEN": "the file cannot be opened; check that its folder exists and can be written",
    "SQLITE_IOERR": "the disk failed or is full, or the file system lacks locks (a network share?); see what room there is, or use a local disk",
    "SQLITE_CORRUPT": "the file is damaged; restore it from a backup",
    "SQLITE_NOTADB": "the file is no SQLite database; give another path",
}


class SqliteFailures(Failures):
    """By the names of SQLite's codes; a longer name tells more of the same."""

    module = "sqlite3"
    full = frozenset({"SQLITE_FULL"})

    def code(self, error: BaseException) -> Any:
        return getattr(error, "sqlite_errorname", "")

    def advice_for(self, error: BaseException) -> str | None:
        name = self.code(error)
        return next((advice for beginning, advice in _ADVICE.items() if name.startswith(beginning)), None)

    def is_passing(self, error: BaseException) -> bool:
        return bool(self.code(error).startswith(_TRANSIENT))

    def is_missing(self, error: BaseException | None) -> bool:
        # SQLite has one code for all mistakes in a statement, and one language.
        return isinstance(error, sqlite3.Error) and str(error).startswith(("no such table", "no such column"))

    def _is_drivers(self, error: BaseException) -> bool:
        return isinstance(error, sqlite3.Error)
