"""One SQLite file as one handle uses it: how it is connected to, and whether what was written is where readers look.

A commit is acknowledged only when the files that it went to still lie at the path. They do not when the database was
moved, replaced or deleted meanwhile; nor when its log was removed, which another program's SQLite does when this
process has lost its locks (a program that opens and closes the file past SQLite takes them from it).
"""

import contextlib
import os
import sqlite3
import time
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from runstore.errors import SettingsError, StoreFailureError
from runstore.local import forks, sqlite_files
from runstore.local.clock import now_us
from runstore.local.open_files import FileKey, key_of
from runstore.local.sqlite_files import Connection
from runstore.local.system import open_folder
from runstore.query import like_matcher
from runstore_sql.dialects.connector import Connector, pooled_engine

OPTIONS: Final = frozenset({"synchronous", "timeout"})
_BUSY_S: Final = 5.0
_LONGEST_S: Final = 1e6
_CLOCK_NS: Final = 50_000_000
"""A folder that was changed within so many ns may be changed again under the same time."""


class Linked(Connection):
    """A connection that knows by which files it writes.

    Attributes:
        log: its write-ahead log; ``None`` with a rollback journal.
        folder_seen: when the folder had changed last when all was in place, once that is long enough ago to tell by.
    """

    log: FileKey | None = None
    folder_seen: int | None = None

    def close(self) -> None:
        """Closes, after which another thread may find a new log, and this connection's with it no more."""
        self.log = None
        super().close()


class UsedFile(Connector):
    """What handles that write and handles that read have in common.

    Attributes:
        path: the file.
        timeout_s: how long a statement waits for another writer.
    """

    is_file = True

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        super().__init__()
        self.path = path
        self.timeout_s = _seconds(options.get("timeout", _BUSY_S))

    def engine(self) -> sa.Engine:
        """An engine on the file."""
        return pooled_engine(sa.URL.create("sqlite"), max_overflow=0, creator=self.connect)

    @abstractmethod
    def connect(self) -> Connection:
        """A connection, in place."""

    def enter(self) -> None:
        """Begins a call; none runs while the process forks."""
        forks.enter()

    def leave(self) -> None:
        """Ends it."""
        forks.leave()


class SqliteFile(UsedFile):
    """Connects a handle that writes; see :class:`runstore_sql.dialects.sqlite.reading.ReadFile` for one that reads."""

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        super().__init__(path, options)
        self._log_path = f"{path}-wal"
        self._synchronous = _synchronous(options)
        self._folder = -1
        self._file: FileKey | None = None  # once opened, this file and no other that takes its place

    def enter(self) -> None:
        """Begins a call, unless this process has given the file up."""
        sqlite_files.check_not_given_up(self.path)
        forks.enter()

    def connect(self) -> Connection:
        """A connection, in place."""
        if self._folder < 0:
            with contextlib.suppress(OSError):
                self._folder = open_folder(self.path.parent)
        if self._file is not None and key_of(self.path) != self._file:
            raise self._moved()
        mode = "mode=rwc" if self._file is None else "mode=rw"
        connection = sqlite_files.connect(self.path, mode, timeout_s=self.timeout_s, factory=Linked)
        try:
            if self._file is not None and connection.file != self._file:
                raise self._moved()  # noqa: TRY301 - what was opened is closed below
            self._file = connection.file
            set_up(connection)
            connection.execute("PRAGMA journal_size_limit = 67108864")
            journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
            # A rollback journal that is not synced at each commit may damage the file in a power cut.
            usual = "NORMAL" if journal == "wal" else "FULL"
            connection.execute(f"PRAGMA synchronous = {self._synchronous or usual}")
            if journal == "wal":
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                self._link(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _link(self, connection: Linked) -> None:
        file = connection.file
        connection.log = key_of(self._log_path)
        if any(
            each.log not in {None, connection.log}
            for each in sqlite_files.connections_on(file)
            if isinstance(each, Linked)
        ):
            raise self._lost(connection)
        if file is not None and sqlite_files.is_forked() and not sqlite_files.is_locked_here(file):
            sqlite_files.give_up(file, sqlite_files.inherited(self.path))
            raise StoreFailureError(sqlite_files.inherited(self.path))

    def check(self, connection: Any) -> None:
        """Makes sure, after a commit, that readers find it.

        Raises:
            StoreFailureError: they do not; says what happened to the file.
        """
        try:
            seen = os.fstat(
                self._folder
            ).st_ctime_ns  # changes when a name in it comes or goes: one look instead of two
        except OSError:  # a folder that may be passed through and not read
            seen = None
        if seen is not None and seen == connection.folder_seen:
            return
        if key_of(self.path) != connection.file:
            raise self._moved()
        if connection.log is not None and key_of(self._log_path) != connection.log:
            raise self._lost(connection)
        is_settled = seen is not None and time.time_ns() - seen > _CLOCK_NS
        connection.folder_seen = seen if is_settled else None

    def _moved(self) -> StoreFailureError:
        return StoreFailureError(
            f"{self.path} is no longer the file that this store opened: it was moved, replaced or deleted, and nothing "
            "is stored in what lies there now; put it back, or open the store anew"
        )

    def _lost(self, connection: Connection) -> StoreFailureError:
        reason = (
            f"the log {self._log_path} was removed while this store was open, as happens when a program copies the "
            "file past SQLite or deletes the log; what was stored before is safe, and nothing more is stored by this "
            "process: start it anew"
        )
        sqlite_files.give_up(connection.file, reason)
        return StoreFailureError(reason)

    def close(self) -> None:
        """Lets go of the folder."""
        folder, self._folder = self._folder, -1
        if folder >= 0:
            os.close(folder)


def set_up(connection: sqlite3.Connection) -> None:
    """What every connection has."""
    connection.create_function("runstore_now_us", 0, now_us)
    connection.create_function("runstore_like", 2, _is_like, deterministic=True)
    connection.execute("PRAGMA foreign_keys = ON")
    # SQLite's own 2 MB do not hold what one search over 10,000 runs touches.
    connection.execute("PRAGMA cache_size = -16384")


def _is_like(pattern: str, text: str | None) -> bool:
    return text is not None and like_matcher(pattern)(text)


def _seconds(given: Any) -> float:
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0.0 <= seconds < _LONGEST_S:
        raise SettingsError(f"timeout={given!r} is no number of seconds; give one such as 30")
    return seconds


def _synchronous(options: Mapping[str, Any]) -> str | None:
    if "synchronous" not in options:
        return None
    wanted = str(options["synchronous"]).upper()
    if wanted not in {"OFF", "NORMAL", "FULL", "EXTRA"}:
        raise SettingsError(f"synchronous={wanted!r} is unknown to SQLite; use OFF, NORMAL, FULL or EXTRA")
    return wanted
