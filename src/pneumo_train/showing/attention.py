"""Grad-CAM: where on a film the network saw what it decided by.

Selvaraju and others, Grad-CAM, 2017. A map shows what moved this network, not where a disease is.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

Maps = NDArray[np.float32]
_IMAGE_AXES = 4


def grad_cam(model: nn.Module, images: Tensor, *, signs: Tensor | None = None) -> tuple[Tensor, Maps]:
    """The logit of each image, and a map of what raised it.

    The map is made of the network's last feature maps that are larger than one pixel, whatever network it is. Of several
    views of an image, as at test time, it is that of the first, the image itself.

    Args:
        model: from images to logits of shape (N,); it is put into evaluation mode for this.
        images: float, (N, channels, H, W), as the model takes them.
        signs: 1 for what raised the logit of an image, -1 for what lowered it, shape (N,); 1 for all by default.

    Returns:
        Logits (N,) and maps (N, H, W) from 0 to 1, each by its own greatest value; 0 throughout where nothing did.

    Raises:
        ValueError: the network has no feature maps of more than one pixel, as for images that are too small.
    """
    was_training = model.training
    model.eval()
    try:
        layer = _last_maps(model, images[:1])
        found: list[Tensor] = []

        def catch(_module: nn.Module, _given: Any, maps: Tensor) -> Tensor | None:
            if found:
                return None
            # A copy goes on: what comes next may change it in place.
            found.append(maps.detach().clone().requires_grad_())
            return found[0].clone()

        with _hooked([layer], catch), torch.enable_grad():
            logits: Tensor = model(images)
            directed = logits if signs is None else logits * signs.to(logits)
            (slopes,) = torch.autograd.grad(directed.sum(), found[0])
    finally:
        model.train(was_training)
    maps, slopes = found[0].detach().float(), slopes.float()
    cam = functional.relu((slopes.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1, keepdim=True))
    cam = functional.interpolate(cam, size=images.shape[-2:], mode="bilinear", align_corners=False).squeeze(1)
    greatest = cam.amax(dim=(1, 2), keepdim=True)
    return logits.detach().float(), torch.where(greatest > 0, cam / greatest, 0.0).cpu().numpy()


def _last_maps(model: nn.Module, image: Tensor) -> nn.Module:
    """The module that gives the last feature maps of more than one pixel, in the order in which they are computed."""
    last: list[nn.Module] = []

    def note(module: nn.Module, _given: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == _IMAGE_AXES and output.shape[-1] > 1:
            last.append(module)

    with _hooked((module for module in model.modules() if module is not model), note), torch.no_grad():
        model(image)
    if not last:
        raise ValueError("the network has no feature maps of more than one pixel; give larger images")
    return last[-1]


@contextmanager
def _hooked(modules: Iterable[nn.Module], hook: Callable[..., Any]) -> Iterator[None]:
    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
