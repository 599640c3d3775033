"""How far a training was."""

from typing import NamedTuple


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
