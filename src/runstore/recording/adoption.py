"""Journals of writers that died: taken over, drained, and put away."""

import contextlib
import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from runstore.backend import BackendStore
from runstore.errors import RunStoreError, StoreFailureError
from runstore.model import RunStatus
from runstore.recording.apply import LEASE_S, report_health
from runstore.recording.counts import WriterCounts
from runstore.recording.cursor import DEAD_LETTERS
from runstore.recording.drain import JournalDrain, TryLaterError
from runstore.recording.journal import Journal

_log = logging.getLogger(__name__)

_NO_LEASE_S = 0.001
_MOST_LOOKED_AT = 1_000
"""Runs of one dead writer whose heartbeat is looked at; the others count as alive for a minute after they are stored."""

QUARANTINE = "quarantine"
"""The folder beside the writers' ones that keeps the dead letters of those that were drained otherwise."""


class Leftover:
    """A dead writer's journal on its way to the store."""

    def __init__(self, journal: Journal) -> None:
        """Takes ownership of an adopted journal."""
        self.journal = journal
        self.counts = WriterCounts()
        self.drain = JournalDrain(journal, self.counts, counts_accepted=True)
        self._is_warned = False
        self._alive_until: dict[str, datetime | None] | None = None

    def warn_once(self, error: OSError) -> None:
        """Says, the first time, that the journal cannot be read at present."""
        if not self._is_warned:
            self._is_warned = True
            _log.warning("the journal %s cannot be read and waits: %s", self.journal.folder, error)

    def step(self, store: BackendStore, *, in_hand: Collection[str] = ()) -> bool:
        """Stores the next batch; ``False`` once all is stored, the figures with the runs, and the journal removed.

        Args:
            store: where to.
            in_hand: runs that a living writer of this process writes to.

        Raises:
            TryLaterError: the store could not take a record now; call again.
            OSError: the journal cannot be read.
        """
        if self._alive_until is None:
            self._alive_until = _signs_of_life(store, self.journal.runs())
        if self.drain.step(store) or self.drain.is_stopped:
            return True
        for run_id, of_run in self.counts.runs.items():
            if run_id and of_run.stored_calls:
                with contextlib.suppress(RunStoreError):
                    health = replace(of_run.health(run_id), longest_lag_s=self.drain.longest_lag_us / 1e6)
                    report_health(store, self.journal.folder.name, health)
        for run_id, until in self._alive_until.items():
            if run_id not in in_hand:
                with contextlib.suppress(Exception):  # at worst it counts as alive for a minute more
                    _give_back_lease(store, run_id, until)
        put_away(self.journal, is_drained=True)
        return False

    def let_go(self) -> None:
        """Leaves the rest to the next one who adopts it."""
        self.drain.save()
        self.journal.close(remove=False)


def _signs_of_life(store: BackendStore, run_ids: Collection[str]) -> dict[str, datetime | None]:
    """Until when runs count as alive: ``None`` for those that are not stored, or are lost. Ended ones are left out."""
    found: dict[str, datetime | None] = {}
    for run_id in sorted(run_ids)[-_MOST_LOOKED_AT:]:
        try:
            run = store.find_run(run_id)
        except Exception as error:
            raise TryLaterError from error
        if run is None or run.status == RunStatus.LOST:
            found[run_id] = None
        elif run.status == RunStatus.IN_PROGRESS and run.lease_s <= LEASE_S:
            found[run_id] = run.heartbeat_at + timedelta(seconds=run.lease_s)
    return found


def _give_back_lease(store: BackendStore, run_id: str, until: datetime | None) -> None:
    """Takes back the heartbeat that storing a dead writer's records was: nobody has been at work on the run."""
    run = store.find_run(run_id)
    if run is not None and run.status == RunStatus.IN_PROGRESS:
        left_s = 0.0 if until is None else (until - run.heartbeat_at).total_seconds()
        store.beat(run_id, max(left_s, _NO_LEASE_S))


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
        journal.move(quarantine / journal.folder.name, DEAD_LETTERS)
    except OSError as error:
        _log.warning("the dead letters stay in %s: %s", journal.folder, error)
        journal.close(remove=False)
