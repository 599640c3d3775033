"""The folder of caches: what lies there, how much it may be, and a file in it, written whole and looked at when it is opened."""

import dataclasses
import hashlib
import json
import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from pneumo_train.config.data import CACHE_VARIABLE, DataConfig
from pneumo_train.images.film import GreyArray
from pneumo_train.images.mapped import MappedPixels
from pneumo_train.images.sketch import SIGNS, Sketches
from runstore.local.whole_files import replacing

_SUFFIX = ".films"
_FORMAT = 1
_HEADER = 4096
_CHUNK = 1 << 20

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CacheFolder:
    """A folder of decoded films, one file for each set of films and size.

    Nobody waits for anybody: two that decode the same films write equal files, of which the last takes the place of the
    other, whole.

    Attributes:
        path: the folder; made at the first need, for its owner alone.
        most_bytes: how much all files may be; those that were not used for longest are removed.
    """

    path: Path
    most_bytes: int

    def files(self) -> list[tuple[Path, int]]:
        """Each file with its size in bytes, the one that was not used for longest first."""
        found: list[tuple[float, Path, int]] = []
        with suppress(OSError):
            for path in self.path.glob(f"*{_SUFFIX}"):
                with suppress(OSError):  # another process removes files, too
                    about = path.stat()
                    found.append((about.st_mtime, path, about.st_size))
        return [(path, size) for _, path, size in sorted(found)]

    def find(self, key: str, *, size: int, rows: npt.NDArray[np.int64]) -> tuple[MappedPixels, Sketches] | None:
        """The films of a key, in the order of ``rows``, and their sketches; ``None`` if they are not there, or not whole."""
        path = self._place(key)
        try:
            with path.open("rb") as file:
                header = json.loads(file.read(_HEADER))
                count = int(header["count"])
                length = count * size * size
                is_whole = (
                    (header["format"], header["key"], header["size"]) == (_FORMAT, key, size)
                    and os.fstat(file.fileno()).st_size == _HEADER + length + count * SIGNS
                    and _digest_of(file) == header["sha256"]
                )
                if not is_whole:
                    raise ValueError("it is damaged")  # noqa: TRY301 - as whatever else may be wrong with it
                file.seek(_HEADER + length)
                sketches = np.frombuffer(file.read(), np.int8).reshape(count, SIGNS)[rows]
            os.utime(path)
            return MappedPixels(path, _HEADER, size, rows), sketches
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("the decoded films in %s are not used, and made anew: %s", path, error)
            return None

    def write(self, key: str, *, size: int, count: int, films: Iterable[tuple[GreyArray, Sketches]]) -> bool:
        """Writes films and their sketches; whether they are there now.

        A disk that fails or is full costs a warning, and leaves nothing; so does an error of the iterator, which comes through.
        """
        needed = self.needed(size=size, count=count)
        if needed > self.most_bytes:
            _log.warning(
                "data.cache_disk_mib = %d: %d films of %d x %d pixels need %d MiB on disk, and are not kept there",
                self.most_bytes >> 20, count, size, size, -(-needed >> 20),
            )  # fmt: skip
            return False
        place = self._place(key)
        digest, sketches = hashlib.sha256(), bytearray()
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            with replacing(place) as partial, partial.open("wb") as file:
                file.write(bytes(_HEADER))
                for film, sketch in films:
                    content = film.tobytes()
                    digest.update(content)
                    sketches += sketch.tobytes()
                    file.write(content)
                digest.update(sketches)
                file.write(sketches)
                header = {"format": _FORMAT, "key": key, "count": count, "size": size, "sha256": digest.hexdigest()}
                file.seek(0)
                file.write(json.dumps(header).encode().ljust(_HEADER))
        except OSError as error:
            _log.warning("decoded films cannot be kept in %s: %s", self.path, error.strerror or error)
            return False
        self.tidy(keep=place)
        return True

    def needed(self, *, size: int, count: int) -> int:
        """How many bytes films need."""
        return _HEADER + count * (size * size + SIGNS)

    def tidy(self, *, keep: Path | None = None) -> None:
        """Removes what was not used for longest until the rest is no more than allowed."""
        files = self.files()
        total = sum(size for _, size in files)
        for path, size in files:
            if total <= self.most_bytes:
                return
            if path != keep:
                with suppress(OSError):  # on Windows nobody removes what another maps
                    path.unlink()
                    total -= size

    def clear(self) -> int:
        """Removes all films; how many bytes they were. What else lies in the folder stays."""
        freed = 0
        for path, size in self.files():
            path.unlink(missing_ok=True)
            freed += size
        return freed

    def _place(self, key: str) -> Path:
        return self.path / f"{key[:32]}{_SUFFIX}"


def _digest_of(file: BinaryIO) -> str:
    """SHA-256 (hex) of what is left to be read."""
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def cache_folder(data: DataConfig) -> CacheFolder | None:
    """Where decoded films are kept, if they are: as the configuration says, else as the variable does."""
    given = data.cache_dir or os.environ.get(CACHE_VARIABLE)
    if not given or not data.cache_disk_mib:
        return None
    return CacheFolder(path=Path(given).expanduser(), most_bytes=data.cache_disk_mib << 20)
