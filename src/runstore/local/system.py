"""What one operating system has and another has not, each under one name that works on all of them.

Nobody else asks which system this is, but for :mod:`runstore.local.locks`. The type checker is run for Linux, macOS and
Windows: it refuses a name that one of them lacks, wherever it stands.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

if sys.platform == "win32":
    _AS_BYTES: Final = os.O_BINARY
    """Without it the C library writes a byte 13 before each byte 10."""
    NO_WAITING: Final = 0
else:
    _AS_BYTES: Final = os.O_CLOEXEC
    NO_WAITING: Final = os.O_NONBLOCK
    """To open a named pipe by, without waiting for somebody at its other end."""

CAN_LIST_DESCRIPTORS: Final = sys.platform != "win32"
"""Whether a process can ask which files it has open. On Windows none has to: a lock is lost with its own descriptor only."""

_TRIES: Final = 20
_PAUSE_S: Final = 0.05


def open_bytes(path: str | os.PathLike[str], flags: int, mode: int = 0o600) -> int:
    """A descriptor of a file, which no program that is started here inherits."""
    return os.open(path, flags | _AS_BYTES, mode)


def open_folder(folder: Path) -> int:
    """A descriptor of a folder, to ask how it stands.

    Raises:
        OSError: it may not be read; or this is Windows, which opens files only.
    """
    if sys.platform == "win32":
        raise IsADirectoryError(folder)
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Bytes from an offset on. On Windows one thread at a time may ask this of one descriptor."""
    if sys.platform == "win32":
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size)
    return os.pread(descriptor, size, offset)


def write_at(descriptor: int, data: bytes, offset: int) -> int:
    """Writes bytes at an offset, and gives how many. On Windows one thread at a time may ask this of one descriptor."""
    if sys.platform == "win32":
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, data)
    return os.pwrite(descriptor, data, offset)


def keep(descriptor: int) -> None:
    """Returns when what was written to a file is on the disk."""
    if sys.platform == "linux":
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def keep_names(folder: Path) -> None:
    """Asks the disk to keep the names in a folder. Windows has no such request: NTFS writes them down by itself."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def put_in_place(written: Path, target: Path) -> None:
    """Renames a file over another one, or to a free name.

    Windows refuses while a reader, or what looks for viruses, has the other one open: that is over in a moment.
    """
    for _ in range(_TRIES if sys.platform == "win32" else 0):
        try:
            written.replace(target)
        except PermissionError:
            time.sleep(_PAUSE_S)
        else:
            return
    written.replace(target)


def at_fork(
    *,
    before: Callable[[], object] | None = None,
    after_in_parent: Callable[[], object] | None = None,
    after_in_child: Callable[[], object] | None = None,
) -> None:
    """Has something done around each fork from now on, on systems that fork."""
    if sys.platform != "win32":
        nothing = _nothing
        os.register_at_fork(
            before=before or nothing,
            after_in_parent=after_in_parent or nothing,
            after_in_child=after_in_child or nothing,
        )


def owner_of(found: os.stat_result) -> str:
    """Who a file belongs to that was looked at, in words."""
    if sys.platform == "win32":
        return "another user"
    import pwd  # noqa: PLC0415 - Windows has none

    try:
        return pwd.getpwuid(found.st_uid).pw_name
    except KeyError:  # a user without a name
        return f"user {found.st_uid}"


def _nothing() -> None:
    """What is done where nothing was asked for."""
