"""The writers of one store on this machine, as their folders tell: who there is, who lives, and which runs they have."""

import contextlib
import shutil
from collections.abc import Container
from pathlib import Path
from typing import Final

from runstore.local.locks import HeldLock, has_no_locks, take_lock
from runstore.model import Run, RunStatus
from runstore.recording.frames import scan
from runstore.values.ids import time_ordered_id

LOCK_NAME = "writer.lock"
RUNS_NAME = "runs"

_TRIES: Final = 100


def is_in_hand(run: Run, folder: Path) -> bool:
    """Whether another process goes on with a run, as far as can be told beside this writer's folder.

    Its heartbeat tells it; after an outage, when nobody could beat, a living writer on this machine that notes it.
    """
    if run.status.is_final:
        return False
    return run.status == RunStatus.IN_PROGRESS or any(
        run.id in noted_runs(other) and is_held(other) for other in leftovers(folder.parent) if other != folder
    )


def is_held(folder: Path) -> bool:
    """Whether the writer of a folder lives, or somebody brings what it left into the store."""
    try:
        lock = take_lock(folder / LOCK_NAME)
    except OSError:
        return False
    if lock is not None:
        lock.release()
    return lock is None


def noted_runs(folder: Path) -> set[str]:
    """The runs that the writer of a folder noted."""
    try:
        noted = (folder / RUNS_NAME).read_bytes()
    except OSError:
        return set()
    return {bytes(payload).decode() for payload in scan(noted, is_complete=True).payloads}


def new_folder(root: Path) -> HeldLock:
    """The lock of a new writer's folder, under the folder of its store.

    Another process that looks for dead writers' folders may see this one before its lock is taken. It finds nothing in
    it and removes it, and the next name is tried.

    Raises:
        OSError: the folder cannot be made or locked.
    """
    for _ in range(_TRIES):
        folder = root / time_ordered_id()  # sorts by time: adopters drain older writers first
        folder.mkdir(mode=0o700)
        path = folder / LOCK_NAME
        try:
            lock = take_lock(path)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
                folder.rmdir()
            raise
        if lock is not None:
            return lock
    raise OSError(f"other processes took the lock of {_TRIES} new folders")


def cure_of(error: OSError) -> str:
    """What to do about a place where a writer's folder cannot be."""
    if has_no_locks(error):
        return (
            "its file system has no file locks, as Lustre mounted without the option flock, or NFS without its lock "
            "service: have it mounted with them"
        )
    return "make the folder writable or free some space"


def remove_folder(folder: Path, lock: HeldLock) -> None:
    """Removes a writer's folder and gives back its lock, whose file goes last: no other finds a folder half removed."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path == lock.path:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()
    lock.release_and_remove()
    with contextlib.suppress(OSError):
        folder.rmdir()


def leftovers(root: Path, *, besides: Container[Path] = ()) -> list[Path]:
    """The folders of all writers under ``root`` but those, the oldest first; some of them may be alive."""
    try:
        return sorted(
            path
            for path in root.iterdir()
            if not path.name.startswith(".") and path not in besides and (path / LOCK_NAME).exists()
        )
    except FileNotFoundError:
        return []
