"""Artifact bytes under a URL, by fsspec (ART.1, ART.4): ``s3://bucket/prefix``, ``gs://…`` and what else it has a client for.

fsspec is no requirement of runstore: each client brings it, and nothing else asks for it.
"""

import io
import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import fsspec

from runstore.artifacts.blobs import Blob, gone, hashed, is_sha256, key_of, sync, translated
from runstore.local.files import CHUNK
from runstore.secrets import Secrets, hide_in_logs, redact_word

_LOGGERS: Final = ("aiohttp", "fsspec", "s3fs", "botocore", "gcsfs", "adlfs", "urllib3")
"""Of packages that may write out a place's URL."""

_CHANGED: Final = ("mtime", "LastModified", "last_modified", "modified", "created")


class RemoteBlobs:
    """Bytes under any URL that fsspec knows (``s3://bucket/prefix``, ``gs://…``)."""

    def __init__(self, root: str) -> None:
        self._root = root
        hide_in_logs(Secrets(*root.split("::")), _LOGGERS)

    def put(self, path: Path) -> Blob:
        """Keeps a copy of a file: written under a temporary name, then moved to the name of its content."""
        with translated(f"keep {path}", self._root):
            files, root = fsspec.url_to_fs(self._root)
            unfinished = f"{root}/unfinished/{uuid.uuid4().hex}"
            files.makedirs(f"{root}/unfinished", exist_ok=True)
            try:
                with files.open(unfinished, "wb") as target:
                    sha256, size = hashed(path, target.write)
                    sync(target)
                final = f"{root}/{key_of(sha256)}"
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
        with translated(f"read {sha256}", self._root):
            files, root = fsspec.url_to_fs(self._root)
            try:
                stored = cast("BinaryIO", files.open(f"{root}/{key_of(sha256)}", "rb"))
            except FileNotFoundError as error:
                raise gone(sha256, self._root) from error
        return cast("BinaryIO", io.BufferedReader(_Stored(stored, sha256, self._root), CHUNK))

    def kept_before(self, moment_us: int) -> Iterable[tuple[str, int]]:
        """What was put last before a moment, by the clock of the place."""
        with translated("list what is kept", self._root):
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
        with translated(f"remove {sha256}", self._root):
            files, root = fsspec.url_to_fs(self._root)
            files.invalidate_cache()
            path = f"{root}/{key_of(sha256)}"
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
        with translated(f"read {self._sha256}", self._root):
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


def _changed_us(files: Any, path: str, info: dict[str, Any]) -> float:
    """When a file was written, in microseconds since 1970 UTC; each kind of place calls it by another name."""
    found = next((info[name] for name in _CHANGED if info.get(name) is not None), None)
    if not isinstance(found, (int, float, datetime)):
        found = files.modified(path)
    return 1e6 * (found.timestamp() if isinstance(found, datetime) else found)
