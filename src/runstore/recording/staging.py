"""Artifact bytes that wait: copied aside before ``log_artifact`` returns, so that the original may change or vanish.

A copy, and not a hard link: a link shares the original's bytes, and a file that is written over in place (as
``torch.save`` does) would change under it. File systems that can share blocks between copies (btrfs, XFS) do so.
"""

import hashlib
import os
import shutil
from pathlib import Path
from typing import BinaryIO

from runstore.artifacts import ArtifactRequest, Blob
from runstore.ids import time_ordered_id

_CHUNK = 2**20


class StagedBlobs:
    """A :class:`runstore.artifacts.Blobs` for one call, which copies files into a folder of its own."""

    def __init__(self, staging: Path, request: ArtifactRequest) -> None:
        """Makes the folder."""
        self.folder = staging / time_ordered_id()
        self.folder.mkdir(parents=True, mode=0o700)
        self._root = Path(request.uri).absolute()
        self.staged = self.folder / (self._root.name or "root")

    def put(self, path: Path) -> Blob:
        """Copies a file below the request's path to its place in the folder."""
        target = self.staged / path.absolute().relative_to(self._root)  # the file itself: relative to itself is "."
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        size = 0
        with path.open("rb") as source, target.open("wb") as copy:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                copy.write(chunk)
                size += len(chunk)
            copy.flush()
            os.fdatasync(copy.fileno())
        return Blob(sha256=digest.hexdigest(), size=size, uri=str(target))

    def open(self, sha256: str) -> BinaryIO:
        """Staged bytes are read by the drain alone, by their path."""
        raise NotImplementedError(sha256)

    def discard(self) -> None:
        """Removes what was staged."""
        shutil.rmtree(self.folder, ignore_errors=True)
