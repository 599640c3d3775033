"""A batch of films as another machine, exposure or hand might have made them."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's custom

_USUAL_SIDE = 128


def exposed(images: Tensor, strength: float) -> Tensor:
    """Images of shape (N, 1, H, W) in [0, 1], each with its own gamma, contrast, brightness, sharpness, noise and proportions.

    All is drawn by torch's generator. At strength 1 the gamma is 0.6 to 1.65, the contrast 0.6 to 1.65 times, the brightness
    up to 0.15 more or less, the film between blurred (a Gaussian of 1 pixel at 128) and sharpened by as much, the noise up
    to 0.03, and each side up to 10 % longer or shorter.

    Args:
        images: of that shape.
        strength: 0 for none, to 2.
    """
    if strength == 0:
        return images

    def drawn(low: float, high: float) -> Tensor:
        return torch.empty(len(images), 1, 1, 1, device=images.device).uniform_(low * strength, high * strength)

    images = _squeezed(images, drawn(-0.1, 0.1), drawn(-0.1, 0.1))
    images = images + drawn(-1, 1).clamp(-1, 2) * (images - _blurred(images))
    images = images.clamp(1e-3, 1) ** drawn(-0.5, 0.5).exp()  # above 0, where a power below 1 is steep
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    images = mean + (images - mean) * drawn(-0.5, 0.5).exp() + drawn(-0.15, 0.15)
    return (images + drawn(0, 0.03) * torch.randn_like(images)).clamp(0, 1)


def _squeezed(images: Tensor, wider: Tensor, higher: Tensor) -> Tensor:
    matrix = torch.zeros(len(images), 2, 3, device=images.device)
    matrix[:, 0, 0], matrix[:, 1, 1] = wider.flatten().exp(), higher.flatten().exp()
    places = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, places, padding_mode="zeros", align_corners=False)


def _blurred(images: Tensor) -> Tensor:
    """A Gaussian along each row, then along each column; edges are repeated outwards."""
    sigma = images.shape[-1] / _USUAL_SIDE
    reach = max(1, math.ceil(2.5 * sigma))
    offsets = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    kernel = (-(offsets**2) / (2 * sigma**2)).exp()
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    rows = F.conv2d(F.pad(images, (reach, reach, 0, 0), mode="replicate"), kernel)
    return F.conv2d(F.pad(rows, (0, 0, reach, reach), mode="replicate"), kernel.mT)
