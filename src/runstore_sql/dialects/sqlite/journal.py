"""Which journal a SQLite file gets: a write-ahead log, or a rollback journal where the file system cannot serve a log."""

import contextlib
import errno
import logging
import mmap
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Final

from runstore.local import sqlite_files
from runstore.local.open_files import head_of
from runstore.local.sqlite_files import Connection

_log = logging.getLogger(__name__)

_WAIT_S: Final = 60.0
_IN_USE: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")
_WITH_LOG: Final = b"\2\2"

_told: set[str] = set()
"""Files of which this process has said that they get no log: once is enough."""


def make_readable(path: Path, shown_url: str) -> None:
    """Gives a file with a write-ahead log a rollback journal, where the file system cannot serve the log.

    Raises:
        sqlite3.Error: another program uses the file.
    """
    if path.stat().st_size and head_of(path, 20)[18:20] == _WITH_LOG and not has_shared_memory(path):
        tell_of_no_log(path, shown_url)
        with contextlib.closing(
            sqlite_files.connect(path, "mode=rw", timeout_s=_WAIT_S, factory=Connection)
        ) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # alone, SQLite needs no shared memory for the log
            connection.execute("PRAGMA journal_mode = DELETE")


def use_log(connection: sqlite3.Connection, path: Path, shown_url: str) -> None:
    """Lets readers and one writer work side by side; kept in the file. SQLite does not wait for the lock by itself."""
    if not has_shared_memory(path):
        tell_of_no_log(path, shown_url)
        return
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname.startswith("SQLITE_IOERR"):
                tell_of_no_log(path, shown_url)
                return
            if not error.sqlite_errorname.startswith(_IN_USE) or time.monotonic() > deadline:
                raise  # a full disk does not empty itself
            time.sleep(0.02)
        else:
            return


def has_shared_memory(path: Path) -> bool:
    """Whether processes can share memory through files beside this one, as SQLite's log takes."""
    try:
        scratch = tempfile.TemporaryFile(dir=path.parent, prefix=".runstore-")  # noqa: SIM115 - closed below
    except OSError:  # SQLite will say itself what is wrong with the folder
        return True
    with scratch as file:
        try:
            file.truncate(mmap.PAGESIZE)
            mmap.mmap(file.fileno(), mmap.PAGESIZE).close()
        except OSError as error:
            return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return True


def tell_of_no_log(path: Path, shown_url: str) -> None:
    """Says once that readers and writers take turns."""
    if str(path) not in _told:
        _told.add(str(path))
        _log.warning(
            "%s lies on a file system without shared memory (a network or cloud folder?): SQLite keeps a rollback "
            "journal there, all is stored as safely, and readers and writers wait for each other",
            shown_url,
        )
