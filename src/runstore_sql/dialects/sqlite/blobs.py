"""Artifact bytes beside a SQLite file: in the folder ``runs.db.artifacts``, by the file's real name."""

import os
from pathlib import Path
from typing import BinaryIO

from runstore.artifacts import Blob, LocalBlobs
from runstore.errors import ArtifactNotFoundError


class BlobsBeside:
    """Bytes beside a file, which is the same for whoever reaches it by a link.

    Earlier releases kept them beside the link, and before a ``::`` in the path; there they are still found.
    """

    def __init__(self, path: Path) -> None:
        self._blobs = LocalBlobs(f"{os.path.realpath(path)}.artifacts")
        before, mark, _ = str(path).partition("::")
        self._earlier = [LocalBlobs(root) for root in (f"{path}.artifacts", *([before] if mark else []))]

    def put(self, path: Path) -> Blob:
        """Keeps a copy of a file."""
        return self._blobs.put(path)

    def open(self, sha256: str) -> BinaryIO:
        """The bytes as kept."""
        try:
            return self._blobs.open(sha256)
        except ArtifactNotFoundError:
            for blobs in self._earlier:
                try:
                    return blobs.open(sha256)
                except ArtifactNotFoundError:
                    continue
            raise
