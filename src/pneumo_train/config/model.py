"""The network."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta

from pneumo_train.config.kinds import CountOrZero, check


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The network.

    Attributes:
        depth: layers of the ResNet.
        weights_path: a local file of weights for the ResNet; nothing is ever downloaded.
        freeze_backbone: train the head alone: no gradient, and batch normalisation keeps its statistics.
        fine_tune_layers: with a frozen backbone, how many residual blocks are trained, counted from the end.
        dropout: before the last layer.
        class_weighting: weigh positives by negatives / positives of the training part.
    """

    depth: Literal[18, 34, 50] = 18
    weights_path: str | None = None
    freeze_backbone: bool = False
    fine_tune_layers: CountOrZero = 0
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.2
    class_weighting: bool = True

    def __post_init__(self) -> None:
        """Checks what one key means for another."""
        check(
            "model.fine_tune_layers",
            self.fine_tune_layers,
            self.freeze_backbone or self.fine_tune_layers == 0,
            "means something only with model.freeze_backbone = true: without it every layer is trained",
        )
