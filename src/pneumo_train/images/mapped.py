"""Squares of grey that lie in a file: read where they are, and never a part of a process's own memory."""

import mmap
import sys
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt

from pneumo_train.images.film import GreyArray

_MOST_MAPPED = 16 << 20
"""After so many bytes the map is let go: what is read stays in the system's memory, and no longer counts as the process's."""


class MappedPixels:
    """Films in a file, as an array of shape (rows, size, size) of which one is read at a time.

    A copy for another process, as of a worker that prepares batches, is the file's name and no pixels.

    Args:
        path: the file.
        offset: where the first film begins, in bytes.
        size: side of a square, in pixels.
        rows: which film of the file is at which position.
    """

    def __init__(self, path: Path, offset: int, size: int, rows: npt.NDArray[np.int64]) -> None:
        self._path, self._offset, self._size, self._rows = path, offset, size, rows
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._read = 0

    def __len__(self) -> int:
        """The number of films."""
        return len(self._rows)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Films, rows and columns."""
        return len(self._rows), self._size, self._size

    @overload
    def __getitem__(self, index: int) -> GreyArray: ...

    @overload
    def __getitem__(self, index: slice) -> "MappedPixels": ...

    def __getitem__(self, index: int | slice) -> "GreyArray | MappedPixels":
        """A copy of the film at a position, uint8 of shape (size, size); or the films of a slice, still in the file."""
        if isinstance(index, slice):
            return MappedPixels(self._path, self._offset, self._size, self._rows[index])
        length = self._size * self._size
        start = self._offset + int(self._rows[index]) * length
        film = np.frombuffer(self._map[start : start + length], np.uint8).reshape(self._size, self._size)
        self._read += length
        # Windows has no such advice; mypy knows that by this test alone.
        if sys.platform != "win32" and self._read > _MOST_MAPPED and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._read = 0
        return film

    def __reduce__(self) -> tuple[type["MappedPixels"], tuple[Path, int, int, npt.NDArray[np.int64]]]:
        """The file's name instead of its content."""
        return MappedPixels, (self._path, self._offset, self._size, self._rows)
