"""What training makes small."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta


@dataclasses.dataclass(frozen=True, kw_only=True)
class LossConfig:
    """What training makes small.

    Attributes:
        loss: cross_entropy, or focal, which looks less at images that are known already.
        focal_gamma: with focal, how much less; 0 is cross entropy.
        label_smoothing: in training 0 and 1 become this much less certain; validation is measured without it.
        mixup_alpha: each image of a training batch is mixed with another one, by shares of Beta(alpha, alpha); 0 mixes
            none.
        balanced_batches: draw as many positives as negatives, with repetitions, instead of weighing them.
    """

    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    focal_gamma: Annotated[float, Meta(ge=0, le=10)] = 2.0
    label_smoothing: Annotated[float, Meta(ge=0, lt=0.5)] = 0.0
    mixup_alpha: Annotated[float, Meta(ge=0, le=10)] = 0.0
    balanced_batches: bool = False
