"""The greys of a film made comparable before a network sees them, whatever the exposure was."""

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as vision

from pneumo_train.config.model import Contrast

_LOW, _HIGH = 0.02, 0.98
"""The shares of pixels that become black and white: a side marker and a dark border are below these."""


def contrasted(images: Tensor, contrast: Contrast) -> Tensor:
    """Images of shape (N, C, H, W) in [0, 1], each changed by its own greys alone, so that it does not matter with what it comes.

    Args:
        images: of that shape.
        contrast: ``none`` leaves them; ``stretch`` makes the 2nd percentile black and the 98th white; ``equalize`` has
            every grey as often.
    """
    if contrast == "stretch":
        return _stretched(images)
    if contrast == "equalize":
        whole = (images.clamp(0, 1) * 255).round().to(torch.uint8)
        equal: Tensor = vision.equalize(whole)
        return equal.to(images.dtype) / 255
    return images


def _stretched(images: Tensor) -> Tensor:
    values = images.flatten(1).sort(dim=1).values
    last = values.shape[1] - 1
    low, high = values[:, round(_LOW * last)], values[:, round(_HIGH * last)]
    # A film of one grey stays one grey; 1/255 is the least difference that a film can have.
    span = (high - low).clamp(min=1 / 255)
    return ((images - low.view(-1, 1, 1, 1)) / span.view(-1, 1, 1, 1)).clamp(0, 1)
