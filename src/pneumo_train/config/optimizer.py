"""The learning rate and its way down."""

import dataclasses
from typing import Annotated

from msgspec import Meta

from pneumo_train.config.kinds import Between0And1, CountOrZero, NotNegative, check
from pneumo_train.config.wanted import GREATEST


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """AdamW with a ReduceLROnPlateau schedule on the monitored metric.

    Attributes:
        learning_rate: the first learning rate.
        weight_decay: AdamW's.
        reduce_lr_patience: epochs without improvement before the rate is reduced.
        reduce_lr_factor: by how much.
        min_lr: never below this rate.
    """

    learning_rate: Annotated[float, Meta(gt=0, le=GREATEST)] = 1e-3
    weight_decay: NotNegative = 1e-4
    reduce_lr_patience: CountOrZero = 3
    reduce_lr_factor: Between0And1 = 0.5
    min_lr: NotNegative = 1e-7

    def __post_init__(self) -> None:
        """Checks what one key means for another."""
        check("optimizer.min_lr", self.min_lr, self.min_lr <= self.learning_rate, "is above optimizer.learning_rate")
