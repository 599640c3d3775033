"""What a training that goes on, in another process or later, has to know and to do of its run."""

from contextlib import suppress
from typing import Final

from runstore.errors import RunNotFoundError, RunStoreError, StoreFailureError, StoreUnavailableError
from runstore.model import Run, RunFailure, RunStatus, SeriesSummary
from runstore.protocol import RunReader
from runstore.training.naming import SeriesName
from runstore.training.points import PointMaker
from runstore.training.session import RunSession

_LOST = RunFailure(
    type="Lost", message="no end was recorded; the run went on from a checkpoint in another process", traceback=""
)

_PATIENCE_S: Final = 5.0
"""How long it is waited for what an earlier process left in a journal; a read alone would wait for longer."""


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


def read_summaries(session: RunSession) -> tuple[SeriesSummary, ...]:
    """The summaries of all series that the session's run has by now; none where the store cannot be read from.

    Raises:
        RunStoreError: there is no such run, or the store cannot answer soon.
    """
    store = session.store
    if not isinstance(store, RunReader):
        return ()
    flush = getattr(store, "flush", None)
    if flush is not None:
        flush(deadline_s=_PATIENCE_S)
    return store.get_summaries(session.run_id)


def learn_names(session: RunSession, *makers: PointMaker) -> None:
    """Has makers of points call the series of a run that goes on as they were called before.

    Where the store cannot answer now, the key that comes first gets the short name, as in a new run.
    """
    with suppress(RunStoreError):
        series = [SeriesName(each.name, each.dataset_type) for each in read_summaries(session)]
        for maker in makers:
            maker.names.learn(series)


def close_attempt(session: RunSession, run: Run) -> None:
    """Ends an attempt that was killed before it could say so, so that going on counts as a new one.

    A store that cannot answer now is left as it is: the run goes on all the same.
    """
    if not run.status.is_final:
        with suppress(RunStoreError):
            session.store.finalize(run.id, RunStatus.INTERRUPTED, error=_LOST)
