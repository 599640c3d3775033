"""Reads chest films into squares of grey, and knows the data set by the hash of what it read."""

import dataclasses
import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from pneumo_train.errors import DataError
from pneumo_train.samples import Sample

GreyArray = npt.NDArray[np.uint8]

_SHOWN = 3
_UNREADABLE = (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow raises on files that are no images, are cut short or claim absurd sizes."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Films:
    """The images of some samples, every one of which was opened once.

    Attributes:
        samples: in this order.
        size: side of the square, in pixels.
        pixels: uint8 of shape (samples, size, size), or ``None`` when they would not fit the cache.
    """

    samples: tuple[Sample, ...]
    size: int
    pixels: GreyArray | None

    def __len__(self) -> int:
        """The number of images."""
        return len(self.samples)

    def __getitem__(self, index: int) -> GreyArray:
        """The image at a position: uint8 of shape (size, size)."""
        if self.pixels is not None:
            film: GreyArray = self.pixels[index]
            return film
        return read_film(self.samples[index].path.read_bytes(), size=self.size)

    def part(self, start: int, stop: int) -> "Films":
        """The images from one position to before another; shares the memory."""
        pixels = None if self.pixels is None else self.pixels[start:stop]
        return Films(samples=self.samples[start:stop], size=self.size, pixels=pixels)


def load_films(
    samples: Sequence[Sample],
    *,
    size: int,
    cache_mib: int,
    track: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> tuple[Films, str]:
    """The images of the samples, and the SHA-256 (hex) of ids, labels, patients and file contents.

    Every file is read and opened here, once, so that a bad one is known before training starts. Decoded images are kept
    when all of them fit into ``cache_mib`` MiB.

    Args:
        samples: what to read.
        size: side of the square, in pixels.
        cache_mib: how much memory the decoded images may take.
        track: wraps the iteration, for a progress bar.

    Raises:
        DataError: names the images that cannot be read, and how many there are.
    """
    fits = len(samples) * size * size <= cache_mib << 20
    pixels: GreyArray | None = np.empty((len(samples), size, size), np.uint8) if fits else None
    lines: list[str] = []
    broken: list[str] = []
    for index, sample in enumerate(track(samples)):
        try:
            data = sample.path.read_bytes()
            if pixels is not None:
                pixels[index] = read_film(data, size=size)
            else:
                with Image.open(io.BytesIO(data)) as image:
                    image.verify()
        except _UNREADABLE as error:
            broken.append(f"{sample.path.name} ({error})")
            continue
        lines.append(f"{sample.image_id}\0{sample.target}\0{sample.patient}\0{hashlib.sha256(data).hexdigest()}")
    if broken:
        raise DataError(
            f"{len(broken):,} of {len(samples):,} images cannot be read: {'; '.join(broken[:_SHOWN])}; "
            "replace the files or remove their rows"
        )
    digest = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
    return Films(samples=tuple(samples), size=size, pixels=pixels), digest


def read_film(data: bytes, *, size: int) -> GreyArray:
    """A film's file as a grey square: padded with black to keep its proportions, then resized; uint8 (size, size).

    16-bit and 32-bit images are stretched from their least to their greatest value.
    """
    with Image.open(io.BytesIO(data)) as opened:
        image: Image.Image = opened
        if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
            image = _to_eight_bits(image)
        image = image.convert("L")
    side = max(image.size)
    if image.width != image.height:
        square = Image.new("L", (side, side))
        square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        image = square
    if side != size:
        image = image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(image)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)
    return Image.fromarray(scaled.round().astype(np.uint8))
