"""Journals of writers that died: taken over, drained, and put away."""

import contextlib
import logging
from pathlib import Path

from msgspec.structs import replace

from runstore.errors import RunStoreError, StoreFailureError
from runstore.protocol import BackendStore
from runstore.recording.apply import report_health
from runstore.recording.cursor import DEAD_LETTERS
from runstore.recording.drain import JournalDrain, Tallies
from runstore.recording.journal import Journal

_log = logging.getLogger(__name__)

QUARANTINE = "quarantine"
"""The folder beside the writers' ones that keeps the dead letters of those that were drained otherwise."""


class Leftover:
    """A dead writer's journal on its way to the store."""

    def __init__(self, journal: Journal) -> None:
        """Takes ownership of an adopted journal."""
        self.journal = journal
        self.tallies = Tallies()
        self.drain = JournalDrain(journal, self.tallies, counts_accepted=True)
        self._is_warned = False

    def warn_once(self, error: OSError) -> None:
        """Says, the first time, that the journal cannot be read at present."""
        if not self._is_warned:
            self._is_warned = True
            _log.warning("the journal %s cannot be read and waits: %s", self.journal.folder, error)

    def step(self, store: BackendStore) -> bool:
        """Stores the next batch; ``False`` once all is stored, the figures with the runs, and the journal removed.

        Raises:
            TryLaterError: the store could not take a record now; call again.
            OSError: the journal cannot be read.
        """
        if self.drain.step(store) or self.drain.is_stopped:
            return True
        for run_id, tally in self.tallies.runs.items():
            if run_id and tally.stored_calls:
                with contextlib.suppress(RunStoreError):
                    health = replace(tally.health(run_id), longest_lag_s=self.drain.longest_lag_us / 1e6)
                    report_health(store, self.journal.folder.name, health)
        put_away(self.journal, is_drained=True)
        return False

    def let_go(self) -> None:
        """Leaves the rest to the next one who adopts it."""
        self.drain.save()
        self.journal.close(remove=False)


def adopt(folder: Path) -> Leftover | None:
    """A dead writer's journal, ready to be drained; ``None`` when its writer lives or it cannot be read."""
    try:
        journal = Journal.adopt(folder)
    except (OSError, ValueError, StoreFailureError) as error:
        _log.warning("the journal %s is left alone: %s", folder, error)
        return None
    return None if journal is None else Leftover(journal)


def put_away(journal: Journal, *, is_drained: bool) -> None:
    """Closes a journal; a drained one is removed, except for its dead letters, which go to the quarantine folder."""
    if not is_drained or not (journal.folder / DEAD_LETTERS).exists():
        journal.close(remove=is_drained)
        return
    quarantine = journal.folder.parent / QUARANTINE
    try:
        quarantine.mkdir(exist_ok=True)
        journal.move(quarantine / journal.folder.name)
    except OSError as error:
        _log.warning("the dead letters stay in %s: %s", journal.folder, error)
        journal.close(remove=False)
