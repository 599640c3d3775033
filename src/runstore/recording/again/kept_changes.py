"""What commands and the page change without a recorder, kept for a time beside the journals of ended writers.

A file a day, of frames as in a journal's segment; it begins with the same preamble. Each is added in one write at the end
of the file, so any number of processes may do so.
"""

import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from runstore.errors import RunStoreError
from runstore.local.system import open_bytes
from runstore.recording.again.changes import AnyChange
from runstore.recording.frames import FORMAT_VERSION, PREAMBLE_SIZE, frame, preamble, scan, version_of
from runstore.recording.keeping import CHANGES, KEPT, keeping_of
from runstore.recording.options import RecorderOptions
from runstore.recording.places import describe_root, identity_of, journal_root
from runstore.recording.records import ChangeRecord, ExperimentChangeRecord, decode, encode
from runstore.secrets import redact_word
from runstore.urls import scheme_of

_log = logging.getLogger(__name__)

_SUFFIX = ".changes"


def read_changes(root: Path) -> list[AnyChange]:
    """The changes that are kept of a store; what cannot be read is left out, with a warning."""
    found: list[AnyChange] = []
    for path in sorted((root / KEPT / CHANGES).glob(f"*{_SUFFIX}")):
        try:
            content = path.read_bytes()
            version = version_of(content)
            if version is None or version > FORMAT_VERSION:
                _log.warning("%s is left alone: a newer release wrote it, or it is damaged", path)
                continue
            records = [decode(payload) for payload in scan(content[PREAMBLE_SIZE:], is_complete=True).payloads]
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("%s cannot be read: %s", path, error)
            continue
        found += [each for each in records if isinstance(each, (ChangeRecord, ExperimentChangeRecord))]
    return found


def keep_change(url: str, record: AnyChange) -> None:
    """Keeps a change that the store of a URL has taken. What stands in the way is logged: the change was made."""
    try:
        if scheme_of(url) == "memory" or not keeping_of(RecorderOptions()).days:
            return
        root = journal_root(identity_of(url))
        folder = root / KEPT / CHANGES
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        describe_root(root, identity_of(url), redact_word(url))
        _add(folder / f"{datetime.now(UTC):%Y%m%d}{_SUFFIX}", frame(encode(record)))
    except (OSError, RunStoreError) as error:
        _log.info("a change was made, and is not kept in case the database forgets it: %s", error)


def _add(path: Path, data: bytes) -> None:
    fd = open_bytes(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        # Two processes that make the file at once leave two preambles; the second is skipped like any damage.
        os.write(fd, data if os.fstat(fd).st_size else preamble() + data)
    finally:
        os.close(fd)
