"""The writers of one store on this machine, as their folders tell: who there is, who lives, and which runs they have."""

import os
from pathlib import Path

from runstore.model import Run, RunStatus
from runstore.recording.frames import scan
from runstore.recording.segments import take_lock

LOCK_NAME = "writer.lock"
RUNS_NAME = "runs"


def is_in_hand(run: Run, folder: Path) -> bool:
    """Whether another process goes on with a run, as far as can be told beside this writer's folder.

    Its heartbeat tells it; after an outage, when nobody could beat, a living writer on this machine that notes it.
    """
    if run.status.is_final:
        return False
    return run.status == RunStatus.IN_PROGRESS or any(
        run.id in noted_runs(other) and _is_held(other) for other in leftovers(folder.parent) if other != folder
    )


def _is_held(folder: Path) -> bool:
    try:
        lock_fd = take_lock(folder / LOCK_NAME)
    except OSError:
        return False
    if lock_fd is not None:
        os.close(lock_fd)
    return lock_fd is None


def noted_runs(folder: Path) -> set[str]:
    """The runs that the writer of a folder noted."""
    try:
        noted = (folder / RUNS_NAME).read_bytes()
    except OSError:
        return set()
    return {bytes(payload).decode() for payload in scan(noted, is_complete=True).payloads}


def leftovers(root: Path) -> list[Path]:
    """The folders of all writers under ``root``, the oldest first; some of them may be alive."""
    try:
        return sorted(path for path in root.iterdir() if (path / LOCK_NAME).exists() and not path.name.startswith("."))
    except FileNotFoundError:
        return []
