"""How far a journal was drained, and the dead letters: what stands beside a writer's segments.

The cursor is replaced whole, by renaming, so that a reader finds the old one or the new one. It may lag behind what
the database holds (the contract's identities make the repeat harmless) and is never ahead of it.
"""

import base64
import contextlib
import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from runstore.errors import RunStoreError
from runstore.recording.frames import frame, scan
from runstore.urls import redact

_log = logging.getLogger(__name__)

_CURSOR = "cursor"
DEAD_LETTERS = "dead-letters.jsonl"


class Cursor(msgspec.Struct, kw_only=True):
    """The position up to which everything is stored or quarantined, and each run's counts at that position."""

    position: int = 0
    runs: dict[str, list[int]] = {}
    quarantined: int = 0
    damaged_bytes: int = 0


def load_cursor(folder: Path) -> Cursor:
    """The cursor of a writer's folder; the beginning when there is none or it cannot be read."""
    try:
        payloads = scan((folder / _CURSOR).read_bytes(), is_complete=True).payloads
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
    unfinished = folder / f"{_CURSOR}.new"
    try:
        with unfinished.open("wb") as file:
            file.write(frame(msgspec.msgpack.encode(cursor)))
            file.flush()
            if sync:
                os.fdatasync(file.fileno())
        unfinished.replace(folder / _CURSOR)
    except OSError as error:
        _log.warning("the cursor in %s could not be written: %s", folder, error)


def bury(folder: Path, *, kind: str, run_id: str | None, position: int, payload: bytes, reason: Exception) -> None:
    """Adds a record to the dead-letter file: one JSON object a line, the record's bytes in base 64.

    The line is on disk when the call returns, for the cursor moves past the record next.
    """
    line = {
        "at": datetime.now(UTC).isoformat(),
        "kind": kind,
        "run_id": run_id,
        "position": position,
        "code": reason.code if isinstance(reason, RunStoreError) else type(reason).__name__,
        "reason": redact(str(reason)),
        "record": base64.b64encode(payload).decode(),
    }
    _log.error(
        "a %s record of run %s was refused for good and quarantined in %s: %s",
        kind, run_id, folder / DEAD_LETTERS, line["reason"],
    )  # fmt: skip
    try:
        with (folder / DEAD_LETTERS).open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            with contextlib.suppress(OSError):
                os.fsync(file.fileno())
    except OSError as error:
        _log.error("it could not be written there, and is lost: %s", error)  # noqa: TRY400 - one line says it all
