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


def found_below(folder: Path, pattern: str) -> list[Path]:
    """What below a folder matches a pattern such as ``journals/*/*/writer.lock``, as ``Path.glob`` would find it.

    A folder that another thread removes meanwhile ends ``Path.glob``; here it holds nothing.
    """
    parts = len(Path(pattern).parts)
    found = (path.relative_to(folder) for path in paths_below(folder))
    return sorted(folder / path for path in found if len(path.parts) == parts and path.match(pattern))
