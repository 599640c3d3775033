"""Files that this process may have open as a database: read without taking the database's locks away.

POSIX gives file locks to the process, not to the descriptor: closing any descriptor of a file drops all locks that the
process holds on it (https://www.sqlite.org/howtocorrupt.html, 2.2). What SQLite has open here is therefore never opened
and closed past SQLite: it is copied by SQLite itself, whole and as it stands. Windows gives locks to the descriptor: there only
what a store of ours opened is copied so, for the copy's sake.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from runstore.local.system import CAN_LIST_DESCRIPTORS, NO_WAITING, open_bytes, read_at

MAGIC: Final = b"SQLite format 3\0"
SIDE_FILES: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database while it is open: the name's endings."""


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


def head_of(path: Path, size: int) -> bytes:
    """The first bytes of a file, as it lies."""
    file = key_of(path)
    for descriptor in [] if file is None else descriptors_of(file):
        with contextlib.suppress(OSError):  # open for writing alone
            return read_at(descriptor, size, 0)
    with opened_as_it_lies(path) as descriptor:
        return read_at(descriptor, size, 0)


def copy_as_it_lies(path: Path, target: Path) -> None:
    """Copies the bytes of a file, and nothing that SQLite keeps elsewhere."""
    with (
        opened_as_it_lies(path) as descriptor,
        open(descriptor, "rb", closefd=False) as source,
        target.open("wb") as copy,
    ):
        shutil.copyfileobj(source, copy, 2**20)


def database_of(path: Path) -> Path | None:
    """The database that this process has open, if the file at a path is one of those that SQLite keeps beside it."""
    file = key_of(path)
    names = [path, *(_name_of(each) for each in ([] if file is None else descriptors_of(file)))]
    if not CAN_LIST_DESCRIPTORS:
        names.append(Path(os.path.realpath(path)))
    for name in names:
        for ending in SIDE_FILES:
            if name.name.endswith(ending):
                database = name.with_name(name.name.removesuffix(ending))
                if database_at(database) is not None:
                    return database
    return None


_known: Final[dict[FileKey, Path]] = {}
"""Databases that a store of this process opened. Where descriptors cannot be listed, nothing else tells which are open."""


def know_database(file: FileKey | None, path: Path) -> None:
    """Notes that a store of this process opened a database."""
    if not CAN_LIST_DESCRIPTORS and file is not None:
        _known[file] = path


def descriptors_of(file: FileKey) -> list[int]:
    """The descriptors that this process has open on a file, where they can be listed."""
    if not CAN_LIST_DESCRIPTORS:
        return []
    found = []
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - names, and no paths to take apart again
        with contextlib.suppress(OSError):  # the one that listed the others is closed
            status = os.fstat(int(name))
            if (status.st_dev, status.st_ino) == file:
                found.append(int(name))
    return found


def names_of(file: FileKey) -> list[Path]:
    """The names by which this process has a file open."""
    return [*([_known[file]] if file in _known else []), *(_name_of(each) for each in descriptors_of(file))]


def database_at(path: Path) -> Path | None:
    """Where the database lies that a path leads to, by whatever link, if this process has it open."""
    file = key_of(path)
    if file is None:
        return None
    if file in _known:
        return _known[file] if key_of(_known[file]) == file else path
    for descriptor in descriptors_of(file):
        with contextlib.suppress(OSError):
            if read_at(descriptor, len(MAGIC), 0) == MAGIC:
                place = _name_of(descriptor)
                return place if key_of(place) == file else path
    return None


def _name_of(descriptor: int) -> Path:
    """The name by which a file was opened: SQLite finds the log beside that one, and not beside a hard link."""
    try:
        return Path(f"/proc/self/fd/{descriptor}").readlink()
    except OSError:  # no such list here, or it was closed meanwhile
        return Path()


@contextlib.contextmanager
def opened_as_it_lies(path: Path) -> Iterator[int]:
    """A descriptor to read a file's bytes by. A file that SQLite opens here meanwhile stays open for good."""
    # With waiting, a named pipe that took the file's place would hold this up for ever.
    descriptor = open_bytes(path, os.O_RDONLY | NO_WAITING)
    try:
        yield descriptor
    finally:
        status = os.fstat(descriptor)
        is_shared = len(descriptors_of(FileKey(status.st_dev, status.st_ino))) > 1
        if not (is_shared and _is_locked_by_sqlite(path, descriptor)):
            os.close(descriptor)


def _is_locked_by_sqlite(path: Path, descriptor: int) -> bool:
    try:
        return path.name.endswith(SIDE_FILES) or read_at(descriptor, len(MAGIC), 0) == MAGIC
    except OSError:  # a pipe
        return False
