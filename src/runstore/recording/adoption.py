"""Journals of writers that died: taken over, drained, and put away."""

import contextlib
import logging
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from runstore.backend import BackendStore
from runstore.errors import RunStoreError, StoreFailureError
from runstore.model import RunStatus
from runstore.recording.again.compare import Comparison
from runstore.recording.again.lookout import Finding
from runstore.recording.apply import LEASE_S, report_health
from runstore.recording.counts import WriterCounts
from runstore.recording.cursor import CURSOR, DEAD_LETTERS
from runstore.recording.drain import JournalDrain, TryLaterError
from runstore.recording.journal import Journal
from runstore.recording.keeping import KEPT, Keeping

_log = logging.getLogger(__name__)

_NO_LEASE_S = 0.001
_MOST_LOOKED_AT = 1_000
"""Runs of one dead writer whose heartbeat is looked at; the others count as alive for a minute after they are stored."""

QUARANTINE = "quarantine"
"""The folder beside the writers' ones that keeps the dead letters of those that were drained otherwise."""


class Leftover:
    """A dead writer's journal on its way to the store."""

    def __init__(self, journal: Journal, keeping: Keeping | None = None) -> None:
        """Takes ownership of an adopted journal; ``keeping`` says what of it is kept once it is stored, ``None`` nothing."""
        self.journal = journal
        self.findings: list[Finding] = []
        self._keeps = keeping is not None and keeping.days > 0
        journal.kept_bytes = keeping.writer_bytes if keeping is not None and self._keeps else 0
        self.counts = WriterCounts()
        self.drain = JournalDrain(journal, self.counts, counts_accepted=True)
        self._is_warned = False
        self._comparison: Comparison | None = None
        self._alive_until: dict[str, datetime | None] | None = None

    @property
    def position(self) -> int:
        """Moves when something goes through; says no more than that."""
        return self.drain.position + (0 if self._comparison is None else self._comparison.efforts)

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
        if self._keeps:
            self._compare(store)
        for run_id, of_run in self.counts.runs.items():
            if run_id and of_run.stored_calls:
                with contextlib.suppress(RunStoreError):
                    health = replace(of_run.health(run_id), longest_lag_s=self.drain.longest_lag_us / 1e6)
                    report_health(store, self.journal.folder.name, health)
        _give_back(store, self._alive_until, in_hand)
        self.drain.let_go(keeps=self._keeps)
        put_away(self.journal, is_drained=True, keeps=self._keeps)
        return False

    def _compare(self, store: BackendStore) -> None:
        """Looks whether the store still holds what the writer had told it before it died.

        Raises:
            TryLaterError: the store is away.
        """
        if self._comparison is None:
            self._comparison = Comparison(self.journal, self.drain, self.counts)
            self._comparison.note()
        self.findings = self._comparison.run(store)

    @contextlib.contextmanager
    def leases(self, store: BackendStore) -> Iterator[None]:
        """Inside the block writes of the runs are no heartbeats of theirs."""
        alive_until = _signs_of_life(store, self.journal.runs())
        yield
        _give_back(store, alive_until, ())

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


def _give_back(store: BackendStore, alive_until: Mapping[str, datetime | None], in_hand: Collection[str]) -> None:
    for run_id, until in alive_until.items():
        if run_id not in in_hand:
            with contextlib.suppress(Exception):  # at worst it counts as alive for a minute more
                _give_back_lease(store, run_id, until)


def _give_back_lease(store: BackendStore, run_id: str, until: datetime | None) -> None:
    """Takes back the heartbeat that storing a dead writer's records was: nobody has been at work on the run."""
    run = store.find_run(run_id)
    if run is not None and run.status == RunStatus.IN_PROGRESS:
        left_s = 0.0 if until is None else (until - run.heartbeat_at).total_seconds()
        store.beat(run_id, max(left_s, _NO_LEASE_S))


def adopt(folder: Path, keeping: Keeping | None = None) -> Leftover | None:
    """A dead writer's journal, ready to be drained; ``None`` when its writer lives or it cannot be read."""
    try:
        journal = Journal.adopt(folder)
    except (OSError, ValueError, StoreFailureError) as error:
        _log.warning("the journal %s is left alone: %s", folder, error)
        return None
    return None if journal is None else Leftover(journal, keeping)


def put_away(journal: Journal, *, is_drained: bool, keeps: bool = False) -> None:
    """Closes a journal. A drained one is removed, or kept for a time; its dead letters go to the quarantine folder."""
    if not is_drained:
        journal.close(remove=False)
        return
    root, name = journal.folder.parent, journal.folder.name
    try:
        if (journal.folder / DEAD_LETTERS).exists():
            (root / QUARANTINE).mkdir(exist_ok=True)
            journal.give(root / QUARANTINE / name, DEAD_LETTERS)
        if keeps and journal.end:
            journal.move(root / KEPT / name, CURSOR)
    except OSError as error:
        _log.warning("the dead letters stay in %s, with what is kept: %s", journal.folder, error)
        journal.close(remove=False)
    else:
        journal.close(remove=True)
