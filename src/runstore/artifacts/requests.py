"""Artifacts: bytes that are whole before they are recorded, and checked when they are read (ART.1-7).

Which local files a call means is told by :mod:`runstore.local.files`, where the bytes lie by :mod:`runstore.artifacts.blobs`.
"""

import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec import Struct

from runstore.artifacts.blobs import Intake
from runstore.errors import CorruptArtifactError, InvalidValueError
from runstore.local.files import files_of
from runstore.model import Artifact
from runstore.values.checks import check_artifact_name, check_flag, check_text, check_word, shown
from runstore.values.config import ConfigDocument

_URL_OPTIONS: Final = re.compile(r"[?#][^=]*=.*", re.DOTALL)
_IN_MEMORY: Final = 16 * 2**20


class ArtifactFile(NamedTuple):
    """A file to be kept.

    Attributes:
        path: where it lies.
        name: the name that it will be recorded under.
        sha256: of its bytes, where they are known before they are read.
    """

    path: Path
    name: str
    sha256: str | None = None


class ArtifactRequest(Struct, frozen=True, kw_only=True):
    """A checked call of ``log_artifact``, ready to be carried out by a backend.

    Attributes:
        name: the artifact's name; for a directory, what its files' names begin with.
        files: none when only the path is recorded.
        uri: the path or URI as given, for ``copy=False``.
    """

    name: str
    artifact_type: str
    metadata: ConfigDocument
    uri: str
    is_copied: bool
    is_directory: bool
    files: tuple[ArtifactFile, ...]

    def record(self, run_id: str, blobs: Intake, *, created_at: datetime) -> Artifact:
        """Keeps the bytes and gives the record (for a directory: with ``parts``) that the backend must now write.

        Raises:
            CorruptArtifactError: a file's bytes are not those that it was known to have.
        """
        if not self.is_copied:
            return self._artifact(run_id, self.name, created_at, uri=self.uri, sha256=None, size=None)
        parts = []
        for path, name, sha256 in self.files:
            blob = blobs.put(path)
            if sha256 not in {None, blob.sha256}:
                raise CorruptArtifactError(
                    f"the file {str(path)!r} was to be logged as {name!r} with SHA-256 {sha256}, but has {blob.sha256}: "
                    "it was changed meanwhile; log it again"
                )
            parts.append(
                self._artifact(run_id, name, created_at, uri=blob.uri, sha256=blob.sha256, size=blob.size, stored=True)
            )
        if not self.is_directory:
            return parts[0]
        return Artifact(
            run_id=run_id,
            name=self.name,
            artifact_type=self.artifact_type,
            uri=self.uri,
            sha256=None,
            size=sum(part.size or 0 for part in parts),
            is_stored=True,
            created_at=created_at,
            metadata=self.metadata.values,
            parts=tuple(parts),
        )

    def _artifact(  # noqa: PLR0913 - the columns of a record
        self,
        run_id: str,
        name: str,
        created_at: datetime,
        *,
        uri: str,
        sha256: str | None,
        size: int | None,
        stored: bool = False,
    ) -> Artifact:
        return Artifact(
            run_id=run_id,
            name=name,
            artifact_type=self.artifact_type,
            uri=uri,
            sha256=sha256,
            size=size,
            is_stored=stored,
            created_at=created_at,
            metadata=self.metadata.values,
        )


def check_artifact(
    path: str | os.PathLike[str],
    *,
    name: str | None,
    artifact_type: str,
    copy: bool,
    metadata: Mapping[str, Any] | None,
) -> ArtifactRequest:
    """The checked form of a call of ``log_artifact``; reads names and folders, no bytes.

    Raises:
        InvalidValueError: a bad name, type or metadata; a path that is missing, unreadable or no regular file.
    """
    given = _checked_path(path)
    base = check_artifact_name(name if name is not None else _default_name(given))
    kind = check_word(artifact_type, "artifact_type")
    details = ConfigDocument.checked({} if metadata is None else metadata, "metadata")
    if not check_flag(copy, "copy"):
        return ArtifactRequest(
            name=base,
            artifact_type=kind,
            metadata=details,
            uri=given,
            is_copied=False,
            is_directory=False,
            files=(),
        )
    place = Path(given)
    files = tuple(ArtifactFile(*found) for found in files_of(place, base))
    return ArtifactRequest(
        name=base,
        artifact_type=kind,
        metadata=details,
        uri=given,
        is_copied=True,
        is_directory=place.is_dir(),
        files=files,
    )


def records_of(artifact: Artifact) -> tuple[Artifact, ...]:
    """The records to write for what :meth:`ArtifactRequest.record` gave: a directory's files, or the one record."""
    return artifact.parts or (artifact,)


def _checked_path(path: object) -> str:
    try:
        given = os.fspath(path)  # type: ignore[call-overload]  # refused below, in words
    except TypeError:
        given = path
    if not isinstance(given, str):
        raise InvalidValueError(f"path is {shown(path)} of type {type(path).__name__}; give a str or a Path")
    if not given:
        raise InvalidValueError("path is empty; give a file or a folder, or '.' for this one")
    return check_text(given, "path")


def _default_name(path: str) -> str:
    """The last name of a path or URI: of ``.`` and ``..``, that of the folder that they stand for.

    The options and the user of a URL are no part of a name, for they may hold a password or a signature.
    """
    if "://" in path:
        place = _URL_OPTIONS.sub("", path.partition("://")[2]).rstrip("/")
        host, slash, inner = place.partition("/")
        return (inner.rpartition("/")[2] if slash else host.rpartition("@")[2]) or path.partition("://")[0]
    name = Path(path.rstrip("/")).name
    return Path(os.path.abspath(path)).name if name in {"", ".", ".."} else name or path  # noqa: PTH100 - links are left as they are
