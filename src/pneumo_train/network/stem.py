"""The way of a grey film into a network: how its values are scaled, and a first layer of one channel or three.

A film has one channel in [0, 1]. A network of three channels sees it three times. A network of one channel has a first
layer folded from three, which sees exactly the same.
"""

import dataclasses
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's custom


@dataclasses.dataclass(frozen=True, slots=True)
class Scaling:
    """What is subtracted from values in [0, 1], and by what the rest is divided, for each of three channels."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


SCALINGS = {
    "imagenet": Scaling((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "lite": Scaling((127 / 255,) * 3, (128 / 255,) * 3),
    "xrayvision": Scaling((0.5,) * 3, (1 / 2048,) * 3),  # [-1024, 1024]
}
"""By name, which a checkpoint keeps: weights know the scale they were trained with."""


class FoldedConv(nn.Conv2d):
    """A first layer of one channel that sees what one of three would see in a grey film.

    Each of the three channels has its own mean, and what lies beyond the border is 0, which is another grey in each.
    So besides the sum of the three kernels there is a part that depends on the place alone: ``shift``.
    """

    def __init__(self, like: nn.Conv2d) -> None:
        super().__init__(
            1,
            like.out_channels,
            cast("tuple[int, int]", like.kernel_size),
            cast("tuple[int, int]", like.stride),
            cast("tuple[int, int]", like.padding),
            bias=False,
        )
        self.register_buffer("shift", torch.zeros(like.out_channels, 1, *like.kernel_size))

    def forward(self, images: Tensor) -> Tensor:
        """Images of shape (N, 1, H, W), scaled by :func:`grey`."""
        ones = torch.ones_like(images[:1])
        shift = cast("Tensor", self.shift)
        return super().forward(images) + F.conv2d(ones, shift.to(images.dtype), None, self.stride, self.padding)


def grey(scaling: Scaling) -> tuple[float, float]:
    """The one mean and deviation by which a film of one channel is scaled."""
    return sum(scaling.mean) / 3, sum(scaling.std) / 3


def folded(kernel: Tensor, scaling: Scaling) -> tuple[Tensor, Tensor]:
    """The kernel of one channel and the shift, for a kernel of three channels: shapes (O, 1, h, w) each."""
    mean, std = grey(scaling)
    means, stds = torch.tensor(scaling.mean).view(1, 3, 1, 1), torch.tensor(scaling.std).view(1, 3, 1, 1)
    return (
        (kernel * std / stds).sum(dim=1, keepdim=True),
        (kernel * (mean - means) / stds).sum(dim=1, keepdim=True),
    )


def unfolded(kernel: Tensor) -> Tensor:
    """The kernel of three channels, shape (O, 3, h, w), for one of one channel, where all three are scaled alike."""
    return kernel.expand(-1, 3, -1, -1) / 3


def scale(images: Tensor, scaling: Scaling, channels: int) -> Tensor:
    """Images of shape (N, 1 or 3, H, W) in [0, 1] as a network of so many channels wants them."""
    if channels == 1:
        mean, std = grey(scaling)
        return (images.mean(dim=1, keepdim=True) - mean) / std
    means, stds = images.new_tensor(scaling.mean).view(1, 3, 1, 1), images.new_tensor(scaling.std).view(1, 3, 1, 1)
    return (images.expand(-1, 3, -1, -1) - means) / stds
