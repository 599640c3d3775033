"""A journal as a drain sees it: stretches of decoded records, with what had to be skipped."""

import logging
from typing import NamedTuple

import msgspec

from runstore.recording.frames import scan
from runstore.recording.journal import Journal
from runstore.recording.records import Record, decode

_log = logging.getLogger(__name__)

READ_BYTES = 512 * 2**10
"""Read at once at least."""

MOST_READ_BYTES = 8 * 2**20
"""Read at once at most, but for a record that is larger."""

RECORDS_A_READ = 64
"""So many records are read at once where they are large: what waits goes to the store together (:mod:`gather`)."""


class RecordBatch(NamedTuple):
    """Records that follow one another.

    Attributes:
        records: what they say; ``None`` for one of a kind that only a newer release knows.
        payloads: their bytes.
        positions: where each begins in the journal, and behind them where the last one ends.
    """

    records: list[Record | None]
    payloads: list[memoryview]
    positions: list[int]


class Gap(NamedTuple):
    """Bytes of a journal that hold no whole record; ``data`` is empty when they are not there at all."""

    position: int
    size: int
    data: bytes
    reason: str


class JournalSource:
    """Reads a journal from a position on, and never twice; for one thread."""

    def __init__(self, journal: Journal, position: int) -> None:
        """Reads nothing yet."""
        self._journal = journal
        self._position = position
        self._size = READ_BYTES

    def read(self, *, until: int | None = None) -> tuple[RecordBatch, list[Gap]] | None:
        """The next records and what was skipped before, between and behind them; ``None`` at the end or at ``until``.

        Raises:
            OSError: the journal cannot be read now.
        """
        wanted = self._size
        while True:
            chunk = self._journal.read(self._position, wanted, until=until)
            if not chunk.data:
                return None
            found = scan(chunk.data, is_complete=chunk.is_complete)
            if not (found.payloads or found.damages):
                wanted = max(found.needed, 2 * wanted)  # one record larger than a read
                continue
            mean = found.consumed // max(len(found.payloads), 1)
            self._size = min(max(READ_BYTES, RECORDS_A_READ * mean), MOST_READ_BYTES)
            if wanted >= self._size or chunk.is_complete:
                break
            wanted = self._size  # larger records than before: read once more, so many of them
        base = chunk.position
        skipped = []
        if base > self._position:
            gap = base - self._position
            skipped.append(Gap(self._position, gap, b"", "a segment is missing, or lay in memory alone"))
        skipped += [
            Gap(base + damage.start, damage.end - damage.start, chunk.data[damage.start : damage.end], damage.reason)
            for damage in found.damages
        ]
        self._position = base + found.consumed
        positions = [base + start for start in found.starts]
        positions.append(self._position)
        return RecordBatch(self._decode(found.payloads), found.payloads, positions), skipped

    def _decode(self, payloads: list[memoryview]) -> list[Record | None]:
        try:
            return list(map(decode, payloads))
        except msgspec.DecodeError:
            return [self._decode_one(payload) for payload in payloads]

    def _decode_one(self, payload: memoryview) -> Record | None:
        try:
            return decode(payload)
        except msgspec.DecodeError as error:
            _log.warning("a record in %s is of no kind that this release knows: %s", self._journal.folder, error)
            return None
