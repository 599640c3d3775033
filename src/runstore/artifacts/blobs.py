"""Where artifact bytes lie: under their SHA-256, in a folder or, see :mod:`.remote`, under a URL (ART.1, ART.4).

No name that a user gives ever becomes a path here: names live in the database alone.
"""

import hashlib
import os
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, BinaryIO, Final, Protocol

from msgspec import Struct

from runstore.errors import ArtifactNotFoundError, RunStoreError, StoreFailureError
from runstore.local.files import chunks_of
from runstore.local.left_out import leave_out
from runstore.local.system import put_in_place
from runstore.local.whole_files import unfinished
from runstore.secrets import Secrets, redact_word, without_secrets

_ANY_KEY: Final = "sha256/??/*"
_HEX: Final = frozenset("0123456789abcdef")
_HEX_DIGITS: Final = 64


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
        with translated(f"keep {path}", str(self._root)):
            self._unfinished.mkdir(parents=True, exist_ok=True)
            with unfinished(self._unfinished / uuid.uuid4().hex) as written:
                with written.open("wb") as target:
                    sha256, size = hashed(path, target.write)
                    sync(target)
                final = self._root / key_of(sha256)
                final.parent.mkdir(parents=True, exist_ok=True)
                put_in_place(written, final)  # also over the same bytes, which may have been damaged since
            return Blob(sha256=sha256, size=size, uri=str(final))

    def open(self, sha256: str) -> BinaryIO:
        """The bytes as kept."""
        with translated(f"read {sha256}", str(self._root)):
            try:
                return (self._root / key_of(sha256)).open("rb")
            except FileNotFoundError as error:
                raise gone(sha256, str(self._root)) from error

    def kept_before(self, moment_us: int) -> Iterable[tuple[str, int]]:
        """What was put last before a moment."""
        with translated("list what is kept", str(self._root)):
            for path in sorted(self._root.glob(_ANY_KEY)):
                sha256, found = path.parent.name + path.name, _status(path)
                if found is not None and is_sha256(sha256) and found.st_mtime_ns < moment_us * 1000:
                    yield sha256, found.st_size

    def remove(self, sha256: str, *, kept_before_us: int) -> bool:
        """Removes bytes that were put last before a moment.

        They are moved aside and looked at again: who puts them meanwhile either comes before and is seen by their time,
        or comes after and makes a file of his own.
        """
        with translated(f"remove {sha256}", str(self._root)):
            kept, aside = self._root / key_of(sha256), self._unfinished / uuid.uuid4().hex
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


def sync(target: IO[bytes]) -> None:
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


def key_of(sha256: str) -> str:
    """Where bytes lie under the root of their place."""
    return f"sha256/{sha256[:2]}/{sha256[2:]}"


def gone(sha256: str, root: str) -> ArtifactNotFoundError:
    """The error for bytes that are not in their place any more."""
    return ArtifactNotFoundError(
        f"the bytes {sha256} are not in {redact_word(root)}; was the folder moved? Give its new place in RUNSTORE_ARTIFACTS, or "
        "as artifacts in runstore.toml"
    )


class translated:  # noqa: N801 - reads as a word in a with statement
    """Turns an operating system's or a client's error into ours, with what was asked and where."""

    def __init__(self, asked: str, root: str) -> None:
        self._asked = asked
        self._root = root

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raises ours in place of theirs."""
        if isinstance(error, Exception) and not isinstance(error, RunStoreError):
            failed = StoreFailureError(
                f"could not {self._asked} in {redact_word(self._root)}: {type(error).__name__}: {error}; "
                "check the place's permissions, space and credentials"
            )
            failed.__cause__ = error
            raise without_secrets(failed, Secrets(*self._root.split("::"))) from failed.__cause__
