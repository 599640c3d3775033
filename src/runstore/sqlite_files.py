"""The SQLite files that this process has open, and how to read one of them without losing its locks.

POSIX gives file locks to the process, not to the descriptor: closing any descriptor of a file drops all locks that the
process holds on it (https://www.sqlite.org/howtocorrupt.html, 2.2). A file that SQLite has open here is therefore never
opened past SQLite. And a connection that was inherited in a fork makes its file unusable for SQLite in the child: see
:mod:`runstore.forks`.
"""

import contextlib
import ctypes
import os
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TypeVar
from urllib.parse import quote

from runstore import forks
from runstore.errors import StoreFailureError

MAGIC: Final = b"SQLite format 3\0"
SIDE_FILES: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database while it is open: the name's endings."""

_FIRST_PROCESS: Final = os.getpid()


class FileKey(NamedTuple):
    """What tells one file from another, however its path is written."""

    device: int
    inode: int


def key_of(path: str | os.PathLike[str]) -> FileKey | None:
    """The key of the file that is at a path now; ``None`` where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - once a call, and pathlib takes twice as long
    except OSError:
        return None
    return FileKey(found.st_dev, found.st_ino)


class Connection(sqlite3.Connection):
    """A connection that this process knows of until it is closed.

    Attributes:
        pid: the process that opened it.
        file: the file that it is on.
    """

    pid: int
    file: FileKey | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Opens, as ``sqlite3.connect`` does."""
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
    for descriptor in _descriptors_of(file):
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


# Reading a file that may be open here


@contextlib.contextmanager
def source_of(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, to be copied. Of a database that this process has open: a whole, current copy of it.

    Raises:
        OSError: it cannot be read.
    """
    database = _open_database(path)
    if database is not None:
        with tempfile.TemporaryDirectory(prefix="runstore-") as folder:
            copy = Path(folder) / "copy"
            _back_up(database, copy)
            with copy.open("rb") as source:
                yield source
        return
    with _opened(path) as source:
        yield source


def head_of(path: Path, size: int) -> bytes:
    """The first bytes of a file."""
    file = key_of(path)
    for descriptor in [] if file is None else _descriptors_of(file):
        with contextlib.suppress(OSError):  # open for writing alone
            return os.pread(descriptor, size, 0)
    with _opened(path) as source:
        return source.read(size)


def copy_as_it_lies(path: Path, target: Path) -> None:
    """Copies the bytes of a file."""
    with _opened(path) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, 2**20)


def database_beside(path: Path) -> Path | None:
    """The database that this process has open, if the file at a path is what SQLite keeps beside it."""
    for ending in SIDE_FILES:
        if path.name.endswith(ending):
            database = path.with_name(path.name.removesuffix(ending))
            return database if _open_database(database) is not None else None
    return None


def _open_database(path: Path) -> Path | None:
    """Where the database lies that a path leads to, by whatever link, if this process has it open."""
    file = key_of(path)
    if file is None:
        return None
    for descriptor in _descriptors_of(file):
        with contextlib.suppress(OSError):
            if os.pread(descriptor, len(MAGIC), 0) == MAGIC:
                # The name by which it was opened: SQLite finds the log beside that one, and not beside a hard link.
                place = Path(f"/proc/self/fd/{descriptor}").readlink()
                return place if key_of(place) == file else path
    return None


def _descriptors_of(file: FileKey) -> list[int]:
    """The descriptors that this process has open on a file."""
    found = []
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - names, and no paths to take apart again
        with contextlib.suppress(OSError):  # the one that listed the others is closed
            status = os.fstat(int(name))
            if (status.st_dev, status.st_ino) == file:
                found.append(int(name))
    return found


def _back_up(database: Path, copy: Path) -> None:
    forks.enter()
    try:
        with (
            contextlib.closing(connect(database, "mode=ro", timeout_s=60.0, factory=Connection)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise OSError(f"the database {database} cannot be copied: {error}") from error
    finally:
        forks.leave()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file that is closed again, unless SQLite has opened it here meanwhile: then it stays open for good."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with open(descriptor, "rb", closefd=False) as source:
            yield source
    finally:
        status = os.fstat(descriptor)
        is_shared = len(_descriptors_of(FileKey(status.st_dev, status.st_ino))) > 1
        if not (is_shared and (path.name.endswith("-shm") or os.pread(descriptor, len(MAGIC), 0) == MAGIC)):
            os.close(descriptor)


def _keep_what_was_inherited() -> None:
    for connection in _living():
        keep_open(connection)


os.register_at_fork(after_in_child=_keep_what_was_inherited)
