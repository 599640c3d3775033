"""Artifact bytes in GridFS, kept once and found by their SHA-256."""

import tempfile
from collections.abc import Iterable
from contextlib import suppress
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

from bson import ObjectId
from gridfs import GridFSBucket, GridOut
from gridfs.errors import CorruptGridFile, NoFile

from runstore.artifacts import Blob, hashed, hashed_chunks
from runstore.errors import ArtifactNotFoundError, CorruptArtifactError, InvalidValueError, StoreFailureError
from runstore.local.files import CHUNK
from runstore.model import from_microseconds
from runstore_mongo.connection import Connection
from runstore_mongo.documents.names import BLOBS


class GridFSBlobs:
    """Bytes in the same database; a file is visible in GridFS only once its last chunk is there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, path: Path) -> Blob:
        """Keeps a copy of a file, unless the same bytes are here already; those that were damaged since are replaced.

        GridFS wants the name, which is the SHA-256, before the bytes: the file is read twice. One that changes
        between the two, such as a log that is being written, is copied aside first, and the copy is kept.
        """
        blob = self._kept(path)
        if blob is None:
            blob = self._kept_by_copy(path)
        if blob is None:
            raise StoreFailureError(
                f"the bytes of {path} changed on their way to {self._connection.shown}; log it again"
            )
        return blob

    def _kept_by_copy(self, path: Path) -> Blob | None:
        try:
            with tempfile.NamedTemporaryFile() as aside:
                hashed(path, aside.write)
                aside.flush()
                return self._kept(Path(aside.name))
        except OSError as error:
            raise StoreFailureError(
                f"could not copy {path} to {tempfile.gettempdir()}: {error}; make room there, or set TMPDIR"
            ) from error

    def _kept(self, path: Path) -> Blob | None:
        sha256, size = hashed(path)
        if not self._connection.call(f"keep {path}", lambda: self._put(path, sha256, size)):
            return None
        return Blob(sha256=sha256, size=size, uri=f"gridfs:{BLOBS}/{sha256}")

    def open(self, sha256: str) -> BinaryIO:
        """The bytes as kept."""

        def found() -> GridOut | None:
            files = self._bucket().find({"filename": sha256}).sort("_id", 1).limit(1)
            return cast("GridOut | None", next(iter(files), None))

        file = self._connection.call(f"read {sha256}", found)
        if file is None:
            raise ArtifactNotFoundError(
                f"the bytes {sha256} are not in GridFS bucket {BLOBS} of {self._connection.shown}; "
                "were they kept elsewhere? Give that place in RUNSTORE_ARTIFACTS, or as artifacts in runstore.toml"
            )
        return cast("BinaryIO", BufferedReader(_Stream(self._connection, file, sha256), CHUNK))

    def kept_before(self, moment_us: int) -> Iterable[tuple[str, int]]:
        """What was put last before a moment."""
        is_old = {"uploadDate": {"$lt": from_microseconds(moment_us)}}
        files = self._connection.collection(f"{BLOBS}.files")
        found = self._connection.call("list what is kept", lambda: list(files.find(is_old)))
        return [(file["filename"], file["length"]) for file in found]

    def remove(self, sha256: str, *, kept_before_us: int) -> bool:
        """Removes bytes that were put last before a moment: first the file, so that nobody finds it, then its chunks."""
        is_old = {"filename": sha256, "uploadDate": {"$lt": from_microseconds(kept_before_us)}}

        def forget() -> bool:
            file = self._connection.collection(f"{BLOBS}.files").find_one_and_delete(is_old)
            if file is not None:
                self._connection.collection(f"{BLOBS}.chunks").delete_many({"files_id": file["_id"]})
            return file is not None

        return self._connection.call(f"remove {sha256}", forget)

    def _is_kept_again(self, identity: Any) -> bool:
        """Makes a file as young as a new one; not if it was removed just now."""
        files = self._connection.collection(f"{BLOBS}.files")
        return files.update_one({"_id": identity}, {"$currentDate": {"uploadDate": True}}).matched_count > 0

    def _put(self, path: Path, sha256: str, size: int) -> bool:
        bucket = self._bucket()
        kept = self._first_id(sha256)
        if kept is not None and self._is_whole(kept, sha256) and self._is_kept_again(kept):
            return True
        own = ObjectId()
        with bucket.open_upload_stream_with_id(own, sha256) as target:
            try:
                written = hashed(path, target.write)
            except InvalidValueError:  # the file is gone: what was sent of it goes, too
                target.abort()
                raise
        stored = self._connection.collection(f"{BLOBS}.files").find_one({"_id": own}) or {}
        if stored.get("length") != size or written != (sha256, size):
            bucket.delete(own)
            return False
        if kept is not None:
            with suppress(NoFile):  # another writer has removed the damaged copy
                bucket.delete(kept)
        if self._first_id(sha256) != own:  # somebody kept the same bytes at the same time: one copy is enough
            bucket.delete(own)
        return True

    def _is_whole(self, identity: Any, sha256: str) -> bool:
        """Whether a file still holds its bytes: they are read, which takes no longer than to write them would."""
        try:
            with self._bucket().open_download_stream(identity) as stored:
                return hashed_chunks(iter(lambda: stored.read(CHUNK), b""))[0] == sha256
        except (CorruptGridFile, NoFile):
            return False

    def _first_id(self, sha256: str) -> Any:
        # GridFS itself indexes filename.
        file = self._connection.collection(f"{BLOBS}.files").find_one(
            {"filename": sha256}, {"_id": 1}, sort=[("_id", 1)]
        )
        return None if file is None else file["_id"]

    def _bucket(self) -> GridFSBucket:
        return GridFSBucket(self._connection.database, BLOBS, chunk_size_bytes=CHUNK)


class _Stream(RawIOBase):
    """A GridFS file whose failures are this package's errors."""

    def __init__(self, connection: Connection, file: GridOut, sha256: str) -> None:
        self._connection = connection
        self._file = file
        self._asked = f"read {sha256}"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        at = self._file.tell()

        def read() -> bytes:
            self._file.seek(at)
            return self._file.read(len(buffer))

        try:
            content = self._connection.call(self._asked, read)
        except StoreFailureError as error:
            if isinstance(error.__cause__, CorruptGridFile):
                raise CorruptArtifactError(
                    f"could not {self._asked}: {error.__cause__}; restore it from a backup"
                ) from error
            raise
        buffer[: len(content)] = content
        return len(content)
