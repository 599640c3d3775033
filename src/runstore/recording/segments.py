"""The files of a journal: its segments."""

import os
from pathlib import Path

from runstore.errors import StoreFailureError
from runstore.local.system import open_bytes, write_at
from runstore.recording.frames import FORMAT_VERSION, PREAMBLE_SIZE, preamble, version_of

SUFFIX = ".segment"


class Segment:
    """A stretch of the journal: a file, or memory while the disk refuses."""

    __slots__ = ("base", "fd", "memory", "path", "size", "trimmed")

    def __init__(self, base: int, *, path: Path | None = None, fd: int = -1, size: int = 0) -> None:
        """Begins at the position ``base``."""
        self.base = base
        self.path = path
        self.fd = fd
        self.size = size
        self.memory = bytearray() if path is None else None
        self.trimmed = 0


def new_segment(folder: Path, base: int) -> Segment:
    """A new segment file that begins at a position."""
    path = folder / f"{base:020d}{SUFFIX}"
    fd = open_bytes(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        head = preamble()
        if write_at(fd, head, 0) != len(head):
            raise OSError("the disk is full")  # noqa: TRY301 - the handler closes the file
    except BaseException:
        os.close(fd)
        raise
    return Segment(base, path=path, fd=fd)


def old_segment(path: Path) -> Segment:
    """A segment file that somebody else wrote.

    Raises:
        StoreFailureError: a newer release wrote it, in a format that this one cannot read.
    """
    with path.open("rb") as file:
        version = version_of(file.read(PREAMBLE_SIZE))
    if version is not None and version > FORMAT_VERSION:
        raise StoreFailureError(
            f"the journal {path.parent} has format {version} and this release reads up to {FORMAT_VERSION}; "
            "run `runstore sync` of the newer release"
        )
    return Segment(int(path.stem), path=path, size=max(path.stat().st_size - PREAMBLE_SIZE, 0))


def close_segment(segment: Segment) -> None:
    """Closes a segment's file for writing, if it is open."""
    if segment.fd >= 0:
        os.close(segment.fd)
        segment.fd = -1
