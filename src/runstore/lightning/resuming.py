"""How a run goes on in another process: its id travels in the Lightning checkpoint."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from runstore.errors import RunNotFoundError, RunStoreError, StoreFailureError, StoreUnavailableError
from runstore.lightning.lineage import Lineage
from runstore.model import Run, RunFailure, RunStatus
from runstore.protocol import RunReader
from runstore.training.session import RunSession

CHECKPOINT_KEY = "runstore"
"""The checkpoint's entry: a list of :meth:`Origin.as_dict`, one for each of the trainer's loggers of our kind."""


_LOST = RunFailure(
    type="Lost", message="no end was recorded; the run went on from a checkpoint in another process", traceback=""
)


class Origin(NamedTuple):
    """The run that wrote a checkpoint.

    Attributes:
        run_id: the run.
        experiment: the name of its experiment.
        store: its store's URL without secrets; ``None`` where the logger was given a store instead of a URL.
        step: how far it was.
        lineage: the attempt of the run, and those that it goes on from.
    """

    run_id: str
    experiment: str
    store: str | None
    step: int
    lineage: Lineage = Lineage("")

    def as_dict(self) -> dict[str, Any]:
        """Plain values only, so that ``torch.load(weights_only=True)`` reads the checkpoint."""
        place = {"run_id": self.run_id, "experiment": self.experiment, "store": self.store, "step": self.step}
        return place | self.lineage.as_dict()

    @classmethod
    def read_all(cls, checkpoint: Mapping[str, Any]) -> "list[Origin]":
        """The origins told by a checkpoint; none where it was written without our logger, or by an unknown release."""
        entries = checkpoint.get(CHECKPOINT_KEY)
        if not isinstance(entries, list):
            return []
        return [
            cls(
                run_id=entry["run_id"],
                experiment=entry["experiment"],
                store=entry.get("store"),
                step=entry["step"],
                lineage=Lineage.read(entry),
            )
            for entry in entries
            if isinstance(entry, dict) and {"run_id", "experiment", "step"} <= entry.keys()
        ]


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
