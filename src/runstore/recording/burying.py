"""What is kept aside because the store refused it for good or nobody can read it: written, counted and told once."""

import logging
from pathlib import Path

from runstore.errors import StoreFailureError
from runstore.recording.counts import WriterCounts
from runstore.recording.cursor import DEAD_LETTERS, bury, dead_letter
from runstore.recording.frames import TORN_TAIL
from runstore.recording.records import Record, points_in, run_of
from runstore.recording.source import Gap

_log = logging.getLogger(__name__)


class Aside:
    """Where one journal's drain puts what is not stored."""

    def __init__(self, folder: Path, counts: WriterCounts) -> None:
        """Holds nothing.

        Args:
            folder: the journal's.
            counts: the writer's, which count what is put here.
        """
        self._folder = folder
        self._counts = counts

    def bury(self, record: Record | None, position: int, payload: bytes, error: Exception) -> None:
        """Keeps a record beside the journal.

        Args:
            record: what the bytes say; ``None`` where nobody can tell.
            position: where it lay in the journal.
            payload: its bytes.
            error: why it is not stored.
        """
        run_id = None if record is None else run_of(record)
        kind = "unreadable" if record is None else type(record).__name__.removesuffix("Record").lower()
        letter = dead_letter(payload, kind=kind, run_id=run_id, position=position, error=error)
        bury(self._folder, letter)
        # A thousand refusals are one fault: the first is told, the rest are counted.
        _log.log(
            logging.DEBUG if self._counts.quarantined else logging.ERROR,
            "the store refused a record of run %s for good (%s); it is kept in %s, where others that it refuses go too",
            run_id, letter.reason, self._folder / DEAD_LETTERS,
        )  # fmt: skip
        self._counts.quarantined += 1
        if record is not None:
            of_run = self._counts.of(run_of(record))
            of_run.quarantined_calls += 1
            of_run.quarantined_points += points_in(record)

    def note_damage(self, gap: Gap) -> None:
        """Counts and tells what of the journal is damaged, and keeps it unless it is only the end that a crash cut off."""
        self._counts.damaged_bytes += gap.size
        _log.warning(
            "%d bytes at %d of the journal %s were skipped: %s",
            gap.size, gap.position, self._folder, gap.reason,
        )  # fmt: skip
        if gap.data and gap.reason != TORN_TAIL:
            self.bury(None, gap.position, gap.data, StoreFailureError(gap.reason))
