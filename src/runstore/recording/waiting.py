"""What waits in the journals of this machine, as their files tell: nothing is taken over, locked for long or changed."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import DecodeError, Struct

from runstore.model import from_microseconds
from runstore.recording.cursor import load_cursor
from runstore.recording.frames import PREAMBLE_SIZE, scan
from runstore.recording.places import noted_stores
from runstore.recording.records import decode
from runstore.recording.requeue import count_refused
from runstore.recording.segments import SUFFIX
from runstore.recording.writers import is_held, leftovers

_HEAD_BYTES: Final = 256 * 2**10
"""Read of a journal to find out when its first record that waits was written; a larger one goes by the file's time."""


class WaitingJournal(Struct, frozen=True, kw_only=True):
    """A journal with something in it that is not in the store yet.

    Attributes:
        folder: where it lies.
        is_alive: whether its writer lives, which stores it by itself.
        bytes: how much waits.
        since: when the first of it was written.
    """

    folder: str
    is_alive: bool
    bytes: int
    since: datetime


class WaitingStore(Struct, frozen=True, kw_only=True):
    """A store for which something waits.

    Attributes:
        store: its identity, whether its URL names a password or not.
        url: how one of the writers named it, without the password.
        journals: those with something in them, the oldest first.
        refused: how many records the store refused for good, and are kept.
    """

    store: str
    url: str
    journals: tuple[WaitingJournal, ...]
    refused: int

    @property
    def left(self) -> tuple[WaitingJournal, ...]:
        """The journals of dead writers: nobody brings them in unless another writer begins, or ``runstore sync`` does."""
        return tuple(each for each in self.journals if not each.is_alive)


def list_waiting(base: Path) -> list[WaitingStore]:
    """What waits in a state directory, for which store, by identity."""
    refused = count_refused(base)
    found = []
    for identity, noted in noted_stores(base).items():
        journals = tuple(
            waiting for root in noted.folders for folder in leftovers(root) for waiting in _waiting_in(folder)
        )
        if journals or refused.get(identity):
            found.append(
                WaitingStore(store=identity, url=noted.url, journals=journals, refused=refused.get(identity, 0))
            )
    return found


def _waiting_in(folder: Path) -> Iterator[WaitingJournal]:
    with contextlib.suppress(OSError):  # drained and removed meanwhile
        position = load_cursor(folder).position
        bases = {int(path.stem): path for path in sorted(folder.glob(f"*{SUFFIX}"))}
        waiting = [(base, path) for base, path in bases.items() if base + _size(path) > position]
        if waiting:
            end = max(base + _size(path) for base, path in waiting)
            first, path = waiting[0]
            yield WaitingJournal(
                folder=str(folder),
                is_alive=is_held(folder),
                bytes=end - max(position, first),
                since=_since(path, max(position - first, 0)),
            )


def _size(segment: Path) -> int:
    return max(segment.stat().st_size - PREAMBLE_SIZE, 0)


def _since(segment: Path, offset: int) -> datetime:
    with segment.open("rb") as file:
        file.seek(PREAMBLE_SIZE + offset)
        payloads = scan(file.read(_HEAD_BYTES), is_complete=False).payloads
    with contextlib.suppress(DecodeError, AttributeError, IndexError):
        return from_microseconds(decode(payloads[0]).at_us)
    return datetime.fromtimestamp(segment.stat().st_mtime, UTC)
