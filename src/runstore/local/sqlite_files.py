"""This process's connections to SQLite files, and which files SQLite can no longer use here.

A connection that was inherited in a fork makes its file unusable for SQLite in the child: see :mod:`runstore.local.forks`.
"""

import contextlib
import ctypes
import errno
import os
import sqlite3
import weakref
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from runstore.errors import StoreFailureError
from runstore.local import forks
from runstore.local.open_files import FileKey, descriptors_of, key_of, know_database
from runstore.local.system import at_fork

_FIRST_PROCESS: Final = os.getpid()


class Connection(sqlite3.Connection):
    """A connection that this process knows of until it is closed.

    Attributes:
        pid: the process that opened it.
        file: the file that it is on.
    """

    pid: int
    file: FileKey | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.pid = os.getpid()
        number = id(self)
        _connections[number] = weakref.ref(self, lambda _: _connections.pop(number, None))

    def close(self) -> None:
        """Closes, unless that would harm: what was inherited, or has lost its log, stays open for good."""
        if self.pid != os.getpid() or self.file in _lost:
            keep_open(self)
            return
        super().close()
        _connections.pop(id(self), None)


ConnectionT = TypeVar("ConnectionT", bound=Connection)

_connections: Final[dict[int, "weakref.ref[Connection]"]] = {}
_kept: list[sqlite3.Connection] = []
_lost: dict[FileKey | None, str] = {}  # and why
"""Process-wide, as SQLite's table of locks is."""


def connect(
    path: str | os.PathLike[str], parameters: str, *, timeout_s: float, factory: type[ConnectionT]
) -> ConnectionT:
    """A connection in autocommit mode, for any thread.

    Args:
        path: the file.
        parameters: of SQLite's URI, such as ``mode=ro``.
        timeout_s: how long a statement waits for another writer.
        factory: the kind of connection.

    Raises:
        StoreFailureError: SQLite cannot use this file in this process any more; says why.
        sqlite3.Error: what SQLite says.
    """
    _check_usable(path)
    connection = sqlite3.connect(
        f"file:{quote(os.fsencode(path))}?{parameters}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,
        factory=factory,
    )
    connection.file = key_of(path)
    know_database(connection.file, Path(path))
    return connection


def connections_on(file: FileKey | None) -> list[Connection]:
    """The connections that this process has on a file."""
    return [each for each in _living() if each.file == file and each.pid == os.getpid()]


def _living() -> list[Connection]:
    found = [reference() for reference in list(_connections.values())]
    return [connection for connection in found if connection is not None]


def give_up(file: FileKey | None, reason: str) -> None:
    """Uses a file no more in this process: its connections stay as they are, for even to close them would harm."""
    _lost[file] = reason
    for connection in connections_on(file):
        keep_open(connection)


def keep_open(connection: sqlite3.Connection) -> None:
    """Never closes this connection, not even when the interpreter ends."""
    if not any(each is connection for each in _kept):
        _kept.append(connection)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def is_forked() -> bool:
    """Whether this process may have inherited connections that it does not know of, as those of other libraries."""
    return os.getpid() != _FIRST_PROCESS


def is_locked_here(file: FileKey) -> bool:
    """Whether the operating system says that this process holds a lock on a file; ``True`` where it cannot tell."""
    if not Path("/proc/self/fdinfo").is_dir():
        return True
    for descriptor in descriptors_of(file):
        with contextlib.suppress(OSError):
            if "lock:" in Path(f"/proc/self/fdinfo/{descriptor}").read_text():
                return True
    return False


def check_not_given_up(path: str | os.PathLike[str]) -> None:
    """Refuses a file that this process gave up.

    Raises:
        StoreFailureError: says why.
    """
    if _lost and (file := key_of(path)) in _lost:
        raise StoreFailureError(_lost[file])


def _check_usable(path: str | os.PathLike[str]) -> None:
    check_not_given_up(path)
    file = key_of(path)
    for connection in _living():
        if file is not None and connection.file == file and connection.pid != os.getpid():
            keep_open(connection)
            raise StoreFailureError(inherited(path))


def inherited(path: str | os.PathLike[str]) -> str:
    """What to say of a file that was in use at the moment of a fork."""
    return (
        f"this process was forked while a connection to {os.fspath(path)} was in use, and SQLite cannot use a file in "
        "such a child; fork between calls, or start the process with multiprocessing's 'spawn'"
    )


def back_up(database: Path, copy: Path) -> None:
    """Makes a whole copy of a database, as it stands with all that was committed, in place of an empty file.

    Raises:
        OSError: it cannot be read, or the copy not be written.
    """
    forks.enter()
    try:
        with (
            contextlib.closing(connect(database, "mode=ro", timeout_s=60.0, factory=Connection)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise OSError(errno.EIO, f"the database cannot be copied ({error})", str(database)) from error
    finally:
        forks.leave()


def _keep_what_was_inherited() -> None:
    for connection in _living():
        keep_open(connection)


at_fork(after_in_child=_keep_what_was_inherited)
