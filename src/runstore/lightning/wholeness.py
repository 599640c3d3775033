"""Whether a checkpoint has been written to its end, and its files on local disk wherever it lies.

With ``AsyncCheckpointIO`` Lightning tells of a checkpoint while a thread still writes it, or before the file is there.
"""

import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import fsspec

_ZIP = b"PK\x03\x04"
_STILL_S = 1.0
"""A file of a format that tells no end, or a folder, is whole when nothing about it has changed for so long."""


class _Look(NamedTuple):
    """A checkpoint as it was at a moment."""

    state: tuple[int, int]
    since: float


class Wholeness:
    """Looks at checkpoints again and again until they are whole."""

    def __init__(self) -> None:
        self._looks: dict[str, _Look] = {}

    def is_whole(self, path: str, *, is_async: bool) -> bool:
        """Whether all of a checkpoint has been written.

        Args:
            path: a file or a folder, local or a URL.
            is_async: whether the trainer writes checkpoints in the background.
        """
        if "://" in path:
            return not is_async or _is_there(path)
        place = Path(path)
        try:
            if place.is_file():
                with place.open("rb") as file:
                    if file.read(len(_ZIP)) == _ZIP:  # what torch.save writes: its table of contents comes last
                        return zipfile.is_zipfile(place)
            elif not place.is_dir():
                return False
            return not is_async or self._is_still(path, place)
        except OSError:
            return False

    def _is_still(self, path: str, place: Path) -> bool:
        files = [file.stat() for file in (place.rglob("*") if place.is_dir() else [place])]
        state = sum(file.st_size for file in files), max((file.st_mtime_ns for file in files), default=0)
        look, now = self._looks.get(path), time.monotonic()
        if look is None or look.state != state:
            self._looks[path] = _Look(state, now)
            return False
        return now - look.since >= _STILL_S


def writes_in_background(trainer: Any) -> bool:
    """Whether the trainer writes checkpoints in the background: its plugin, or one that it wraps, has an executor."""
    plugin = getattr(getattr(trainer, "strategy", None), "checkpoint_io", None)
    while plugin is not None:
        if "Async" in type(plugin).__name__ or hasattr(plugin, "_executor"):
            return True
        plugin = getattr(plugin, "checkpoint_io", None)
    return False


@contextmanager
def on_local_disk(path: str) -> Iterator[Path]:
    """The checkpoint's file or folder on local disk; one that lies elsewhere (``s3://``, ``memory://``) is fetched.

    Raises:
        OSError: it is not there or cannot be read.
    """
    if "://" not in path:
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="runstore-checkpoint-") as folder:
        files, place = fsspec.core.url_to_fs(path)
        target = Path(folder) / file_name(path)
        files.get(place, str(target), recursive=bool(files.isdir(place)))
        yield target


def file_name(path: str) -> str:
    """The last part of a path or URL."""
    return path.rstrip("/").rpartition("/")[2] if "://" in path else Path(path).name


def _is_there(url: str) -> bool:
    files, place = fsspec.core.url_to_fs(url)
    return bool(files.exists(place))
