"""The bytes of artifacts in an export: each once, by its SHA-256, whatever the artifacts are called."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from runstore.artifacts import hashed_chunks
from runstore.errors import ArtifactNotFoundError, CorruptArtifactError, StoreFailureError
from runstore.local.files import CHUNK
from runstore.local.whole_files import replacing
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

    def keep(self, run_id: str, file: ArrivingFile) -> tuple[ArrivingFile, str | None]:
        """A file, and where its bytes lie below the folder; ``None`` if they are not kept.

        One that its run has replaced meanwhile comes as it is now.

        Raises:
            StoreFailureError: the store no longer has the bytes, or has others.
        """
        if file.open is None or file.sha256 is None or not self._with_bytes:
            return file, None
        try:
            try:
                return file, self._written(file, file.open, file.sha256)
            except CorruptArtifactError:
                newer = file.replaced()
                if newer is None:
                    raise
                if newer.open is None or newer.sha256 is None:
                    return newer, None
                return newer, self._written(newer, newer.open, newer.sha256)
        except (ArtifactNotFoundError, StoreFailureError) as error:
            raise StoreFailureError(
                f"the bytes of artifact {file.name!r} of run {run_id!r} cannot be exported: {error}; or export without "
                "bytes (--no-bytes)"
            ) from error

    def _written(self, file: ArrivingFile, give: Callable[[], BinaryIO], sha256: str) -> str:
        name = file_of_bytes(sha256)
        target = self._folder / name
        if target.exists():
            return name
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as aside:
            with give() as source, aside.open("xb") as written:
                found, size = hashed_chunks(_chunks(source), written.write)
            if found != sha256:
                raise CorruptArtifactError(
                    f"artifact {file.name!r} should have SHA-256 {sha256}, but bytes of {found} were read; try again"
                )
        self.bytes += size
        return name


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while chunk := source.read(CHUNK):
        yield chunk
