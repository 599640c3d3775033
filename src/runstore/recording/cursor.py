"""How far a journal was drained, and the dead letters: what stands beside a writer's segments.

The cursor is replaced whole, by renaming, so that a reader finds the old one or the new one. It may lag behind what
the database holds (the contract's identities make the repeat harmless) and is never ahead of it.
"""

import base64
import contextlib
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from runstore.errors import RunStoreError
from runstore.local.whole_files import write_whole
from runstore.recording.frames import frame, scan
from runstore.secrets import redact

_log = logging.getLogger(__name__)

CURSOR = "cursor"
DEAD_LETTERS = "dead-letters.jsonl"


class Cursor(msgspec.Struct, kw_only=True):
    """The position up to which everything is stored or quarantined, and each run's counts at that position.

    The writer is a guest in ``guests``: runs that another process had in hand when its ``ensure_run`` was stored.
    """

    position: int = 0
    runs: dict[str, list[int]] = {}
    quarantined: int = 0
    damaged_bytes: int = 0
    guests: list[str] = []


def load_cursor(folder: Path) -> Cursor:
    """The cursor of a writer's folder; the beginning when there is none or it cannot be read."""
    try:
        payloads = scan((folder / CURSOR).read_bytes(), is_complete=True).payloads
        return msgspec.msgpack.decode(payloads[0], type=Cursor)
    except FileNotFoundError:
        return Cursor()
    except (OSError, IndexError, msgspec.DecodeError) as error:
        _log.warning("the cursor in %s cannot be read (%s); its journal is drained again from the start", folder, error)
        return Cursor()


def save_cursor(folder: Path, cursor: Cursor, *, sync: bool) -> None:
    """Puts the cursor in place of the old one; with ``sync`` it survives a power cut from now on.

    An error is logged, never raised: without a newer cursor more is drained again, which changes nothing.
    """
    try:
        write_whole(folder / CURSOR, frame(msgspec.msgpack.encode(cursor)), by=folder / f"{CURSOR}.new", sync=sync)
    except OSError as error:
        _log.warning("the cursor in %s could not be written: %s", folder, error)


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record that is kept aside, as one JSON object in a line of the dead-letter file.

    Attributes:
        at: when it was put there, ISO 8601 in UTC.
        kind: the kind of record, or ``unreadable``.
        run_id: its run; empty for an experiment, ``None`` when it cannot be read.
        position: where it lay in the journal.
        code: of the error that the store raised.
        reason: the error's message, without secrets.
        record: the record's bytes in base 64.
    """

    at: str
    kind: str
    run_id: str | None
    position: int
    code: str
    reason: str
    record: str


def dead_letter(payload: bytes, *, kind: str, run_id: str | None, position: int, error: Exception) -> DeadLetter:
    """A record and why the store refused it."""
    return DeadLetter(
        at=datetime.now(UTC).isoformat(),
        kind=kind,
        run_id=run_id,
        position=position,
        code=error.code if isinstance(error, RunStoreError) else type(error).__name__,
        reason=redact(str(error)),
        record=base64.b64encode(payload).decode(),
    )


def bury(folder: Path, letter: DeadLetter) -> None:
    """Adds a line to the dead-letter file; it is on disk when the call returns, for the cursor moves past it next."""
    try:
        with (folder / DEAD_LETTERS).open("ab") as file:
            file.write(msgspec.json.encode(letter) + b"\n")
            file.flush()
            with contextlib.suppress(OSError):
                os.fsync(file.fileno())
    except OSError as error:
        _log.error("a record that was refused could not be kept in %s and is lost: %s", folder, error)
