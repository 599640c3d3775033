"""Reads chest films into squares of grey, and knows the data set by the hash of what it read."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pneumo_train.errors import DataError, UnreadableError
from pneumo_train.images.film import GreyArray, check_film, read_film
from pneumo_train.images.mapped import MappedPixels
from pneumo_train.images.quiet import quiet_decoders
from pneumo_train.images.sketch import SIGNS, Sketches, sketch_of
from pneumo_train.processors import processors
from pneumo_train.samples import Sample

_SHOWN = 3
_MOST_THREADS = 8
_MOST_BYTES = 1 << 30

_T = TypeVar("_T")

_Read = tuple[str, str]
"""The hash of a file's content, or what is wrong with it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Films:
    """The images of some samples, every one of which was decoded once.

    Attributes:
        samples: in this order.
        size: side of the square, in pixels.
        pixels: uint8 of shape (samples, size, size), in memory or in a file, or ``None`` when they would not fit.
        hashes: the SHA-256 (hex) of each file.
        sketches: int8 of shape (samples, 256), by which films that are nearly the same are found; ``None`` if nobody made them.
    """

    samples: tuple[Sample, ...]
    size: int
    pixels: GreyArray | MappedPixels | None
    hashes: tuple[str, ...]
    sketches: Sketches | None = None

    def __len__(self) -> int:
        """The number of images."""
        return len(self.samples)

    def __getitem__(self, index: int) -> GreyArray:
        """The image at a position: uint8 of shape (size, size)."""
        if self.pixels is not None:
            film: GreyArray = self.pixels[index]
            return film
        path = self.samples[index].path
        try:
            return read_film(path.read_bytes(), size=self.size)
        except (OSError, DataError) as error:
            raise DataError(f"{path}: cannot be read any more, as it could when training began ({error})") from error

    def part(self, start: int, stop: int) -> "Films":
        """The images from one position to before another; shares the memory."""
        pixels = None if self.pixels is None else self.pixels[start:stop]
        sketches = None if self.sketches is None else self.sketches[start:stop]
        return Films(
            samples=self.samples[start:stop],
            size=self.size,
            pixels=pixels,
            hashes=self.hashes[start:stop],
            sketches=sketches,
        )


def load_films(
    samples: Sequence[Sample],
    *,
    size: int,
    cache_mib: int,
    track: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> tuple[Films, str]:
    """The images of the samples, and the SHA-256 (hex) of ids, labels, patients and file contents.

    Every file is read and decoded here, once, so that a bad one is known before training starts, whether the decoded
    images are kept (when all of them fit into ``cache_mib`` MiB) or not.

    Args:
        samples: what to read.
        size: side of the square, in pixels.
        cache_mib: how much memory the decoded images may take.
        track: wraps the iteration, for a progress bar.

    Raises:
        UnreadableError: names the images that cannot be read, and how many there are.
    """
    fits = len(samples) * size * size <= cache_mib << 20
    pixels: GreyArray | None = np.empty((len(samples), size, size), np.uint8) if fits else None
    sketches: Sketches = np.empty((len(samples), SIGNS), np.int8)

    def read(index: int) -> _Read:
        try:
            data = content_of(samples[index].path)
            check_film(data)
            film = read_film(data, size=size)
        except OSError as error:
            return "", error.strerror or str(error)
        except DataError as error:
            return "", str(error)
        if pixels is not None:
            pixels[index] = film
        sketches[index] = sketch_of(film)
        return hashlib.sha256(data).hexdigest(), ""

    hashes: list[str] = []
    broken: list[str] = []
    with in_threads(read, len(samples)) as results:
        for sample, (found, trouble) in zip(track(samples), results, strict=True):
            hashes.append(found)
            if trouble:
                broken.append(f"{sample.path.name} ({trouble})")
    if broken:
        more = f" and {len(broken) - _SHOWN:,} more" if len(broken) > _SHOWN else ""
        raise UnreadableError(
            f"{len(broken):,} of {len(samples):,} images cannot be read: {'; '.join(broken[:_SHOWN])}{more}; "
            "replace the files or remove their rows",
            files=tuple(broken),
        )
    films = Films(samples=tuple(samples), size=size, pixels=pixels, hashes=tuple(hashes), sketches=sketches)
    return films, digest_of(samples, hashes)


def content_of(path: Path) -> bytes:
    """The bytes of a film's file, unless they are too many for one.

    Raises:
        OSError: it cannot be read.
        DataError: it is too large.
    """
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise DataError(f"it has {size:,} bytes; at most {_MOST_BYTES:,} are read")
    return path.read_bytes()


def digest_of(samples: Sequence[Sample], hashes: Sequence[str]) -> str:
    """The SHA-256 (hex) of ids, labels, patients and file contents, in any order of the samples."""
    lines = [
        f"{sample.image_id}\0{sample.target}\0{sample.patient}\0{found}"
        for sample, found in zip(samples, hashes, strict=True)
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()


@contextmanager
def in_threads(read: Callable[[int], _T], count: int) -> Iterator[Iterator[_T]]:
    """The results in order, read side by side: decoders leave the interpreter to others. Left early, no more is begun."""
    pool = ThreadPoolExecutor(max_workers=min(_MOST_THREADS, processors()), thread_name_prefix="films")
    with quiet_decoders():
        try:
            yield pool.map(read, range(count))
        finally:
            pool.shutdown(cancel_futures=True)
