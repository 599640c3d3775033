"""How a run goes on in another process: its id travels in the Lightning checkpoint.

Lightning tells a logger nothing of checkpoints being written or read, and of the trainer nothing at all; it tells a
callback. :class:`RunStoreCallback` passes on what the logger must know. Lightning adds it to each ``Trainer`` of a
program that has imported :mod:`runstore.lightning` (through the entry points ``*.callbacks_factory``), and the logger
adds it where that did not happen.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from runstore.errors import RunNotFoundError, RunStoreError, StoreFailureError, StoreUnavailableError
from runstore.lightning._family import Callback
from runstore.lightning.lineage import Lineage
from runstore.model import Run, RunFailure, RunStatus
from runstore.protocol import RunReader
from runstore.session import RunSession

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


def close_attempt(session: RunSession, run: Run) -> None:
    """Ends an attempt that was killed before it could say so, so that going on counts as a new one.

    A store that cannot answer now is left as it is: the run goes on all the same.
    """
    if not run.status.is_final:
        with suppress(RunStoreError):
            session.store.finalize(run.id, RunStatus.INTERRUPTED, error=_LOST)


class RunStoreCallback(Callback):
    """Tells the trainer's run store loggers of beginnings and checkpoints."""

    def __init__(self) -> None:
        """Stands where it was put until a stage begins."""
        super().__init__()
        self._place: int | None = None

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ARG002 - the hook's face
        """The first sign of any stage. Until its end this callback is asked before all others.

        So the runs are ended by the exception that stops the training also where another callback then fails.
        """
        others = [callback for callback in trainer.callbacks if callback is not self]
        if len(others) < len(trainer.callbacks):
            self._place = trainer.callbacks.index(self)
            # A new list: Lightning is walking through the old one, which must neither pass over nor repeat any.
            trainer.callbacks = [self, *others]
        for logger in _loggers_of(trainer):
            logger.expect(trainer)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ARG002 - the hook's face
        """The end of a stage: this callback goes back to its place."""
        if self._place is not None:
            others = [callback for callback in trainer.callbacks if callback is not self]
            trainer.callbacks = [*others[: self._place], self, *others[self._place :]]
            self._place = None

    def on_load_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's face
        """Lets each logger continue the run that wrote the checkpoint."""
        origins = Origin.read_all(checkpoint)
        for logger in _loggers_of(trainer):
            logger.meet_checkpoint(trainer, origins)

    def on_save_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's face
        """Writes the runs' ids into the checkpoint."""
        checkpoint[CHECKPOINT_KEY] = [
            logger.origin(step=trainer.global_step).as_dict() for logger in _loggers_of(trainer)
        ]

    def on_sanity_check_start(self, trainer: Any, pl_module: Any) -> None:
        """The first sign of a fit, after checkpoints were read."""
        self._begin(trainer, pl_module)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """The first sign of a fit without a sanity check."""
        self._begin(trainer, pl_module)

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """The first sign of ``validate``; within a fit nothing new."""
        self._begin(trainer, pl_module)

    def on_test_start(self, trainer: Any, pl_module: Any) -> None:
        """The first sign of ``test``."""
        self._begin(trainer, pl_module)

    def on_predict_start(self, trainer: Any, pl_module: Any) -> None:
        """The first sign of ``predict``."""
        self._begin(trainer, pl_module)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:  # noqa: ARG002 - the hook's face
        """Ends the runs by what stops the training."""
        for logger in _loggers_of(trainer):
            logger.meet_exception(exception)

    def _begin(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002 - the hook's face
        for logger in _loggers_of(trainer):
            logger.begin(trainer)


def _loggers_of(trainer: Any) -> list[Any]:
    from runstore.lightning.logger import RunStoreLogger  # noqa: PLC0415 - it imports this module

    return [logger for logger in trainer.loggers if isinstance(logger, RunStoreLogger)]
