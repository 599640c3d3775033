"""Runs that another process had in hand when this one came to them: to end them is left to that process."""

import logging
from pathlib import Path

from runstore.model import Run
from runstore.recording.cursor import Cursor
from runstore.recording.records import FinalizeRecord, Record, RunRecord
from runstore.recording.writers import is_in_hand

_log = logging.getLogger(__name__)


class Guests:
    """In which runs a writer is a guest; its cursor keeps that, so that it outlives the writer."""

    def __init__(self, folder: Path, cursor: Cursor) -> None:
        """Knows those of the cursor.

        Args:
            folder: the writer's.
            cursor: the writer's.
        """
        self._folder = folder
        self._cursor = cursor

    def note(self, record: RunRecord, found: object) -> None:
        """Keeps in mind whether the run was in other hands, if this process did not begin or resume it itself."""
        is_guest = isinstance(found, Run) and not record.resume and is_in_hand(found, self._folder)
        if is_guest and record.run_id not in self._cursor.guests:
            self._cursor.guests.append(record.run_id)
        elif not is_guest and record.run_id in self._cursor.guests:
            self._cursor.guests.remove(record.run_id)

    def give_way(self, record: Record) -> bool:
        """Whether the record would end a run that another process has in hand, without anybody having asked for that."""
        if not isinstance(record, FinalizeRecord) or not (record.is_implied or record.is_unsure):
            return False
        if record.run_id not in self._cursor.guests:
            return False
        if record.is_unsure:
            _log.warning(
                "run %s is not ended as %s: another process had it in hand when this one came to it, and ends it",
                record.run_id, record.status,
            )  # fmt: skip
        return True
