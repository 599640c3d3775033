"""One SQLite file as a handle uses it that only reads: nothing is created, and nothing written, beside it or in it.

SQLite's own read-only mode makes a write-ahead log and its index where they are missing; they then belong to the reader,
and the file's owner can no longer write. So what lies beside the file decides, at each call, how it is read:

* with a rollback journal, or with a log and its index there: as SQLite reads, under its locks;
* without a log, nobody writes: as an immutable file, and read again if it turns out to have changed meanwhile;
* with a log that has no index, as a crash or a copy leaves it: from a copy of both, for only a writer may mend it.
"""

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
import weakref
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from runstore.errors import StoreUnavailableError
from runstore.local import sqlite_files
from runstore.local.open_files import SIDE_FILES, copy_as_it_lies, head_of
from runstore.local.sqlite_files import Connection
from runstore_sql.dialects.connector import ChangedError
from runstore_sql.dialects.sqlite.connecting import UsedFile, set_up

_READ_VERSION: Final = 19  # its place in the file's head; 2 says that there may be a write-ahead log
_WITH_LOG: Final = 2
_TICK_NS: Final = 12_000_000
_TRIES: Final = 20
_LEAST_S: Final = 1.0

ResultT = TypeVar("ResultT")


class Seen(NamedTuple):
    """A file and what SQLite keeps beside it, at one moment: device, inode, size and time of change of each."""

    file: tuple[int, ...] | None
    log: tuple[int, ...] | None
    memory: tuple[int, ...] | None
    journal: tuple[int, ...] | None

    @classmethod
    def at(cls, path: Path) -> "Seen":
        """What is there now."""
        return cls(*(_status(f"{path}{ending}") for ending in ("", *SIDE_FILES)))

    @property
    def has_log(self) -> bool:
        """Whether a log holds anything."""
        return self.log is not None and self.log[2] > 0


class Way(Enum):
    """How a file is read."""

    UNDER_LOCKS = "under SQLite's locks"
    UNCHANGED = "as an immutable file"
    FROM_COPY = "from a copy"


class Reading(NamedTuple):
    """A way of reading, and what it was chosen by."""

    way: Way
    seen: Seen
    has_version_with_log: bool

    def holds(self, path: Path) -> bool:
        """Whether it is still right for what lies at a path now. Asks for no more than it must: each call does so."""
        if self.way is Way.FROM_COPY:
            return Seen.at(path) == self.seen
        file, log = _status(str(path)), _status(f"{path}-wal")
        if file is None or self.seen.file is None or file[:2] != self.seen.file[:2]:
            return False
        if self.way is Way.UNDER_LOCKS:
            return self.has_version_with_log == (log is not None)
        return file == self.seen.file and (log is None or not log[2])

    def has_kept(self, path: Path) -> bool:
        """Whether the bytes of the file itself have not changed since."""
        return _status(str(path)) == self.seen.file


class ReadingConnection(Connection):
    """A connection that knows in which way it reads."""

    reading: Reading


class ReadFile(UsedFile):
    """Connects a handle that reads; see :class:`runstore_sql.dialects.sqlite.connecting.SqliteFile` for one that writes."""

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        super().__init__(path, options)
        self._reading: Reading | None = None
        self._copies: list[weakref.finalize[..., ReadFile]] = []

    def enter(self) -> None:
        """Begins a call. When the file is no longer as it was, it is connected to anew."""
        super().enter()
        try:
            reading = self._reading
            if reading is not None and not reading.holds(self.path):
                self._reading = None
                self.renew()
        except BaseException:
            self.leave()
            raise

    def attempt(self, call: Callable[[], ResultT]) -> ResultT:
        """What ``call`` gives once the file did not change under it.

        Raises:
            StoreUnavailableError: it changed again and again.
        """
        until = time.monotonic() + max(self.timeout_s, _LEAST_S)
        while True:
            try:
                return call()
            except Exception as error:
                # Pages of two moments may look like a damaged file.
                if not isinstance(error, ChangedError) and not self._has_changed():
                    raise
                if time.monotonic() > until:
                    told = f"{self.path} changes faster than it can be read; try again"
                    raise StoreUnavailableError(told) from error

    def _has_changed(self) -> bool:
        reading = self._reading
        return reading is not None and reading.way is Way.UNCHANGED and not reading.has_kept(self.path)

    def check(self, connection: Any) -> None:
        """Makes sure that what was read is what lay there.

        Raises:
            ChangedError: it is not.
        """
        reading = connection.reading
        if reading.way is Way.UNCHANGED and not reading.has_kept(self.path):
            raise ChangedError(f"{self.path} is being changed")

    def connect(self) -> Connection:
        """A connection that cannot write."""
        reading = self._choose()
        try:
            connection = self._connected(reading)
        except sqlite3.DatabaseError as error:
            if reading.way is Way.UNCHANGED and not reading.has_kept(self.path):
                raise ChangedError(f"{self.path} is being changed") from error
            if reading.way is not Way.UNDER_LOCKS or not _needs_a_writer(error):
                raise
            reading = reading._replace(way=Way.FROM_COPY, seen=Seen.at(self.path))
            connection = self._connected(reading)
        self._reading = reading
        return connection

    def _choose(self) -> Reading:
        seen = Seen.at(self.path)
        try:
            head = head_of(self.path, 100)
        except OSError as error:  # moved, removed, or on a share that went away
            told = f"{self.path} was opened and cannot be read any more: {error.strerror}; bring the file back, then try again"
            raise StoreUnavailableError(told) from error
        has_log_version = head[_READ_VERSION:][:1] == bytes([_WITH_LOG])
        if not has_log_version or (seen.has_log and seen.memory is not None):
            return Reading(Way.UNDER_LOCKS, seen, has_log_version)
        if seen.has_log:
            return Reading(Way.FROM_COPY, seen, has_log_version)
        if seen.file is not None:
            # What changes twice within one tick of the file system's clock looks unchanged.
            time.sleep(min(max(seen.file[3] + _TICK_NS - time.time_ns(), 0), _TICK_NS) / 1e9)
        return Reading(Way.UNCHANGED, seen, has_log_version)

    def _connected(self, reading: Reading) -> Connection:
        path, parameters = self.path, "mode=ro"
        if reading.way is Way.UNCHANGED:
            parameters = "mode=ro&immutable=1"
        elif reading.way is Way.FROM_COPY:
            path, parameters = self._copied(reading), "mode=rw"
        elif reading.seen.memory is not None and not os.access(f"{path}-shm", os.W_OK):
            parameters = "mode=ro&readonly_shm=1"  # without, SQLite makes the index when it goes away just now
        connection = sqlite_files.connect(path, parameters, timeout_s=self.timeout_s, factory=ReadingConnection)
        connection.reading = reading
        try:
            set_up(connection)
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _copied(self, reading: Reading) -> Path:
        """A whole copy of the file and what lies beside it."""
        folder = Path(tempfile.mkdtemp(prefix="runstore-"))
        self._copies.append(weakref.finalize(self, _remove, folder, os.getpid()))
        for _ in range(_TRIES):
            for ending in ("", "-wal", "-journal"):
                target = folder / f"copy{ending}"
                target.unlink(missing_ok=True)
                with contextlib.suppress(FileNotFoundError):  # there is none, or it is gone by now
                    copy_as_it_lies(Path(f"{self.path}{ending}"), target)
            if reading.holds(self.path):
                return folder / "copy"
            reading = reading._replace(seen=Seen.at(self.path))
        raise ChangedError(f"{self.path} changes faster than it can be copied")

    def close(self) -> None:
        """Removes the copies."""
        for remove in self._copies:
            remove()


def _needs_a_writer(error: sqlite3.Error) -> bool:
    """Whether only somebody who may write could go on: to mend what a crash left, or for want of shared memory."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR_SHM"))


def _status(path: str) -> tuple[int, ...] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - four times a call, and pathlib takes twice as long
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _remove(folder: Path, pid: int) -> None:
    if os.getpid() == pid:  # a forked child's exit must not take its parent's
        shutil.rmtree(folder, ignore_errors=True)
