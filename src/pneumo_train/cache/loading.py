"""Films out of the cache, or decoded into it; where neither can be, in memory as ever."""

import hashlib
import importlib.metadata
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from pneumo_train import images
from pneumo_train.cache.folder import CacheFolder
from pneumo_train.errors import DataError
from pneumo_train.images.film import GreyArray, check_film, read_film
from pneumo_train.images.films import Films, content_of, digest_of, in_threads, load_films
from pneumo_train.images.sketch import Sketches, sketch_of
from pneumo_train.samples import Sample
from pneumo_train.terminal import Track

_DECODERS = (
    "pillow", "numpy", "pydicom", "pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "python-gdcm",
)  # fmt: skip
"""Another version of one of these may decode a film to other pixels."""


def load_cached(
    samples: Sequence[Sample], *, size: int, cache_mib: int, folder: CacheFolder | None, track: Track = iter
) -> tuple[Films, str]:
    """As :func:`pneumo_train.images.load_films`, which decodes; but each film once for all trainings that have a folder in common.

    Every file is read and hashed each time. A film is known by its content, so one that was changed is decoded anew.

    Args:
        samples: what to read.
        size: side of the square, in pixels.
        cache_mib: how much memory the decoded images may take where they cannot be kept on disk.
        folder: of decoded films; ``None`` for none.
        track: wraps the iteration, for a progress bar.

    Raises:
        UnreadableError: names the images that cannot be read, and how many there are.
    """
    if folder is not None:
        # Of an error the plain way tells all that there is to tell.
        with suppress(DataError):
            found = _from_folder(samples, size, folder, track)
            if found is not None:
                return found, digest_of(samples, found.hashes)
    return load_films(samples, size=size, cache_mib=cache_mib, track=track)


def _from_folder(samples: Sequence[Sample], size: int, folder: CacheFolder, track: Track) -> Films | None:
    with in_threads(lambda index: _hash_of(samples[index].path), len(samples)) as results:
        hashes = tuple(results)
    contents = sorted(set(hashes))
    places = {content: place for place, content in enumerate(contents)}
    rows = np.array([places[content] for content in hashes], np.int64)
    key = key_of(contents, size)
    found = folder.find(key, size=size, rows=rows)
    if found is None:
        paths = {content: sample.path for sample, content in zip(samples, hashes, strict=True)}
        with in_threads(lambda index: _decoded(paths[contents[index]], contents[index], size), len(contents)) as films:
            pairs = (film for _, film in zip(track(contents), films, strict=True))
            if not folder.write(key, size=size, count=len(contents), films=pairs):
                return None
        found = folder.find(key, size=size, rows=rows)
    if found is None:
        return None
    pixels, sketches = found
    return Films(samples=tuple(samples), size=size, pixels=pixels, hashes=hashes, sketches=sketches)


def key_of(contents: Sequence[str], size: int) -> str:
    """SHA-256 (hex) of all that decoded films depend on: the files, the size, and what decodes them.

    Args:
        contents: the SHA-256 (hex) of each file, in order.
        size: side of the square, in pixels.
    """
    code = [path.read_text(encoding="utf-8") for path in sorted(Path(images.__file__).parent.glob("*.py"))]
    about = {
        "size": size,
        "code": code,
        "versions": [_version_of(name) for name in _DECODERS],
        "contents": list(contents),
    }
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()


def _version_of(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _hash_of(path: Path) -> str:
    return hashlib.sha256(_content(path)).hexdigest()


def _decoded(path: Path, content: str, size: int) -> tuple[GreyArray, Sketches]:
    data = _content(path)
    if hashlib.sha256(data).hexdigest() != content:
        raise DataError(f"{path}: it was changed while it was read")
    check_film(data)
    film = read_film(data, size=size)
    return film, sketch_of(film)


def _content(path: Path) -> bytes:
    try:
        return content_of(path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
