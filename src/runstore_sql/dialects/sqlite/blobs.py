"""Artifact bytes beside a SQLite file: in the folder ``runs.db.artifacts``, by the file's real name."""

import os
from collections.abc import Iterable
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

    def kept_before(self, moment_us: int) -> Iterable[tuple[str, int]]:
        """What was put last before a moment. What earlier releases kept elsewhere is left where it is."""
        return self._blobs.kept_before(moment_us)

    def remove(self, sha256: str, *, kept_before_us: int) -> bool:
        """Removes bytes that were put last before a moment."""
        return self._blobs.remove(sha256, kept_before_us=kept_before_us)
