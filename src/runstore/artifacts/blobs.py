"""Where artifact bytes lie: under their SHA-256, in a folder or in any store that fsspec reaches (ART.1, ART.4).

No name that a user gives ever becomes a path here: names live in the database alone.
"""

import hashlib
import io
import os
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Protocol, cast

from msgspec import Struct

from runstore.errors import ArtifactNotFoundError, RunStoreError, SettingsError, StoreFailureError
from runstore.local.files import CHUNK, chunks_of
from runstore.local.homes import expanded
from runstore.local.left_out import leave_out
from runstore.local.system import put_in_place
from runstore.local.whole_files import unfinished
from runstore.secrets import Secrets, hide_in_logs, redact_word, without_secrets
from runstore.urls import check_place_splits

_CALLED: Final = "the artifacts' folder"

_CLIENTS: Final = ("aiohttp", "fsspec", "s3fs", "botocore", "gcsfs", "adlfs", "urllib3")
"""Whose loggers may write out a place's URL."""


_ANY_KEY: Final = "sha256/??/*"
_HEX: Final = frozenset("0123456789abcdef")
_HEX_DIGITS: Final = 64
_CHANGED: Final = ("mtime", "LastModified", "last_modified", "modified", "created")


class Blob(Struct, frozen=True, kw_only=True):
    """Bytes that a store keeps: their SHA-256 (hex), size, and where they lie."""

    sha256: str
    size: int
    uri: str


class Intake(Protocol):
    """What takes bytes."""

    def put(self, path: Path) -> Blob:
        """Keeps a copy of a file, as :func:`runstore.local.files.chunks_of` reads it; raises what that raises."""
        ...


class Blobs(Intake, Protocol):
    """A place for bytes. ``put`` returns once they are whole; the same bytes are kept once; safe from any process.

    Bytes are put first and their record is written last, so what has no record is removed only when it was put long
    ago. Bytes that are put again are as young as new ones.
    """

    def kept_before(self, moment_us: int) -> Iterable[tuple[str, int]]:
        """SHA-256 (hex) and size of what was put last before a moment, in microseconds since 1970 UTC."""
        ...

    def remove(self, sha256: str, *, kept_before_us: int) -> bool:
        """Removes bytes that were put last before a moment; whether it did. Those that were put since stay."""
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
                put_in_place(written, final)  # also over the same bytes, which may have been damaged since
            return Blob(sha256=sha256, size=size, uri=str(final))

    def open(self, sha256: str) -> BinaryIO:
        """The bytes as kept."""
        with _translated(f"read {sha256}", str(self._root)):
            try:
                return (self._root / _key(sha256)).open("rb")
            except FileNotFoundError as error:
                raise _gone(sha256, str(self._root)) from error

    def kept_before(self, moment_us: int) -> Iterable[tuple[str, int]]:
        """What was put last before a moment."""
        with _translated("list what is kept", str(self._root)):
            for path in sorted(self._root.glob(_ANY_KEY)):
                sha256, found = path.parent.name + path.name, _status(path)
                if found is not None and is_sha256(sha256) and found.st_mtime_ns < moment_us * 1000:
                    yield sha256, found.st_size

    def remove(self, sha256: str, *, kept_before_us: int) -> bool:
        """Removes bytes that were put last before a moment.

        They are moved aside and looked at again: who puts them meanwhile either comes before and is seen by their time,
        or comes after and makes a file of his own.
        """
        with _translated(f"remove {sha256}", str(self._root)):
            kept, aside = self._root / _key(sha256), self._unfinished / uuid.uuid4().hex
            if not _is_older(kept, kept_before_us):
                return False
            self._unfinished.mkdir(parents=True, exist_ok=True)
            try:
                kept.rename(aside)
            except FileNotFoundError:
                return False
            if not _is_older(aside, kept_before_us):
                aside.replace(kept)
                return False
            aside.unlink()
            return True


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

    def kept_before(self, moment_us: int) -> Iterable[tuple[str, int]]:
        """What was put last before a moment, by the clock of the place."""
        import fsspec  # noqa: PLC0415 - as above

        with _translated("list what is kept", self._root):
            files, root = fsspec.url_to_fs(self._root)
            files.invalidate_cache()
            try:
                found = files.find(f"{root}/sha256", detail=True)
            except FileNotFoundError:
                return
            for path, info in sorted(found.items()):
                sha256 = "".join(path.rsplit("/", 2)[-2:])
                if is_sha256(sha256) and _changed_us(files, path, info) < moment_us:
                    yield sha256, info["size"]

    def remove(self, sha256: str, *, kept_before_us: int) -> bool:
        """Removes bytes that were put last before a moment.

        No place knows a removal with a condition: bytes that are put again within the milliseconds between the look at
        their time and the removal are lost.
        """
        import fsspec  # noqa: PLC0415 - as above

        with _translated(f"remove {sha256}", self._root):
            files, root = fsspec.url_to_fs(self._root)
            files.invalidate_cache()
            path = f"{root}/{_key(sha256)}"
            try:
                if _changed_us(files, path, files.info(path)) >= kept_before_us:
                    return False
                files.rm_file(path)
            except FileNotFoundError:
                return False
            return True


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


def is_sha256(name: str) -> bool:
    """Whether a name is a SHA-256 as files are named by: other files are none of ours."""
    return len(name) == _HEX_DIGITS and set(name) <= _HEX


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _is_older(path: Path, moment_us: int) -> bool:
    found = _status(path)
    return found is not None and found.st_mtime_ns < moment_us * 1000


def _changed_us(files: Any, path: str, info: dict[str, Any]) -> float:
    """When a file was written, in microseconds since 1970 UTC; each kind of place calls it by another name."""
    found = next((info[name] for name in _CHANGED if info.get(name) is not None), None)
    if not isinstance(found, (int, float, datetime)):
        found = files.modified(path)
    return 1e6 * (found.timestamp() if isinstance(found, datetime) else found)


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
