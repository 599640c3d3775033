"""The callback that tells loggers what Lightning tells callbacks only: the trainer, its stages, its checkpoints.

Lightning adds :class:`RunStoreCallback` to each ``Trainer`` of a program that has imported :mod:`runstore.lightning`
(through the entry points ``*.callbacks_factory``), and the logger adds it where that did not happen.
"""

from typing import Any

from runstore.lightning._family import Callback
from runstore.lightning.current import CurrentRun
from runstore.lightning.resuming import CHECKPOINT_KEY, Origin


class RunStoreCallback(Callback):
    """Tells the trainer's run store loggers of beginnings and checkpoints."""

    def __init__(self) -> None:
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
        for run in _runs_of(trainer):
            run.expect(trainer)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ARG002 - the hook's face
        """The end of a stage: this callback goes back to its place."""
        if self._place is not None:
            others = [callback for callback in trainer.callbacks if callback is not self]
            trainer.callbacks = [*others[: self._place], self, *others[self._place :]]
            self._place = None

    def on_load_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's face
        """Lets each logger continue the run that wrote the checkpoint."""
        origins = Origin.read_all(checkpoint)
        for run in _runs_of(trainer):
            run.on_checkpoint_loaded(trainer, origins)

    def on_save_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's face
        """Writes the runs' ids into the checkpoint."""
        checkpoint[CHECKPOINT_KEY] = [run.origin(step=trainer.global_step).as_dict() for run in _runs_of(trainer)]

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
        for run in _runs_of(trainer):
            run.on_exception(exception)

    def _begin(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002 - the hook's face
        for run in _runs_of(trainer):
            run.begin(trainer)


def _runs_of(trainer: Any) -> list[CurrentRun]:
    runs = (getattr(logger, "current_run", None) for logger in trainer.loggers)
    return [run for run in runs if isinstance(run, CurrentRun)]
