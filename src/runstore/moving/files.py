"""Sending the files of a run, except for those that are there already."""

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from runstore.artifacts import Blob, hashed_chunks
from runstore.backend import BackendStore
from runstore.errors import (
    ArtifactNotFoundError,
    CorruptArtifactError,
    InvalidValueError,
    RunStoreError,
    StoreFailureError,
)
from runstore.local.files import CHUNK
from runstore.model import Artifact
from runstore.moving.arriving import ArrivingFile, ArrivingRun
from runstore.moving.report import Progress, Trouble
from runstore.values import ConfigDocument
from runstore.values.checks import check_artifact_name, check_text, check_time, check_word


class FileSender:
    """Sends files to a store. One that cannot be sent is told, and the others are.

    Attributes:
        sent: how many records were written.
        bytes: how many bytes were kept for them.
    """

    def __init__(self, store: BackendStore, told: Progress, trouble: Callable[[Trouble], None]) -> None:
        self._store = store
        self._told = told
        self._trouble = trouble
        self.sent = 0
        self.bytes = 0

    def send(self, arriving: ArrivingRun, *, is_new: bool, is_thorough: bool) -> bool:
        """Sends what a run has and the store has not; whether there was something.

        Args:
            arriving: the run, which is in the store.
            is_new: whether the store had nothing of it before.
            is_thorough: whether the bytes that the store has are read, and kept anew where they are damaged or gone.
        """
        run, before = arriving.run, self.sent
        known = {} if is_new else {record.name: record for record in self._store.read_artifacts(run.id)}
        for file in arriving.files():
            try:
                there = known.get(file.name)
                is_damaged = is_thorough and there is not None and there.is_stored and not self._is_sound(there)
                created_at = file.created_at or run.start_time
                try:
                    self._send(run.id, file, there, created_at=created_at, is_damaged=is_damaged)
                except CorruptArtifactError:
                    newer = file.replaced()
                    if newer is None:
                        raise
                    self._send(run.id, newer, there, created_at=newer.created_at or created_at, is_damaged=is_damaged)
            except RunStoreError as error:
                if not (error.is_mistake or isinstance(error, CorruptArtifactError)):
                    raise
                self._trouble(Trouble(run_id=run.id, what=f"artifact {file.name!r}", reason=str(error)))
        return self.sent > before

    def _is_sound(self, record: Artifact) -> bool:
        """Whether the bytes are there, and are those that were recorded."""
        try:
            with self._store.open_artifact(record.run_id, record.name) as stored:  # which checks the SHA-256
                while stored.read(CHUNK):
                    pass
        except (ArtifactNotFoundError, CorruptArtifactError):
            return False
        return True

    def _send(
        self, run_id: str, file: ArrivingFile, known: Artifact | None, *, created_at: datetime, is_damaged: bool
    ) -> None:
        check_time(created_at, "created_at")
        facts: dict[str, Any] = {
            "run_id": run_id,
            "name": check_artifact_name(file.name),
            "artifact_type": check_word(file.artifact_type, "artifact_type"),
            "created_at": created_at,
            "metadata": ConfigDocument.checked(file.metadata, "metadata").values,
        }
        if file.open is None:
            if file.uri is None:
                raise InvalidValueError(f"artifact {file.name!r} has neither bytes nor a place; give one of them")
            uri = check_text(file.uri, "uri")
            record, size = Artifact(**facts, uri=uri, sha256=None, size=None, is_stored=False), 0
        else:
            if not is_damaged and known is not None and known.sha256 is not None and known.sha256 == file.sha256:
                kept = Blob(sha256=known.sha256, size=known.size or 0, uri=known.uri)
                size = 0
            else:
                kept = self._keep(file, file.open)
                size = kept.size
            record = Artifact(**facts, uri=kept.uri, sha256=kept.sha256, size=kept.size, is_stored=True)
        if is_damaged or known is None or repr(known) != repr(record):  # in which NaN equals NaN, and 1 is not 1.0
            self._store.record_artifacts(run_id, [record])
            self.sent += 1
            self.bytes += size
            self._told.sent(files=1, size=size)

    def _keep(self, file: ArrivingFile, give: Callable[[], BinaryIO]) -> Blob:
        """Keeps the bytes, by way of a file aside: a place for bytes takes files alone."""
        with tempfile.TemporaryDirectory(prefix="runstore-") as folder:
            aside = Path(folder) / "bytes"
            sha256, _ = _put_aside(file.name, give, aside)
            if file.sha256 not in {None, sha256}:
                raise CorruptArtifactError(
                    f"artifact {file.name!r} should have SHA-256 {file.sha256}, but bytes of {sha256} were read; "
                    "restore it where it comes from"
                )
            kept = self._store.blobs.put(aside)
        if kept.sha256 != sha256:
            raise CorruptArtifactError(
                f"artifact {file.name!r} has SHA-256 {sha256}, but {kept.sha256} was kept: the disk, or a program, changed it; "
                "try again"
            )
        return kept


def _put_aside(name: str, give: Callable[[], BinaryIO], aside: Path) -> tuple[str, int]:
    try:
        source = give()
    except OSError as error:
        raise _unreadable(name, error) from error
    with source:
        try:
            target = aside.open("wb")
        except OSError as error:
            raise _no_room(name, error) from error
        with target:
            return hashed_chunks(_chunks(name, source), _writer(name, target))


def _chunks(name: str, source: BinaryIO) -> Any:
    while True:
        try:
            chunk = source.read(CHUNK)
        except OSError as error:
            raise _unreadable(name, error) from error
        if not chunk:
            return
        yield chunk


def _writer(name: str, target: BinaryIO) -> Callable[[bytes], object]:
    def write(chunk: bytes) -> None:
        try:
            target.write(chunk)
        except OSError as error:
            raise _no_room(name, error) from error

    return write


def _unreadable(name: str, error: OSError) -> InvalidValueError:
    return InvalidValueError(
        f"artifact {name!r} could not be read: {error}; see whether its file is there and may be read"
    )


def _no_room(name: str, error: OSError) -> StoreFailureError:
    return StoreFailureError(
        f"artifact {name!r} could not be put aside in {tempfile.gettempdir()}: {error}; make room there, or name another "
        "folder in TMPDIR, and run this again"
    )
