"""Temporary folders. That of a process that was killed goes when the next one is made."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runstore.local.locks import HeldLock, has_no_locks, take_lock

_PREFIX = "pneumo-"
_HELD = ".held"
"""The lock in each folder: nobody holds that of an owner who has ended, however it ended."""
_LONGEST = 20
"""Of the folder for temporary files, in bytes, where sockets lie in it: a socket's path may have 107."""


@contextmanager
def own_folder(*, for_sockets: bool = False) -> Iterator[Path]:
    """A new folder that only this user may enter; it goes when the block is left.

    It may hold films: what processes that were killed have left is removed, too.

    Args:
        for_sockets: its path is short enough for sockets in it.

    Raises:
        OSError: there is no place for it.
    """
    is_short = len(os.fsencode(tempfile.gettempdir())) <= _LONGEST
    where = "/tmp" if for_sockets and not is_short else tempfile.gettempdir()  # noqa: S108 - a new folder of our own in it
    folder, lock = _made(where)
    try:
        _remove_left(folder)
        yield folder
    finally:
        if lock is not None:
            lock.release_and_remove()  # first, for Windows removes no file that is open
        shutil.rmtree(folder, ignore_errors=True)


def _made(where: str) -> tuple[Path, HeldLock | None]:
    """A new folder and its lock; ``None`` on a file system without locks, where nobody removes another's folder either."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=where))
        try:
            lock = take_lock(folder / _HELD)
        except OSError as error:
            if not has_no_locks(error):
                raise
            return folder, None
        if lock is not None:  # else another process that makes one just now was faster, and has removed this
            return folder, lock


def _remove_left(own: Path) -> None:
    """Removes this user's folders beside one that nobody holds any more. One without a lock may be just being made."""
    for folder in own.parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another user's, or gone just now
            if folder == own or folder.is_symlink() or folder.stat().st_uid != own.stat().st_uid:
                continue
            if (folder / _HELD).is_file() and (lock := take_lock(folder / _HELD)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                lock.release_and_remove()
                folder.rmdir()  # where the lock's file kept it
