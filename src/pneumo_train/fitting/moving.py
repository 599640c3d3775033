"""A batch of films, each a little turned, shifted, zoomed and exposed in its own way."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's custom


def moved(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Images of shape (N, 1, S, S) in [0, 1], each moved and exposed by numbers of its own, all in one call.

    Never a flip: the heart's side and the side marker are part of what a film says. What comes in from outside is black.

    Args:
        images: of that shape.
        strength: 0 for none; 1 for turns to 7 degrees, shifts to 5 % of the side, zooms to 10 %, and contrast and brightness
            to 20 %, each drawn evenly; to 2.
        generator: draws all numbers.
    """
    if strength == 0:
        return images

    def drawn(reach: float) -> Tensor:
        return torch.empty(len(images)).uniform_(-reach * strength, reach * strength, generator=generator)

    angle, zoom = drawn(math.radians(7)), 1 + drawn(0.1)
    right, down = 2 * drawn(0.05), 2 * drawn(0.05)  # of half a side, as the grid counts
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    # From a place in the new film to the one in the old film: shifted back, turned back, zoomed back.
    rows = [cos, sin, -(cos * right + sin * down), -sin, cos, sin * right - cos * down]
    places = F.affine_grid(torch.stack(rows, dim=1).view(-1, 2, 3), list(images.shape), align_corners=False)
    images = F.grid_sample(images, places, padding_mode="zeros", align_corners=False)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    contrast, brightness = (1 + drawn(0.2).view(-1, 1, 1, 1) for _ in range(2))
    return ((mean + (images - mean) * contrast) * brightness).clamp(0, 1)
