"""Films made worse in five ways at five strengths: what another machine, exposure or hand may do to them.

All work on uint8 of shape (images, height, width) and give the same; ``x`` is a pixel in [0, 1].
"""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

STRENGTHS: dict[str, tuple[float, ...]] = {
    "contrast": (0.8, 0.65, 0.5, 0.35, 0.2),
    "brightness": (0.05, 0.1, 0.15, 0.2, 0.3),
    "blur": (0.5, 0.75, 1.0, 1.5, 2.0),
    "gamma": (1.2, 1.4, 1.7, 2.0, 2.5),
    "noise": (0.02, 0.04, 0.06, 0.09, 0.12),
}
"""The setting of each strength, 1 to 5. contrast: a factor around the film's mean. brightness: added to x. blur: the
standard deviation of a Gaussian in pixels of a film of 128, in proportion for others. gamma: the exponent of x. noise: the standard
deviation of normal noise that is added to x."""

_UNITS = {"contrast": "factor", "brightness": "added", "blur": "sigma at 128 px", "gamma": "exponent", "noise": "sigma"}
_USUAL_SIDE = 128


def setting_of(corruption: str, strength: int) -> str:
    """What a strength means, as ``factor 0.8``."""
    return f"{_UNITS[corruption]} {STRENGTHS[corruption][strength - 1]:g}"


def corrupted(films: Pixels, corruption: str, strength: int, *, rng: np.random.Generator) -> Pixels:
    """The films made worse.

    Args:
        films: uint8 of shape (images, height, width).
        corruption: a key of :data:`STRENGTHS`.
        strength: 1 to 5.
        rng: draws the noise.
    """
    setting = STRENGTHS[corruption][strength - 1]
    x: NDArray[np.float32] = films.astype(np.float32) / np.float32(255)
    match corruption:
        case "contrast":
            mean = x.mean(axis=(1, 2), keepdims=True)
            x = mean + (x - mean) * np.float32(setting)
        case "brightness":
            x += np.float32(setting)
        case "blur":
            x = _blurred(x, setting * films.shape[-1] / _USUAL_SIDE)
        case "gamma":
            x **= np.float32(setting)
        case "noise":
            x += rng.normal(0, setting, x.shape).astype(np.float32)
    return np.clip(np.rint(x * 255), 0, 255).astype(np.uint8)


def _blurred(x: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Each row and then each column weighed by a Gaussian; edges are repeated outwards."""
    reach = max(1, int(np.ceil(3 * sigma)))
    offsets = np.arange(-reach, reach + 1)
    kernel = np.exp(-(offsets**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).astype(np.float32)
    for axis in (1, 2):
        size = x.shape[axis]
        padded = np.pad(x, [(reach, reach) if each == axis else (0, 0) for each in range(3)], mode="edge")
        slices = [padded.take(range(start, start + size), axis=axis) for start in range(len(kernel))]
        blurred = np.zeros_like(x)
        for weight, part in zip(kernel, slices, strict=True):
            blurred += weight * part
        x = blurred
    return x
