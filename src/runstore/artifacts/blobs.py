"""Where artifact bytes lie: under their SHA-256, in a folder or in any store that fsspec reaches (ART.1, ART.4).

No name that a user gives ever becomes a path here: names live in the database alone.
"""

import hashlib
import io
import os
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Protocol, cast

from msgspec import Struct

from runstore.errors import ArtifactNotFoundError, RunStoreError, SettingsError, StoreFailureError
from runstore.local.files import CHUNK, chunks_of
from runstore.local.homes import expanded
from runstore.local.left_out import leave_out
from runstore.local.whole_files import unfinished
from runstore.secrets import Secrets, hide_in_logs, redact_word, without_secrets
from runstore.urls import check_place_splits

_CALLED: Final = "the artifacts' folder"

_CLIENTS: Final = ("aiohttp", "fsspec", "s3fs", "botocore", "gcsfs", "adlfs", "urllib3")
"""Whose loggers may write out a place's URL."""


class Blob(Struct, frozen=True, kw_only=True):
    """Bytes that a store keeps: their SHA-256 (hex), size, and where they lie."""

    sha256: str
    size: int
    uri: str


class Blobs(Protocol):
    """A place for bytes. ``put`` returns once they are whole; the same bytes are kept once; safe from any process."""

    def put(self, path: Path) -> Blob:
        """Keeps a copy of a file, as :func:`runstore.local.files.chunks_of` reads it; raises what that raises."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """The bytes as kept, unchecked; raises ArtifactNotFoundError if they are gone."""
        ...


def blobs_at(root: str) -> Blobs:
    """The place that a setting names: a URL that fsspec knows (``s3://bucket/prefix``, ``gs://…``), or a folder."""
    if "://" in root and not root.startswith("file://"):
        return FsspecBlobs(root)
    return LocalBlobs(str(expanded(root.removeprefix("file://"), called=_CALLED)))


def absolute_place(root: str) -> str:
    """A setting's place as it is to be found from any working directory."""
    if root.startswith("file://"):
        return f"file://{expanded(root.removeprefix('file://'), called=_CALLED)}"
    return root if "://" in root else str(expanded(root, called=_CALLED))


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


def hashed(path: Path, take: Callable[[bytes], object] = len) -> tuple[str, int]:
    """The SHA-256 (hex) and size of a file, of which each part is also given to ``take``."""
    return hashed_chunks(chunks_of(path), take)


def hashed_chunks(chunks: Iterable[bytes], take: Callable[[bytes], object] = len) -> tuple[str, int]:
    """The SHA-256 (hex) and size of bytes that come in parts, each of which is also given to ``take``."""
    digest = hashlib.sha256()
    size = 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        take(chunk)
    return digest.hexdigest(), size


class LocalBlobs:
    """Bytes in a folder, which is made when it is first written to. Its path is taken as it is, letter by letter."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = Path(root).absolute()
        self._unfinished = self._root / "unfinished"
        leave_out(self, self._unfinished, "what is being written to the artifacts' folder")

    def put(self, path: Path) -> Blob:
        """Keeps a copy of a file: written under a temporary name, then moved to the name of its content."""
        with _translated(f"keep {path}", str(self._root)):
            self._unfinished.mkdir(parents=True, exist_ok=True)
            with unfinished(self._unfinished / uuid.uuid4().hex) as written:
                with written.open("wb") as target:
                    sha256, size = hashed(path, target.write)
                    _sync(target)
                final = self._root / _key(sha256)
                final.parent.mkdir(parents=True, exist_ok=True)
                written.replace(final)  # also over the same bytes, which may have been damaged since
            return Blob(sha256=sha256, size=size, uri=str(final))

    def open(self, sha256: str) -> BinaryIO:
        """The bytes as kept."""
        with _translated(f"read {sha256}", str(self._root)):
            try:
                return (self._root / _key(sha256)).open("rb")
            except FileNotFoundError as error:
                raise _gone(sha256, str(self._root)) from error


class FsspecBlobs:
    """Bytes under any URL that fsspec knows (``s3://bucket/prefix``, ``gs://…``)."""

    def __init__(self, root: str) -> None:
        self._root = root
        hide_in_logs(Secrets(*root.split("::")), _CLIENTS)

    def put(self, path: Path) -> Blob:
        """Keeps a copy of a file: written under a temporary name, then moved to the name of its content."""
        import fsspec  # noqa: PLC0415 - slow to import, and needed by stores with artifacts only

        with _translated(f"keep {path}", self._root):
            files, root = fsspec.url_to_fs(self._root)
            unfinished = f"{root}/unfinished/{uuid.uuid4().hex}"
            files.makedirs(f"{root}/unfinished", exist_ok=True)
            try:
                with files.open(unfinished, "wb") as target:
                    sha256, size = hashed(path, target.write)
                    _sync(target)
                final = f"{root}/{_key(sha256)}"
                files.makedirs(final.rpartition("/")[0], exist_ok=True)
                _move(files, unfinished, final)
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
                stored = cast("BinaryIO", files.open(f"{root}/{_key(sha256)}", "rb"))
            except FileNotFoundError as error:
                raise _gone(sha256, self._root) from error
        return cast("BinaryIO", io.BufferedReader(_Stored(stored, sha256, self._root), CHUNK))


class _Stored(io.RawIOBase):
    """A stored file whose failures are this package's errors."""

    def __init__(self, stored: BinaryIO, sha256: str, root: str) -> None:
        self._stored = stored
        self._sha256 = sha256
        self._root = root

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _translated(f"read {self._sha256}", self._root):
            chunk = self._stored.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._stored.close()
        super().close()


def _move(files: Any, source: str, target: str) -> None:
    """Moves one file, also over the same bytes, which may have been damaged since.

    Not by ``mv`` where that can be helped: fsspec's own takes ``[``, ``*`` and ``?`` in the place's name for a pattern.
    """
    try:
        files.cp_file(source, target)
    except NotImplementedError:
        files.mv(source, target)
    else:
        files.rm_file(source)


def _sync(target: IO[bytes]) -> None:
    """Forces a local file to disk, so that a record never outlives its bytes; object stores do it on close."""
    target.flush()
    try:
        os.fsync(target.fileno())
    except (AttributeError, OSError, ValueError):
        return


def _key(sha256: str) -> str:
    return f"sha256/{sha256[:2]}/{sha256[2:]}"


def _gone(sha256: str, root: str) -> ArtifactNotFoundError:
    return ArtifactNotFoundError(
        f"the bytes {sha256} are not in {redact_word(root)}; was the folder moved? Set 'artifacts' to its new place"
    )


class _translated:  # noqa: N801 - reads as a word in a with statement
    """Turns an operating system's or a client's error into ours, with what was asked and where."""

    def __init__(self, asked: str, root: str) -> None:
        self._asked = asked
        self._root = root

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, RunStoreError):
            failed = StoreFailureError(
                f"could not {self._asked} in {redact_word(self._root)}: {type(error).__name__}: {error}; "
                "check the place's permissions, space and credentials"
            )
            failed.__cause__ = error
            raise without_secrets(failed, Secrets(*self._root.split("::"))) from failed.__cause__
