"""Bytes that are checked when they are read (ART.1)."""

import tempfile
from typing import BinaryIO, Final, cast

from runstore.artifacts.blobs import Blobs, hashed_chunks
from runstore.errors import ArtifactNotFoundError, CorruptArtifactError, RunStoreError, StoreFailureError
from runstore.local.files import CHUNK
from runstore.model import Artifact
from runstore.secrets import redact_word

_IN_MEMORY: Final = 16 * 2**20


def open_verified(artifact: Artifact, blobs: Blobs) -> BinaryIO:
    """The bytes of a record at position 0, copied aside and checked against its SHA-256 and size (ART.1).

    Raises:
        ArtifactNotFoundError: the store does not keep the bytes, or no longer has them.
        CorruptArtifactError: the bytes are not those recorded.
    """
    if not artifact.is_stored or artifact.sha256 is None:
        raise ArtifactNotFoundError(
            f"artifact {artifact.name!r} of run {artifact.run_id!r} was recorded with copy=False: "
            f"the store keeps no bytes; look at {redact_word(artifact.uri)}"
        )
    aside = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - the caller closes it
    try:
        sha256, size = _copy(artifact, blobs, aside)
        if (sha256, size) != (artifact.sha256, artifact.size):
            raise CorruptArtifactError(  # noqa: TRY301 - the file aside is closed here, too
                f"artifact {artifact.name!r} of run {artifact.run_id!r} should be {artifact.size} bytes of SHA-256 "
                f"{artifact.sha256}, but {size} bytes of {sha256} were read; restore {redact_word(artifact.uri)} from a backup"
            )
    except BaseException:
        aside.close()
        raise
    aside.seek(0)
    return aside


def _copy(artifact: Artifact, blobs: Blobs, aside: BinaryIO) -> tuple[str, int]:
    try:
        with blobs.open(artifact.sha256 or "") as source:
            return hashed_chunks(iter(lambda: source.read(CHUNK), b""), aside.write)
    except RunStoreError:
        raise
    except OSError as error:  # the disk that has the bytes, or the one with the temporary files
        raise StoreFailureError(
            f"could not read artifact {artifact.name!r} of run {artifact.run_id!r}: {error}; check that its place can be "
            f"read, and the room in {tempfile.gettempdir()}"
        ) from error
