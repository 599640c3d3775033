"""Artifact bytes: content-addressed, whole before they are recorded, checked when they are read (ART.1-7).

No name that a user gives ever becomes a path: bytes lie under their SHA-256, and names live in the database alone.
"""

import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Protocol, cast

from msgspec import Struct

from runstore.checks import check_artifact_name, check_text, check_word, shown
from runstore.config import check_config
from runstore.errors import (
    ArtifactNotFoundError,
    CorruptArtifactError,
    InvalidValueError,
    SettingsError,
    StoreFailureError,
)
from runstore.model import Artifact
from runstore.secrets import Secrets, hide_in_logs, redact_word, without_secrets
from runstore.urls import check_place_splits

CHUNK: Final = 2**20
"""Bytes read or written at a time."""

_CLIENTS: Final = ("aiohttp", "fsspec", "s3fs", "botocore", "gcsfs", "adlfs", "urllib3")
"""Whose loggers may write out a place's URL."""

_IN_MEMORY: Final = 16 * 2**20


class Blob(Struct, frozen=True, kw_only=True):
    """Bytes that a store keeps: their SHA-256 (hex), size, and where they lie."""

    sha256: str
    size: int
    uri: str


class Blobs(Protocol):
    """A place for bytes. ``put`` returns once they are whole; the same bytes are kept once; safe from any process."""

    def put(self, path: Path) -> Blob:
        """Keeps a copy of a file."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """The bytes as kept, unchecked; raises ArtifactNotFoundError if they are gone."""
        ...


def check_place(root: str) -> None:
    """Refuses a place for artifacts that nothing installed here can reach; the place itself is not asked.

    Raises:
        SettingsError: says what to install, that the scheme is unknown, or that a password in it cannot be told.
    """
    if "://" not in root:
        return
    check_place_splits(root)
    import fsspec  # noqa: PLC0415 - slow to import

    for part in root.split("::"):  # fsspec's chains, such as simplecache::s3://bucket
        try:
            fsspec.get_filesystem_class(part.partition("://")[0])
        except (ImportError, ValueError) as error:
            raise SettingsError(
                f"the artifacts' place {redact_word(root)} cannot be reached: {error}; install what it needs, or give another "
                "place in RUNSTORE_ARTIFACTS"
            ) from error


class FsspecBlobs:
    """Bytes under a directory or any URL that fsspec knows (``s3://bucket/prefix``, ``gs://…``)."""

    def __init__(self, root: str) -> None:
        """Opens nothing yet. A root without a scheme is a local directory, made when first written to."""
        self._root = root if "://" in root else str(Path(root).expanduser().absolute())
        hide_in_logs(Secrets(*root.split("::")), _CLIENTS)

    def put(self, path: Path) -> Blob:
        """Keeps a copy of a file: written under a temporary name, then moved to the name of its content."""
        import fsspec  # noqa: PLC0415 - slow to import, and needed by stores with artifacts only

        with _translated(f"keep {path}", self._root):
            files, root = fsspec.url_to_fs(self._root)
            unfinished = f"{root}/unfinished/{uuid.uuid4().hex}"
            files.makedirs(f"{root}/unfinished", exist_ok=True)
            try:
                with path.open("rb") as source, files.open(unfinished, "wb") as target:
                    sha256, size = _copy(source, target)
                    _sync(target)
                final = f"{root}/{_key(sha256)}"
                files.makedirs(final.rpartition("/")[0], exist_ok=True)
                files.mv(unfinished, final)  # also over the same bytes, which may have been damaged since
            except BaseException:
                if files.exists(unfinished):
                    files.rm_file(unfinished)
                raise
            return Blob(
                sha256=sha256, size=size, uri=redact_word(files.unstrip_protocol(final).removeprefix("file://"))
            )

    def open(self, sha256: str) -> BinaryIO:
        """The bytes as kept."""
        import fsspec  # noqa: PLC0415 - as above

        with _translated(f"read {sha256}", self._root):
            files, root = fsspec.url_to_fs(self._root)
            try:
                return cast("BinaryIO", files.open(f"{root}/{_key(sha256)}", "rb"))
            except FileNotFoundError as error:
                raise ArtifactNotFoundError(
                    f"the bytes {sha256} are not in {redact_word(self._root)}; was the folder moved? Set 'artifacts' to its new place"
                ) from error


class ArtifactRequest(Struct, frozen=True, kw_only=True):
    """A checked call of ``log_artifact``, ready to be carried out by a backend.

    Attributes:
        name: the artifact's name; for a directory, what its files' names begin with.
        files: each file with the name it will be recorded under; empty when only the path is recorded.
        uri: the path or URI as given, for ``copy=False``.
    """

    name: str
    artifact_type: str
    metadata: dict[str, Any]
    uri: str
    is_copied: bool
    is_directory: bool
    files: tuple[tuple[Path, str], ...]

    def record(self, run_id: str, blobs: Blobs, *, created_at: datetime) -> Artifact:
        """Keeps the bytes and gives the record (for a directory: with ``parts``) that the backend must now write."""
        if not self.is_copied:
            return self._artifact(run_id, self.name, created_at, uri=self.uri, sha256=None, size=None)
        parts = []
        for path, name in self.files:
            blob = blobs.put(path)
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
            metadata=self.metadata,
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
            metadata=self.metadata,
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
    given = check_text(os.fspath(path), "path")
    base = check_artifact_name(name if name is not None else _default_name(given))
    kind = check_word(artifact_type, "artifact_type")
    details = check_config(metadata or {}, "metadata")
    if not copy:
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
    if place.is_dir():
        files = tuple(_files_below(place, base))
        if not files:
            raise InvalidValueError(f"path {given!r} is a folder without files; there is nothing to log")
    elif place.is_file():
        files = ((place, base),)
    else:
        found = "is neither a file nor a folder" if place.exists() else "does not exist"
        raise InvalidValueError(f"path {given!r} {found}; give a file or a folder, or copy=False to record a URI")
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
        with blobs.open(artifact.sha256) as source:
            sha256, size = _copy(source, aside)
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


def hash_file(path: Path) -> tuple[str, int]:
    """The SHA-256 (hex) and size of a file."""
    with path.open("rb") as source:
        return _copy(source, None)


def _copy(source: IO[bytes], target: IO[bytes] | None) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return digest.hexdigest(), size


def _sync(target: IO[bytes]) -> None:
    """Forces a local file to disk, so that a record never outlives its bytes; object stores do it on close."""
    target.flush()
    try:
        os.fsync(target.fileno())
    except (AttributeError, OSError, ValueError):
        return


def _key(sha256: str) -> str:
    return f"sha256/{sha256[:2]}/{sha256[2:]}"


def _default_name(path: str) -> str:
    return Path(path.rstrip("/")).name or path


def _files_below(folder: Path, base: str) -> list[tuple[Path, str]]:
    found = []
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent) / name
            if not path.is_file():
                raise InvalidValueError(
                    f"{shown(str(path))} is no regular file (a broken link?); remove it or log files"
                )
            inner = path.relative_to(folder).as_posix()
            found.append((path, check_artifact_name(f"{base}/{inner}", f"the name of {str(path)!r}")))
    return found


class _translated:  # noqa: N801 - reads as a word in a with statement
    """Turns an operating system's or a client's error into ours, with what was asked and where."""

    def __init__(self, asked: str, root: str) -> None:
        self._asked = asked
        self._root = root

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, (ArtifactNotFoundError, StoreFailureError)):
            failed = StoreFailureError(
                f"could not {self._asked} in {redact_word(self._root)}: {type(error).__name__}: {error}; "
                "check the place's permissions, space and credentials"
            )
            failed.__cause__ = error
            raise without_secrets(failed, Secrets(*self._root.split("::"))) from failed.__cause__


def copy_out(source: BinaryIO, target: Path) -> None:
    """Writes a stream to a file that appears whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as unfinished:
        try:
            shutil.copyfileobj(source, unfinished, CHUNK)
        except BaseException:
            Path(unfinished.name).unlink()
            raise
    Path(unfinished.name).replace(target)
