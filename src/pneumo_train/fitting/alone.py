"""One process a run: the second one that would train it is refused, before it writes over what the first one writes."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pneumo_train.errors import ConfigError, InUseError
from runstore.local.locks import HeldLock, has_no_locks, take_lock

LOCK = "training.lock"


@contextmanager
def alone_in(folder: Path, run_id: str, refusal: str | None = None) -> Iterator[None]:
    """Holds the lock of a run's checkpoints as long as the block lasts; of a process that was killed nothing holds it.

    The folder is made for it, and removed again if nothing else was put there. On a file system without locks nobody is refused.

    Args:
        folder: of the run's checkpoints.
        run_id: of the run.
        refusal: what is said to the second one, where it is no run that is trained.

    Raises:
        InUseError: another process is training the run.
        ConfigError: the lock's file cannot be written.
    """
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    lock = None
    try:
        lock = _taken(folder, run_id, refusal)
        yield
    finally:
        if lock is not None:
            lock.release_and_remove()
        with suppress(OSError):  # somebody has put something there
            for place in made:
                place.rmdir()


def _taken(folder: Path, run_id: str, refusal: str | None) -> HeldLock | None:
    """The lock; ``None`` where there are no locks."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = take_lock(folder / LOCK)
    except OSError as error:
        if has_no_locks(error):
            return None
        raise ConfigError(
            f"checkpoint_dir: {folder} cannot be written ({error.strerror or error}); name a folder that can"
        ) from error
    if lock is None:
        raise InUseError(
            refusal
            or f"run_id = {run_id!r}: another process is training this run, with its checkpoints in {folder}; wait for its end, or "
            "give another run_id, or none for a new run"
        )
    return lock
