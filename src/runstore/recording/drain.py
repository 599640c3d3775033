"""From a journal into a store, in order: points that wait go together, and every other record by itself.

What is applied twice is stored once, by the contract's identities. Some kinds of records need more care. Replaying
"reopen the run" and "end the run" over a run that both had reached would open a second attempt; replaying a new name
would undo a later one that somebody else gave. So the cursor is written to disk before each of these; a replay then
begins at or after the last of them.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from runstore.backend import BackendStore
from runstore.errors import ExperimentNotFoundError, RunDeletedError, RunNotFoundError, RunStoreError, StoreFailureError
from runstore.local.clock import now_us
from runstore.model import Artifact, Run
from runstore.recording.apply import apply_record
from runstore.recording.burying import Aside
from runstore.recording.counts import WriterCounts
from runstore.recording.cursor import load_cursor, save_cursor
from runstore.recording.gather import gather, points_of
from runstore.recording.guests import Guests
from runstore.recording.journal import Journal
from runstore.recording.judge import FailureJudge
from runstore.recording.records import (
    ArtifactRecord,
    ChangeRecord,
    ExperimentChangeRecord,
    FinalizeRecord,
    MetricsRecord,
    PointsRecord,
    Record,
    RunRecord,
    points_in,
    run_of,
    stands_alone,
)
from runstore.recording.sending import Sending
from runstore.recording.snapshots import save_told
from runstore.recording.source import JournalSource, RecordBatch
from runstore.recording.staging import KeptStages
from runstore.recording.told import Told
from runstore.recording.verdicts import Verdicts
from runstore.series import Points

_log = logging.getLogger(__name__)

ORPHAN_GRACE_S = 30.0
"""How long a record of a run that the store does not know is tried again: its beginning may be in a journal of
another process, which is drained at its own pace after an outage."""

_CURSOR_INTERVAL_S = 0.2
_NOTHING = RecordBatch([], [], [0])


class TryLaterError(Exception):
    """The store could not take a record now; the cause says why."""


class HeldUpError(TryLaterError):
    """This journal's next record must wait, usually until its run begins. Other journals go on."""


class JournalDrain:
    """Takes one journal's records into a store; used by one thread at a time, except for the verdicts.

    Attributes:
        position: everything before it is stored or quarantined.
        verdicts: those that callers wait for.
        oldest_us: when the oldest record known to wait was accepted; ``None`` when none is at hand.
        longest_lag_us: the longest that a record waited from its acceptance until it was stored.
        ended_runs: runs whose end was stored since somebody emptied this list.
        is_stopped: set from outside to end a ``step`` early, between two calls of the store.
        bring_back: asked when the store does not know what a record needs: whether it has forgotten that, and has it again.
    """

    def __init__(
        self,
        journal: Journal,
        counts: WriterCounts,
        *,
        counts_accepted: bool,
        told: Told | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begins where the journal's cursor stands.

        Args:
            journal: a live writer's, or an adopted one.
            counts: where what became of the records is counted.
            counts_accepted: count records as accepted when they are read: a dead writer's were counted by nobody else.
            told: notes what the store took.
            clock: seconds that never go back.
        """
        self._journal = journal
        self._counts = counts
        self._counts_accepted = counts_accepted
        self._clock = clock
        self._cursor = load_cursor(journal.folder)
        self._aside = Aside(journal.folder, counts)
        self._guests = Guests(journal.folder, self._cursor)
        self.position = self._cursor.position
        self.oldest_us: int | None = None
        self.longest_lag_us = 0
        self.ended_runs: list[str] = []
        self.is_stopped = False
        self._source = JournalSource(journal, self.position)
        self._batch = _NOTHING
        self._index = 0
        self.verdicts = Verdicts()
        self._saved_position = self.position
        self._saved_at = clock()
        self._done_with: list[Path] = []
        self._stages = KeptStages()
        self._judge = FailureJudge()
        self._told = told
        self._sending = Sending(self._judge, told)
        self.bring_back: Callable[[BackendStore, Record], bool] | None = None
        self._orphans: dict[str, float] = {}  # since when their beginning is waited for
        self._dropped: set[str] = set()  # runs that somebody deleted
        counts.quarantined += self._cursor.quarantined
        counts.damaged_bytes += self._cursor.damaged_bytes
        for run_id, drained in self._cursor.runs.items():
            counts.of(run_id).restore(drained)

    @property
    def waiting_bytes(self) -> int:
        """How many bytes of records are not stored yet."""
        return max(self._journal.end - self.position, 0)

    @property
    def efforts(self) -> int:
        """Goes up when the drain gets on within one record."""
        return self._sending.efforts

    @property
    def is_suspicious(self) -> bool:
        """Whether the store failed on the next record, and took another write right after."""
        return self._judge.is_suspect

    def step(self, store: BackendStore, *, until: int | None = None) -> bool:
        """Stores the next batch of records; ``False`` if none was left, or none before ``until``.

        Raises:
            TryLaterError: the store could not take it now; call again after a pause.
            OSError: the journal cannot be read.
        """
        if self._index == len(self._batch.records) and not self._load(until):
            self.save()
            return False
        while self._index < len(self._batch.records) and not self.is_stopped:
            record = self._batch.records[self._index]
            self.oldest_us = None if record is None else record.at_us
            if isinstance(record, (PointsRecord, MetricsRecord)):
                self._apply_points(store)
            else:
                self._apply_one(store)
            if record is not None:
                self.longest_lag_us = max(self.longest_lag_us, now_us() - record.at_us)
            if self._clock() - self._saved_at >= _CURSOR_INTERVAL_S:
                self.save()
        self.oldest_us = None
        if self._index == len(self._batch.records):
            self._batch, self._index = _NOTHING, 0  # megabytes, which nobody needs while nothing waits
        return True

    def save(self, *, sync: bool = False) -> None:
        """Writes the cursor, then removes what no replay can need any more."""
        self._saved_at = self._clock()
        if self.position != self._saved_position or sync:
            self._cursor.position = self.position
            runs = list(self._counts.runs.items())  # copied at a stroke: callers begin runs meanwhile
            self._cursor.runs = {run_id: of_run.drained() for run_id, of_run in runs}
            self._cursor.quarantined = self._counts.quarantined
            self._cursor.damaged_bytes = self._counts.damaged_bytes
            save_cursor(self._journal.folder, self._cursor, sync=sync)
            self._saved_position = self.position
            if self._told is not None and self._journal.is_to_drop(self.position):
                save_told(self._told, self.position)  # before a part of the journal goes that tells it
            self._journal.release(self.position)
        for path in self._done_with:
            self._stages.add(path)
        self._stages.keep(0 if self._journal.is_in_memory else self._journal.kept_bytes // 2)
        self._done_with.clear()

    def let_go(self, *, keeps: bool) -> None:
        """Saves; unless it is to be kept, what the store has taken goes: there is nobody who would send it again."""
        self.save()
        if keeps:
            if self._told is not None:
                save_told(self._told, self.position)
            return
        self._journal.kept_bytes = 0
        self._journal.release(self.position)
        self._stages.keep(0)

    # Reading

    def _load(self, until: int | None) -> bool:
        read = self._source.read(until=until)
        if read is None:
            return False
        self._batch, skipped = read
        self._index = 0
        for gap in skipped:
            self._aside.note_damage(gap)
        self.position = self._batch.positions[0]
        if self._counts_accepted:
            for record in self._batch.records:
                if record is not None:
                    of_run = self._counts.of(run_of(record))
                    of_run.calls += 1
                    of_run.points += points_in(record)
        return True

    # Points

    def _apply_points(self, store: BackendStore) -> None:
        """Stores the points of the records that wait together, in one call for each run among them."""
        most_points, refused = self._sending.most_points, set()
        found, stop = gather(self._batch.records, self._index, most_points)
        for run_id, gathered in found.items():
            if not self._store_points(store, run_id, gathered.points):
                refused.add(run_id)
            if self._sending.most_points < most_points:
                return  # the next turn gathers less
        self._sending.note_success()
        if not refused and not self.verdicts:
            for run_id, gathered in found.items():
                of_run = self._counts.of(run_id)
                of_run.stored_calls += gathered.calls
                of_run.stored_points += len(gathered.points.values)
            self._index = stop
            self.position = self._batch.positions[stop]
            return
        while self._index < stop and not self.is_stopped:
            record = self._batch.records[self._index]
            if record is not None and run_of(record) in refused:
                self._apply_one(store)  # to find the bad one
            else:
                self._finish(record)

    def _sends_less(self, error: Exception, store: BackendStore, run_id: str, points: int) -> bool:
        return self._sending.sends_less(error, store, position=self.position, run_id=run_id, points=points)

    def _wait_unless_record_fails(self, error: Exception, store: BackendStore, run_id: str) -> None:
        if self._judge.is_the_stores(error, store, self.position, run_id):
            if self._judge.is_suspect:
                self._sending.efforts += 1  # a verdict on the record comes nearer: whoever leaves waits for it
            raise TryLaterError from error

    def _store_points(self, store: BackendStore, run_id: str, points: Points) -> bool:
        """Whether the store took the points; ``False`` when they are to be tried record by record, or fewer at once."""
        try:
            self._sending.send(store, run_id, points)
        except BaseException as raised:  # noqa: BLE001 - as for every other record
            error = _as_error(raised)
            if (isinstance(error, RunStoreError) and error.is_mistake) or self._sends_less(
                error, store, run_id, len(points.values)
            ):
                return False
            self._wait_unless_record_fails(error, store, run_id)
            return False
        self._judge.note_success(run_id)
        return True

    # Every other record

    def _apply_one(self, store: BackendStore) -> None:
        record = self._batch.records[self._index]
        if record is None:
            self._quarantine(None, StoreFailureError("a newer release wrote this kind of record"))
            return
        if stands_alone(record):
            self.save(sync=True)
        try:
            gives_way = self._guests.give_way(record)
            result = None if gives_way else self._apply(store, record)
        except BaseException as raised:  # noqa: BLE001 - a backend may raise anything; it is judged below
            self._take_failure(store, record, _as_error(raised))
        else:
            self._judge.note_success(run_of(record))
            if self._told is not None and not gives_way:
                self._told.note(record, result)
            if isinstance(record, RunRecord):
                self._guests.note(record, result)
            self._finish(record, result)

    def _take_failure(self, store: BackendStore, record: Record, error: Exception) -> None:
        """What becomes of a record that the store did not take: it is sent again, kept aside or passed over.

        Raises:
            TryLaterError: not now.
        """
        if isinstance(error, RunDeletedError):
            self._drop(record, error)
            return
        if isinstance(error, (RunNotFoundError, ExperimentNotFoundError)) and self._has_again(store, record):
            return  # the next turn sends it
        if isinstance(error, RunNotFoundError) and self._may_still_begin(record):
            raise HeldUpError from error
        if isinstance(error, RunStoreError) and error.is_mistake:
            self._refuse(record, error)
            return
        if self._sends_less(error, store, run_of(record), points_in(record)):
            return  # the next step does
        self._wait_unless_record_fails(error, store, run_of(record))
        self._refuse(record, self._checked(error))

    def _has_again(self, store: BackendStore, record: Record) -> bool:
        return self.bring_back is not None and self.bring_back(store, record)

    def _apply(self, store: BackendStore, record: Record) -> Artifact | Run | None:
        if isinstance(record, (PointsRecord, MetricsRecord)):
            self._sending.send(store, record.run_id, points_of(record))
            return None
        is_late = self.position not in self.verdicts
        return apply_record(store, record, folder=self._journal.folder, is_late=is_late)

    # Verdicts

    def _finish(self, record: Record | None, result: Artifact | Run | None = None) -> None:
        if record is not None:
            of_run = self._counts.of(run_of(record))
            of_run.stored_calls += 1
            of_run.stored_points += points_in(record)
        if isinstance(record, FinalizeRecord):
            self.ended_runs.append(record.run_id)
        position = self._pass(record)
        self.verdicts.give(position, result=result)
        if isinstance(record, (ChangeRecord, ExperimentChangeRecord)):
            self.save(sync=True)  # so that no replay undoes what another writer changes from now on

    def _refuse(self, record: Record, error: Exception) -> None:
        if self.verdicts.give(self.position, error=error):
            # The caller is told; for him the call has failed, and nothing is owed to it any more.
            self._pass_refused(record)
        else:
            self._quarantine(record, error)

    def _drop(self, record: Record, error: RunDeletedError) -> None:
        """Passes over what comes for a run that somebody deleted: nothing is owed to it, and no dead letter kept of it."""
        if self.verdicts.give(self.position, error=error):
            self._pass_refused(record)
            return
        run_id = run_of(record)
        if run_id not in self._dropped:
            self._dropped.add(run_id)
            _log.warning(
                "run %s was deleted, so that it is not begun or changed by what comes late for it; what it was sent "
                "is kept only as long as restore_run can bring it back",
                run_id,
            )
        self._counts.of(run_id).lose(points_in(record))
        self._pass(record)

    def _pass_refused(self, record: Record) -> None:
        of_run = self._counts.of(run_of(record))
        of_run.refused_calls += 1
        of_run.refused_points += points_in(record)
        self._pass(record)

    def _quarantine(self, record: Record | None, error: Exception) -> None:
        self._aside.bury(record, self.position, bytes(self._batch.payloads[self._index]), error)
        self._pass(record, keep_bytes=True)

    def _pass(self, record: Record | None, *, keep_bytes: bool = False) -> int:
        """Moves on to the next record; gives the position of the one that is done with."""
        position = self._batch.positions[self._index]
        self._index += 1
        self.position = self._batch.positions[self._index]
        if isinstance(record, ArtifactRecord) and record.is_staged and not keep_bytes:
            self._done_with.append(self._journal.folder / Path(record.source).parent)
        return position

    def _may_still_begin(self, record: Record) -> bool:
        """Whether to try a record of an unknown run again, for the run's beginning may be in another process's journal.

        Not while a caller waits for the verdict: he is told that there is no such run.
        """
        if self._judge.knows(run_of(record)) or self.position in self.verdicts:
            return False
        # Once for the run, not for each of its records: a thousand of them would hold up the others for hours.
        since = self._orphans.setdefault(run_of(record), self._clock())
        return self._clock() - since < ORPHAN_GRACE_S

    def _checked(self, error: Exception) -> Exception:
        if isinstance(error, RunStoreError):
            return error
        found = StoreFailureError(f"storing the record at {self.position} failed: {type(error).__name__}: {error}")
        found.__cause__ = error
        return found


def _as_error(raised: BaseException) -> Exception:
    """What a backend raised, also where its driver's error is none of Python's usual ones (a panic in Rust is not).

    What is meant for the whole thread goes through.
    """
    if isinstance(raised, Exception):
        return raised
    if isinstance(raised, (KeyboardInterrupt, SystemExit, GeneratorExit)):
        raise raised
    found = StoreFailureError(f"{type(raised).__name__}: {raised}")
    found.__cause__ = raised
    return found
