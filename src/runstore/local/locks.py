"""Locks on files, which end with the process that holds them, however it ends.

Each belongs to the file as it was opened, not to the process: a forked child that closes its copy leaves its parent's
lock alone, and two holders in one process keep each other out. POSIX systems have ``flock`` for that. Windows has
locks of bytes, which keep others from reading those bytes as well: nobody reads a lock's file.
"""

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import Final

from runstore.local.system import open_bytes

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_NO_LOCKS: Final = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})


class HeldLock:
    """A lock that is held until it is released, or the process ends."""

    __slots__ = ("_descriptor", "path")

    def __init__(self, path: Path, descriptor: int) -> None:
        """Takes ownership of the descriptor."""
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Gives the lock back. In a forked child it stays the parent's."""
        os.close(self._descriptor)

    def release_and_remove(self) -> None:
        """Gives the lock back and removes its file, unless another holder has taken it just then."""
        if sys.platform == "win32":  # what is open cannot be removed, also if another process has it open
            self.release()
            with contextlib.suppress(OSError):
                self.path.unlink()
        else:  # while it is held: whoever gets the lock then sees that its file is gone
            with contextlib.suppress(OSError):
                self.path.unlink()
            self.release()


def take_lock(path: Path) -> HeldLock | None:
    """The lock of a file, which is made if need be; ``None`` while somebody else holds it, or its folder is gone.

    Raises:
        OSError: it cannot be opened; or the file system has no locks, see :func:`has_no_locks`.
    """
    try:
        descriptor = open_bytes(path, os.O_RDWR | os.O_CREAT)
    except FileNotFoundError:  # the folder was removed between the listing and now
        return None
    try:
        if _is_taken(descriptor):
            return HeldLock(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def has_no_locks(error: OSError) -> bool:
    """Whether an error says that the file system has no locks at all, as some network file systems are mounted."""
    return error.errno in _NO_LOCKS


def _is_taken(descriptor: int) -> bool:
    """Takes the lock; ``False`` where another holder has it, or had it and removed the file."""
    if sys.platform == "win32":
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
    else:  # noqa: RET505 - for the type checker, which looks at one system at a time
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return bool(os.fstat(descriptor).st_nlink)


def probe_byte_locks(descriptor: int) -> None:
    """Takes and gives back a lock of one byte, as SQLite takes them.

    Raises:
        OSError: see :func:`has_no_locks`.
    """
    if sys.platform != "win32":
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1)


def are_bytes_locked(path: Path, start: int, length: int) -> bool:
    """Whether another process holds a lock on bytes of a file that this one has not open."""
    with path.open("r+b") as file:
        try:
            if sys.platform == "win32":
                file.seek(start)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, length)
                file.seek(start)
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, length)
            else:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
        except OSError:
            return True
    return False
