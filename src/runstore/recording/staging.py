"""Artifact bytes that wait: copied aside before ``log_artifact`` returns, so that the original may change or vanish.

A copy, and not a hard link: a link shares the original's bytes, and a file that is written over in place (as
``torch.save`` does) would change under it.
"""

import contextlib
import errno
import os
import shutil
from pathlib import Path
from typing import BinaryIO

from runstore.artifacts import ArtifactRequest, Blob, records_of
from runstore.artifacts.blobs import hashed
from runstore.errors import StoreFailureError, StoreFullError
from runstore.local.files import CHUNK
from runstore.local.system import keep
from runstore.model import Artifact
from runstore.recording.records import StagedFile
from runstore.values.ids import time_ordered_id

_ZEROS = bytes(CHUNK)


class StagedBlobs:
    """A :class:`runstore.artifacts.blobs.Intake` for one call, which copies files into a folder of its own.

    Raises:
        StoreFailureError: the place of the journals has no room for the copy, or cannot be written.
    """

    def __init__(self, staging: Path, request: ArtifactRequest) -> None:
        """Touches nothing yet."""
        self.folder = staging / time_ordered_id()
        self._root = Path(request.uri).absolute()
        # Not the path's own name: of "..", that would be a folder that holds this one.
        self.staged = self.folder / "bytes"

    def put(self, path: Path) -> Blob:
        """Copies a file below the request's path to its place in the folder."""
        target = self.staged / path.absolute().relative_to(self._root)  # the file itself: relative to itself is "."
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as copy:
                sha256, size = hashed(path, lambda chunk: _write(copy, chunk))
                copy.truncate(size)
                copy.flush()
                keep(copy.fileno())
        except OSError as error:
            raise _no_room(path, self.folder, error) from error
        return Blob(sha256=sha256, size=size, uri=str(target))

    def files_of(self, staged: Artifact) -> list[StagedFile]:
        """What was staged, as the journal keeps it, of the record that came of it."""
        return [
            StagedFile(os.path.relpath(part.uri, self.staged), part.name, part.sha256)
            for part in records_of(staged)
            if part.sha256 is not None
        ]

    def discard(self) -> None:
        """Removes what was staged."""
        shutil.rmtree(self.folder, ignore_errors=True)


class KeptStages:
    """Folders of staged bytes that the store has taken, kept for as long as there is room, should it forget them."""

    def __init__(self) -> None:
        """Keeps none yet."""
        self._sizes: dict[Path, int] = {}
        self._bytes = 0

    def add(self, path: Path) -> None:
        """One more, which nobody needs for the first time any more."""
        size = 0
        with contextlib.suppress(OSError):
            files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
            size = sum(each.stat().st_size for each in files)
        self._bytes += size - self._sizes.pop(path, 0)
        self._sizes[path] = size

    def keep(self, most: int) -> None:
        """Removes the oldest ones beyond so many bytes; with 0 all."""
        while self._sizes and (self._bytes > most or not most):
            path = next(iter(self._sizes))
            self._bytes -= self._sizes.pop(path)
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()


def _write(copy: BinaryIO, chunk: bytes) -> None:
    """Writes a part; one of zeros becomes a hole, so that a sparse file takes no more room here than there."""
    if chunk == _ZEROS[: len(chunk)]:
        copy.seek(len(chunk), os.SEEK_CUR)
    else:
        copy.write(chunk)


def _no_room(path: Path, folder: Path, error: OSError) -> StoreFailureError:
    kind = StoreFullError if error.errno in {errno.ENOSPC, errno.EDQUOT} else StoreFailureError
    return kind(
        f"could not copy {str(path)!r} aside to {folder}: {error.strerror}; nothing was logged; make room there, or set "
        "RUNSTORE_STATE_DIR to a place that has it"
    )
