"""What a training that goes on, in another process or later, has to know and to do of its run."""

from contextlib import suppress

from runstore.errors import RunNotFoundError, RunStoreError, StoreFailureError, StoreUnavailableError
from runstore.model import Run, RunFailure, RunStatus
from runstore.protocol import RunReader
from runstore.training.session import RunSession

_LOST = RunFailure(
    type="Lost", message="no end was recorded; the run went on from a checkpoint in another process", traceback=""
)


def read_run(session: RunSession, run_id: str) -> Run | None:
    """The run as the session's store knows it; ``None`` where it does not, or cannot answer now.

    Raises:
        RunStoreError: the store cannot be opened, and trying again cannot mend it.
    """
    try:
        store = session.store
        return store.get_run(run_id) if isinstance(store, RunReader) else None
    except (RunNotFoundError, StoreUnavailableError, StoreFailureError):
        return None


def experiment_of(session: RunSession, run: Run) -> str | None:
    """The name of a run's experiment; ``None`` where the store cannot answer now."""
    with suppress(RunStoreError):
        store = session.store
        if isinstance(store, RunReader):
            return store.get_experiment(run.experiment_id).name
    return None


def close_attempt(session: RunSession, run: Run) -> None:
    """Ends an attempt that was killed before it could say so, so that going on counts as a new one.

    A store that cannot answer now is left as it is: the run goes on all the same.
    """
    if not run.status.is_final:
        with suppress(RunStoreError):
            session.store.finalize(run.id, RunStatus.INTERRUPTED, error=_LOST)
