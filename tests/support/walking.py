"""What lies below a folder that somebody else still writes to."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def paths_below(folder: Path) -> list[Path]:
    """Everything below a folder; what another thread removes meanwhile, which ends ``Path.rglob``, may be left out."""
    return [Path(place) / name for place, folders, files in os.walk(folder) for name in (*folders, *files)]


def contents_below(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """The files below a folder and what is in them, but for those that are removed meanwhile."""
    for path in paths_below(folder):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            yield path, path.read_bytes()
