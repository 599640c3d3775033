"""An image as a file: of an array as PNG, or as Pillow writes it; of Pillow, or a file, as it stands."""

import os
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from runstore.errors import InvalidValueError
from runstore.media.arrays import is_array, numpy_of
from runstore.media.files import Media, new_media, wrong_kind
from runstore.media.png import png
from runstore.values.checks import check_number

_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".svg")
_PNG: Final = _SUFFIXES[0]
_OF_PILLOW: Final = _SUFFIXES[:4]
_CHANNELS: Final = (1, 3, 4)
_KEPT_BY_PNG: Final = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
"""Pillow's modes that a PNG has, too."""


def image(
    name: str,
    image: Any,
    *,
    step: int | None = None,
    value_range: tuple[float, float] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Media:
    """An image that is to be kept: as PNG, or as the name ends if Pillow is installed, or a file as it is.

    Args:
        name: its name; ``.jpg``, ``.jpeg`` or ``.webp`` at its end needs Pillow. Another image's ending gives way to that
            of the file.
        image: an array of numpy, torch or the like; an image of Pillow; or the path of a file, kept as it is. An array
            has the shape (height, width), (height, width, channels) or (channels, height, width), with 1, 3 or 4 channels;
            where both fit, the last axis has them. Of the values, ``uint8`` stands as it is, booleans are black and
            white, and floats within 0 and 1 run from black to white. Whatever else is there (Hounsfield units, 16 bits)
            runs from its own least finite value to its greatest; the metadata's ``range`` tells which two. What is not
            finite is black, and its number is told.
        step: the step, for one of a series.
        value_range: what is black and what is white, so that the images of a series compare; values beyond are cut off.
        metadata: more to keep with it.

    Raises:
        InvalidValueError: this is no image, or another argument is not allowed.
    """
    fixed = _checked_range(value_range)
    if isinstance(image, (str, os.PathLike)):
        source = Path(image)
        own: tuple[str, ...] = (source.suffix.lower(),) if source.suffix.lower() in _SUFFIXES else _SUFFIXES

        def copy(path: Path) -> dict[str, Any]:
            shutil.copyfile(source, path)
            return {}

        name = _without_other_ending(name, own)
        return new_media("image", name, step=step, suffixes=own, write=copy, metadata=metadata)
    if callable(getattr(image, "save", None)) and hasattr(image, "mode") and hasattr(image, "size"):
        name = _without_other_ending(name, _OF_PILLOW)
        return new_media(
            "image", name, step=step, suffixes=_OF_PILLOW, write=lambda path: _save(image, path), metadata=metadata
        )
    if not is_array(image):
        raise wrong_kind("image", image, "an array, an image of Pillow or the path of an image file")

    def encode(path: Path) -> dict[str, Any]:
        pixels, told = _pixels(image, fixed)
        if path.suffix == _PNG:
            path.write_bytes(png(pixels))
        else:
            _save(_pillow_of(pixels), path)
        return {"width": pixels.shape[1], "height": pixels.shape[0], **told}

    suffixes = _OF_PILLOW if find_spec("PIL") is not None else (_PNG,)
    name = _without_other_ending(name, suffixes)
    return new_media("image", name, step=step, suffixes=suffixes, write=encode, metadata=metadata)


def _without_other_ending(name: Any, allowed: tuple[str, ...]) -> Any:
    """The name without the ending of a kind of image that the file does not become: ``a.gif`` becomes ``a.png``."""
    if not isinstance(name, str):
        return name
    other = (suffix for suffix in _SUFFIXES if suffix not in allowed and name.lower().endswith(suffix))
    ending = next(other, "")
    return name[: len(name) - len(ending)]


def _checked_range(value_range: object) -> tuple[float, float] | None:
    if value_range is None:
        return None
    if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:  # noqa: PLR2004 - a pair
        raise wrong_kind("value_range", value_range, "a pair of numbers: what is black and what is white")
    low, high = (check_number(value, f"value_range[{index}]") for index, value in enumerate(value_range))
    if not low < high:
        raise InvalidValueError(f"value_range is ({low}, {high}); the first number must be the lower one")
    return low, high


def _save(image: Any, path: Path) -> dict[str, Any]:
    """Writes an image of Pillow, in colours where the file's format has not its own mode."""
    is_png = path.suffix == _PNG
    if image.mode in {"F", "I"}:  # numbers, not colours
        pixels, told = _pixels(numpy_of(image), None)
        image = _pillow_of(pixels)
    else:
        told = {}
        if image.mode not in _KEPT_BY_PNG or (not is_png and image.mode not in {"L", "RGB"}):
            image = image.convert("RGB")
    image.save(path)
    return {"width": image.size[0], "height": image.size[1], **told}


def _pillow_of(pixels: Any) -> Any:
    from PIL import Image  # noqa: PLC0415 - slow, and needed for few files only

    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _pixels(image: Any, fixed: tuple[float, float] | None) -> tuple[Any, dict[str, Any]]:
    """The array as uint8 of shape (height, width, channels), and what was done to its values.

    Raises:
        InvalidValueError: its shape is no image's, or its values are no real numbers.
    """
    array = numpy_of(image)
    shaped = _shaped(array)
    if shaped.dtype == bool:
        return shaped.astype("uint8") * 255, {}
    if shaped.dtype == "uint8" and fixed is None:
        return shaped, {}
    if shaped.dtype.kind not in "fiu":
        raise InvalidValueError(f"image has values of type {shaped.dtype}; give real numbers")
    return _scaled(shaped, fixed)


def _shaped(array: Any) -> Any:
    shape = array.shape
    if array.ndim == 2:  # noqa: PLR2004 - height and width
        array = array[:, :, None]
    elif array.ndim == 3 and shape[2] not in _CHANNELS and shape[0] in _CHANNELS:  # noqa: PLR2004 - and channels
        array = array.transpose(1, 2, 0)
    if array.ndim != 3 or array.shape[2] not in _CHANNELS or 0 in array.shape:  # noqa: PLR2004 - as above
        raise InvalidValueError(
            f"image has the shape {tuple(shape)}; give (height, width), (height, width, channels) or "
            f"(channels, height, width) with 1, 3 or 4 channels"
        )
    return array


def _scaled(array: Any, fixed: tuple[float, float] | None) -> tuple[Any, dict[str, Any]]:
    import numpy as np  # noqa: PLC0415 - is loaded by now

    values = array.astype(np.float64)
    is_finite = np.isfinite(values)
    finite = values[is_finite]
    low, high = fixed or (0.0, 1.0)
    if fixed is None and finite.size and (array.dtype.kind != "f" or finite.min() < low or finite.max() > high):
        low, high = float(finite.min()), float(finite.max())
    span = (high - low) or 1.0
    scaled = np.where(is_finite, (values - low) / span * 255.0, 0.0)
    told: dict[str, Any] = {"range": [low, high]}
    if finite.size < values.size:
        told["non_finite"] = int(values.size - finite.size)
    return np.clip(scaled.round(), 0, 255).astype(np.uint8), told
