"""Several views of one film, each predicted, their logits averaged. Never a flip: the heart's side says something."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's custom

_VIEWS = (
    (0.0, 1.0, 0.0, 0.0),
    (0.0, 1.05, 0.0, 0.0),
    (0.0, 0.95, 0.0, 0.0),
    (4.0, 1.0, 0.0, 0.0),
    (-4.0, 1.0, 0.0, 0.0),
    (0.0, 1.0, 0.03, 0.0),
    (0.0, 1.0, -0.03, 0.0),
    (0.0, 1.0, 0.0, 0.03),
    (0.0, 1.0, 0.0, -0.03),
)
"""Degrees, zoom, and shifts to the right and down as shares of the side; the first is the film as it is."""

MOST_VIEWS = len(_VIEWS)


def averaged_logits(predict: Callable[[Tensor], Tensor], images: Tensor, views: int) -> Tensor:
    """The mean logit of the first so many views, shape (N,).

    Args:
        predict: from images of shape (N, C, H, W) to logits of shape (N,).
        images: of that shape.
        views: 1 to 9.
    """
    return torch.stack([predict(_seen(images, *view)) for view in _VIEWS[:views]]).mean(dim=0)


def _seen(images: Tensor, degrees: float, zoom: float, right: float, down: float) -> Tensor:
    if (degrees, zoom, right, down) == _VIEWS[0]:
        return images
    angle = torch.deg2rad(torch.tensor(degrees))
    cos, sin = float(torch.cos(angle)) / zoom, float(torch.sin(angle)) / zoom
    # From a place of the view to its place in the film; places lie in [-1, 1].
    matrix = images.new_tensor([[cos, sin, -2 * right], [-sin, cos, -2 * down]]).expand(len(images), -1, -1)
    places = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, places, padding_mode="zeros", align_corners=False)
