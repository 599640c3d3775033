"""The learning rate, its way down, and the average of the weights."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta

from pneumo_train.config.kinds import Between0And1, CountOrZero, NotNegative, check
from pneumo_train.config.wanted import GREATEST


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """AdamW, its learning rate, and the average of the weights.

    Attributes:
        learning_rate: the greatest learning rate.
        backbone_rate: the backbone learns at this share of the learning rate; below 1 for weights that know much already.
        weight_decay: AdamW's; norms and biases have none.
        schedule: plateau lowers the rate when the monitored metric stands still, cosine step by step to the last epoch.
        warmup_epochs: epochs, or a part of one, in which the rate rises to the learning rate.
        reduce_lr_patience: with plateau, epochs without improvement before the rate is reduced.
        reduce_lr_factor: with plateau, by how much.
        min_lr: never below this rate.
        ema_decay: validate and keep a moving average of the weights, as 0.999; 0 for the weights themselves.
    """

    learning_rate: Annotated[float, Meta(gt=0, le=GREATEST)] = 1e-3
    backbone_rate: Annotated[float, Meta(gt=0, le=1)] = 1.0
    weight_decay: NotNegative = 1e-4
    schedule: Literal["plateau", "cosine"] = "plateau"
    warmup_epochs: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    reduce_lr_patience: CountOrZero = 3
    reduce_lr_factor: Between0And1 = 0.5
    min_lr: NotNegative = 1e-7
    ema_decay: Annotated[float, Meta(ge=0, lt=1)] = 0.0

    def __post_init__(self) -> None:
        """Checks what one key means for another."""
        check("optimizer.min_lr", self.min_lr, self.min_lr <= self.learning_rate, "is above optimizer.learning_rate")
