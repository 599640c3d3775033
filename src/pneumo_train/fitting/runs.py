"""The run of a training in its store: looked for before anything costs time, then begun, or taken up where it was cut off."""

import shlex
from contextlib import suppress
from pathlib import Path

from pneumo_train.errors import ConfigError
from pneumo_train.examining.keeping import NAME
from pneumo_train.preparing.reading import Reading
from runstore import DatasetType, Run, RunFailure, RunNotFoundError, RunReader, RunStatus, RunStoreError
from runstore.training import RunSession

_LOST = RunFailure(type="Lost", message="no end was recorded; the run went on from its last checkpoint", traceback="")


def open_run(  # noqa: PLR0913 - keyword-only
    session: RunSession | None,
    *,
    may_exist: bool,
    resume: bool,
    goes_on: bool,
    folder: Path,
    reading: Reading | None = None,
) -> Run | None:
    """Opens the store, so that one that turns us away is known before the images are read; the run, if it is there.

    Args:
        session: leads the run; ``None`` without a store.
        may_exist: whether the run was named.
        resume: whether to go on with it.
        goes_on: whether there is a checkpoint to go on from.
        folder: where it would lie.
        reading: what is trained on, if a completed run may lack the evaluation of its test part.

    Raises:
        ConfigError: the run has ended, and another training would write over what it holds; or its checkpoint is missing.
        RunStoreError: the store turns us away.
    """
    if session is None:
        return None
    run = find_run(session, is_named=may_exist)
    if run is None:
        return None
    if run.status is RunStatus.COMPLETED and resume:
        raise ConfigError(f"run_id = {run.id!r}: this run has completed; {_left_to_do(session, reading)}")
    if run.status.is_final and not resume:
        raise ConfigError(
            f"run_id = {run.id!r}: this run has ended as {run.status}, and its metrics would be written over; give another id, "
            "or none for a new run, or go on with it (--resume true)"
        )
    if resume and not goes_on and (epochs := _epochs_of(session)) > 1:
        raise ConfigError(
            f"run_id = {run.id!r}: this run has validated {epochs} epochs, and no checkpoint to go on from lies at {folder}; name "
            "the checkpoint_dir that it had, or another run_id to begin anew"
        )
    return run


def find_run(session: RunSession, *, is_named: bool = True) -> Run | None:
    """The run of a session, as far as the store has it and can answer now; of a new id the store is only opened.

    Raises:
        RunStoreError: the store turns us away.
    """
    try:
        store = session.store
        return store.get_run(session.run_id) if is_named and isinstance(store, RunReader) else None
    except RunNotFoundError:
        return None
    except RunStoreError as error:
        if error.is_transient:  # the session tells of it, and makes up for it
            return None
        raise


def begin_run(session: RunSession, run: Run | None, *, resume: bool, goes_on: bool) -> None:
    """Begins the run; one that goes on counts one more attempt.

    Raises:
        RunStoreError: a mistake about the store to mend before training.
    """
    if resume and run is not None and not run.status.is_final and (goes_on or _epochs_of(session)):
        with suppress(RunStoreError):  # a store that cannot answer now is left as it is
            session.store.finalize(run.id, RunStatus.INTERRUPTED, error=_LOST)
    session.begin(resume=resume)


def _left_to_do(session: RunSession, reading: Reading | None) -> str:
    """What a completed run may lack: the evaluation of its test part is a run of its own, and is kept last."""
    with suppress(RunStoreError):
        store = session.store
        if reading is not None and reading.split.test and isinstance(store, RunReader):
            run_id = session.run_id.replace("'", "''")
            kept = f"parent = '{run_id}' and name = '{NAME.format(part='test')}' and status = 'completed'"
            if not store.search_runs(kept, limit=1).items:
                source, trained = shlex.quote(str(reading.source.path)), shlex.quote(session.run_id)
                return (
                    "only the evaluation of its test part is not kept. With the same --store this makes it: pneumo-train "
                    f"evaluate {trained} --source {source} --part test"
                )
    return "there is nothing to go on with"


def _epochs_of(session: RunSession) -> int:
    """How many epochs have been validated, as far as the store can answer now."""
    with suppress(RunStoreError):
        store = session.store
        if isinstance(store, RunReader):
            kept = [each for each in store.get_summaries(session.run_id) if each.dataset_type is DatasetType.VALIDATION]
            return max((1 + series.last.step for series in kept), default=0)
    return 0
