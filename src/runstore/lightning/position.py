"""How far a training was."""

import weakref
from typing import Any, NamedTuple


class Position(NamedTuple):
    """How far the training was.

    Attributes:
        epoch: Lightning's current epoch.
        step: Lightning's global step: how many steps the optimizers have taken.
        logged_step: the step of what was logged last, which counts batches: with several optimizers it is another.
    """

    epoch: int
    step: int
    logged_step: int | None


class Steps:
    """Where a run's training is, as its trainer tells, or what was logged.

    It knows nothing of the logger: a session asks it, and is kept open until the logger is gone.

    Attributes:
        last: the step of what was logged last; -1 before.
    """

    def __init__(self) -> None:
        self.last: int = -1
        self._trainer: weakref.ref[Any] | None = None

    def follow(self, trainer: Any) -> None:
        """From here on this trainer tells."""
        self._trainer = weakref.ref(trainer)

    @property
    def trainer(self) -> Any:
        """The trainer that tells; ``None`` where there is none."""
        return None if self._trainer is None else self._trainer()

    def note(self, step: Any) -> None:
        """Something is logged at this step; what is no whole number is refused later, and not counted on from."""
        if type(step) is int:
            self.last = step

    def now(self) -> int:
        """The step at which Lightning would log now; without a trainer, that of what was logged last."""
        trainer = self.trainer
        if trainer is None:
            return max(self.last, 0)
        batches = getattr(getattr(trainer.fit_loop, "epoch_loop", None), "_batches_that_stepped", None)
        return int(trainer.global_step if batches is None else batches)

    def position(self) -> Position | None:
        """How far the trainer is; ``None`` where there is none."""
        trainer = self.trainer
        if trainer is None:
            return None
        return Position(epoch=trainer.current_epoch, step=trainer.global_step, logged_step=max(self.last, 0))

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the trainer."""
        return self.__dict__ | {"_trainer": None}
