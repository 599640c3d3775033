"""The bytes of artifacts in an export: each once, by its SHA-256, whatever the artifacts are called."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from runstore.artifacts import hashed_chunks
from runstore.errors import ArtifactNotFoundError, StoreFailureError
from runstore.local.files import CHUNK
from runstore.moving import ArrivingFile
from runstore.moving.layout import file_of_bytes


class KeptBytes:
    """Writes bytes below a folder.

    Attributes:
        bytes: how many were written.
    """

    def __init__(self, folder: Path, *, with_bytes: bool) -> None:
        """Writes nothing yet, and never anything without ``with_bytes``."""
        self._folder = folder
        self._with_bytes = with_bytes
        self.bytes = 0

    def keep(self, run_id: str, file: ArrivingFile) -> str | None:
        """Where the bytes of a file lie below the folder; ``None`` if they are not kept.

        Raises:
            StoreFailureError: the store no longer has them, or has others.
        """
        if file.open is None or file.sha256 is None or not self._with_bytes:
            return None
        name = file_of_bytes(file.sha256)
        target = self._folder / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with file.open() as source, target.open("xb") as written:
                    _, size = hashed_chunks(_chunks(source), written.write)
            except (ArtifactNotFoundError, StoreFailureError) as error:
                raise StoreFailureError(
                    f"the bytes of artifact {file.name!r} of run {run_id!r} cannot be exported: {error}; or export without "
                    "bytes (--no-bytes)"
                ) from error
            self.bytes += size
        return name


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while chunk := source.read(CHUNK):
        yield chunk
