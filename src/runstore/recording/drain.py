"""From a journal into a store, in order: batches of points, one call for every other record.

What is applied twice is stored once, by the contract's identities. Two kinds of records need more care, because
between them they are not idempotent: replaying "reopen the run" and "end the run" over a run that both had reached
would open a second attempt. So the cursor is written to disk before each of the two; a replay then begins at or after
the last of them.
"""

import contextlib
import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from runstore.config import decode_config
from runstore.errors import (
    ConflictError,
    InvalidValueError,
    NotFoundError,
    RunNotFoundError,
    RunStoreError,
    StoreFailureError,
    StoreUnavailableError,
)
from runstore.model import Artifact, MetricPoint, from_microseconds
from runstore.protocol import BackendStore
from runstore.recording.cursor import bury, load_cursor, save_cursor
from runstore.recording.frames import TORN_TAIL, scan
from runstore.recording.health import HEALTH_PREFIX, HEALTH_TYPE, HEALTH_URI, Tally, health_metadata
from runstore.recording.journal import Journal
from runstore.recording.records import (
    ArtifactRecord,
    ConfigRecord,
    ExperimentRecord,
    FinalizeRecord,
    MetricsRecord,
    Record,
    RunRecord,
    decode,
    points_in,
    run_of,
)

_log = logging.getLogger(__name__)

BATCH_POINTS = 10_000
"""Points sent in one call at most, unless a single accepted call carried more: it stays whole."""

READ_BYTES = 512 * 1024
LEASE_S = 60.0
FAILURE_TRIES = 4
ORPHAN_GRACE_S = 30.0
"""How long a record of a run that the store does not know is tried again: its beginning may be in a journal of
another process, which is drained at its own pace after an outage."""

_REFUSALS = (InvalidValueError, NotFoundError, ConflictError)
_CURSOR_INTERVAL_S = 0.2


class TryLaterError(Exception):
    """The store could not take a record now; the cause says why."""


class OrphanError(TryLaterError):
    """The store does not know a record's run yet; records of other journals need not wait for it."""


class Item(NamedTuple):
    """A record on its way: where it lies in the journal, and what it says (``None`` when it cannot be understood)."""

    start: int
    end: int
    record: Record | None
    payload: memoryview


class Ticket:
    """What the caller of a verb waits for: the store's verdict on its record."""

    __slots__ = ("error", "is_abandoned", "is_done", "result")

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.is_done = threading.Event()
        self.is_abandoned = False
        self.result: Artifact | None = None
        self.error: Exception | None = None


class Tallies:
    """The counts of all runs of one writer, and the records that could not be stored."""

    def __init__(self) -> None:
        """Begins empty."""
        self.runs: dict[str, Tally] = {}
        self.quarantined = 0
        self.damaged_bytes = 0

    def of(self, run_id: str) -> Tally:
        """The counts of a run, begun if need be."""
        return self.runs.setdefault(run_id, Tally())


class JournalDrain:
    """Takes one journal's records into a store; used by one thread at a time, except for the tickets.

    Attributes:
        position: everything before it is stored or quarantined.
        oldest_us: when the oldest record known to wait was accepted; ``None`` when none is at hand.
        ended_runs: runs whose end was stored since somebody emptied this list.
        is_stopped: set from outside to end a ``step`` early, between two calls of the store.
    """

    def __init__(
        self,
        journal: Journal,
        tallies: Tallies,
        *,
        counts_accepted: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begins where the journal's cursor stands.

        Args:
            journal: a live writer's, or an adopted one.
            tallies: where what became of the records is counted.
            counts_accepted: count records as accepted when they are read: a dead writer's were counted by nobody else.
            clock: seconds that never go back.
        """
        self._journal = journal
        self._tallies = tallies
        self._counts_accepted = counts_accepted
        self._clock = clock
        self._cursor = load_cursor(journal.folder)
        self.position = self._cursor.position
        self.oldest_us: int | None = None
        self.ended_runs: list[str] = []
        self.is_stopped = False
        self._read_from = self.position
        self._items: deque[Item] = deque()
        self._tickets: dict[int, Ticket] = {}
        self._tickets_lock = threading.Lock()
        self._saved_position = self.position
        self._saved_at = clock()
        self._done_with: list[Path] = []
        self._failures: tuple[int, int] = (-1, 0)
        self._orphans_since: tuple[int, float] = (-1, 0.0)
        self._known_runs: set[str] = set()
        tallies.quarantined += self._cursor.quarantined
        tallies.damaged_bytes += self._cursor.damaged_bytes
        for run_id, drained in self._cursor.runs.items():
            tallies.of(run_id).restore(drained)

    @property
    def waiting_bytes(self) -> int:
        """How many bytes of records are not stored yet."""
        return max(self._journal.end - self.position, 0)

    def expect(self, position: int, ticket: Ticket) -> None:
        """Asks for the verdict on the record at a position; call it before the drain can reach the record."""
        with self._tickets_lock:
            self._tickets[position] = ticket

    def abandon(self, position: int, ticket: Ticket) -> bool:
        """Stops waiting for a verdict; ``False`` when it has just come."""
        with self._tickets_lock:
            self._tickets.pop(position, None)
            ticket.is_abandoned = not ticket.is_done.is_set()
            return ticket.is_abandoned

    def step(self, store: BackendStore) -> bool:
        """Stores the next batch; ``False`` when nothing was left to store.

        Raises:
            TryLaterError: the store could not take it now; call again after a pause.
            OSError: the journal cannot be read.
        """
        if not self._items and not self._load():
            self.save()
            return False
        while self._items and not self.is_stopped:
            first = self._items[0]
            self.oldest_us = first.record.at_us if first.record is not None else None
            if isinstance(first.record, MetricsRecord):
                self._apply_metrics(store)
            else:
                self._apply_one(store, first)
            if self._clock() - self._saved_at >= _CURSOR_INTERVAL_S:
                self.save()
        self.oldest_us = None
        return True

    def save(self, *, sync: bool = False) -> None:
        """Writes the cursor, then removes what no replay can need any more."""
        self._saved_at = self._clock()
        if self.position != self._saved_position or sync:
            self._cursor.position = self.position
            self._cursor.runs = {run_id: tally.drained() for run_id, tally in self._tallies.runs.items()}
            self._cursor.quarantined = self._tallies.quarantined
            self._cursor.damaged_bytes = self._tallies.damaged_bytes
            save_cursor(self._journal.folder, self._cursor, sync=sync)
            self._saved_position = self.position
            self._journal.release(self.position)
        for path in self._done_with:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()
        self._done_with.clear()

    # Reading

    def _load(self) -> bool:
        wanted = READ_BYTES
        while True:
            chunk = self._journal.read(self._read_from, wanted)
            if not chunk.data:
                return False
            found = scan(chunk.data, is_complete=chunk.is_complete)
            if found.payloads or found.damages:
                break
            wanted = max(found.needed, 2 * wanted)  # one record larger than a read
        if chunk.position > self._read_from:
            self._note_damage(chunk.position - self._read_from, "a segment is missing, or lay in memory alone")
        for damage in found.damages:
            size = damage.end - damage.start
            self._note_damage(size, damage.reason)
            if damage.reason != TORN_TAIL:
                self._bury(None, chunk.position + damage.start, chunk.data[damage.start : damage.end],
                           StoreFailureError(damage.reason))  # fmt: skip
        base = chunk.position
        ends = [*found.starts[1:], found.consumed]
        for payload, start, end in zip(found.payloads, found.starts, ends, strict=True):
            try:
                record: Record | None = decode(payload)
            except msgspec.DecodeError as error:
                record = None
                _log.warning("a record at %d in %s is of no known kind: %s", base + start, self._journal.folder, error)
            self._items.append(Item(base + start, base + end, record, payload))
            if self._counts_accepted and record is not None:
                tally = self._tallies.of(run_of(record))
                tally.calls += 1
                tally.points += points_in(record)
        self._read_from = base + found.consumed
        if not self._items:
            self.position = self._read_from  # nothing but damage
        return True

    def _note_damage(self, size: int, reason: str) -> None:
        self._tallies.damaged_bytes += size
        _log.warning("%d bytes of the journal %s were skipped: %s", size, self._journal.folder, reason)

    # Points

    def _apply_metrics(self, store: BackendStore) -> None:
        batch: list[Item] = []
        by_run: dict[str, list[MetricsRecord]] = {}
        count = 0
        for item in self._items:
            record = item.record
            if not isinstance(record, MetricsRecord) or (batch and count + len(record.points) > BATCH_POINTS):
                break
            batch.append(item)
            count += len(record.points)
            by_run.setdefault(record.run_id, []).append(record)
        refused: set[str] = set()
        for run_id, records in by_run.items():
            try:
                store.log_metrics(run_id, _points_of(records))
            except _REFUSALS:
                refused.add(run_id)  # one by one below, to find the bad one
            except Exception as error:
                if isinstance(error, StoreUnavailableError) or self._tries_again(batch[0]):
                    raise TryLaterError from error
                refused.add(run_id)
            else:
                self._known_runs.add(run_id)
        for item in batch:
            record = item.record
            if isinstance(record, MetricsRecord) and record.run_id in refused:
                self._apply_one(store, item)
            else:
                self._finish(item)

    # Every other record

    def _apply_one(self, store: BackendStore, item: Item) -> None:
        record = item.record
        if record is None:
            self._quarantine(item, StoreFailureError("a newer release wrote this kind of record"))
            return
        if isinstance(record, FinalizeRecord) or (isinstance(record, RunRecord) and record.resume):
            self.save(sync=True)
        try:
            result = self._apply(store, record)
        except StoreUnavailableError as error:
            raise TryLaterError from error
        except RunNotFoundError as error:
            if self._may_still_begin(record, item):
                raise OrphanError from error
            self._refuse(item, error)
        except _REFUSALS as error:
            self._refuse(item, error)
        except Exception as error:  # a permanent failure, a bug of the store's, a driver's error that came through
            if self._tries_again(item):
                raise TryLaterError from error
            self._refuse(item, self._checked(error, item))
        else:
            run_id = run_of(record)
            if run_id:
                self._known_runs.add(run_id)
            self._finish(item, result)

    def _apply(self, store: BackendStore, record: Record) -> Artifact | None:
        match record:
            case MetricsRecord():
                store.log_metrics(record.run_id, _points_of([record]))
            case ExperimentRecord():
                store.get_or_create_experiment(record.name, description=record.description)
            case RunRecord():
                self._ensure_run(store, record)
            case ConfigRecord():
                store.log_config(record.run_id, decode_config(record.config))
            case ArtifactRecord():
                return self._log_artifact(store, record)
            case FinalizeRecord():
                self._finalize(store, record)
        return None

    @staticmethod
    def _ensure_run(store: BackendStore, record: RunRecord) -> None:
        store.ensure_run(
            record.experiment_id,
            run_id=record.run_id,
            training_mode=record.training_mode,
            parent_run_id=record.parent_run_id,
            client_id=record.client_id,
            name=record.name,
            source_path=record.source_path,
            tags=record.tags,
            provenance=decode_config(record.provenance),
            start_time=from_microseconds(record.start_us),
            resume=record.resume,
        )
        # The lease of a recorded run is short, for somebody beats; set it at once, in case its writer is dead already.
        with contextlib.suppress(Exception):
            store.heartbeat(record.run_id, lease_s=LEASE_S)

    def _log_artifact(self, store: BackendStore, record: ArtifactRecord) -> Artifact | None:
        path = str(self._journal.folder / record.source) if record.is_staged else record.source
        if record.is_staged and not Path(path).exists() and self._has_artifact(store, record):
            return None  # a replay: it was stored and its staged bytes were removed
        return store.log_artifact(
            record.run_id,
            path,
            name=record.name,
            artifact_type=record.artifact_type,
            copy=record.copy,
            metadata=decode_config(record.metadata),
        )

    @staticmethod
    def _has_artifact(store: BackendStore, record: ArtifactRecord) -> bool:
        if record.sha256 is None:
            return any(found.name.startswith(f"{record.name}/") for found in store.list_artifacts(record.run_id))
        wanted = (record.name, record.sha256)
        return any((found.name, found.sha256) == wanted for found in store.list_artifacts(record.run_id))

    def _finalize(self, store: BackendStore, record: FinalizeRecord) -> None:
        end_time = from_microseconds(record.end_us)
        if not record.is_end_given:
            # This machine's clock may stand behind the one that began the run; an end that nobody chose gives way.
            end_time = max(end_time, store.get_run(record.run_id).start_time)
        store.finalize(record.run_id, record.status, end_time=end_time, error=record.failure)
        self.ended_runs.append(record.run_id)

    # Verdicts

    def _finish(self, item: Item, result: Artifact | None = None) -> None:
        record = item.record
        if record is not None:
            tally = self._tallies.of(run_of(record))
            tally.stored_calls += 1
            tally.stored_points += points_in(record)
        self._pass(item)
        self._answer(item, result=result)

    def _refuse(self, item: Item, error: Exception) -> None:
        if self._answer(item, error=error):
            # The caller is told; for him the call has failed, and nothing is owed to it any more.
            if item.record is not None:
                tally = self._tallies.of(run_of(item.record))
                tally.refused_calls += 1
                tally.refused_points += points_in(item.record)
            self._pass(item)
        else:
            self._quarantine(item, error)

    def _quarantine(self, item: Item, error: Exception) -> None:
        self._bury(item.record, item.start, bytes(item.payload), error)
        self._pass(item, keep_bytes=True)

    def _bury(self, record: Record | None, position: int, payload: bytes, error: Exception) -> None:
        run_id = None if record is None else run_of(record)
        kind = "unreadable" if record is None else type(record).__name__.removesuffix("Record").lower()
        bury(self._journal.folder, kind=kind, run_id=run_id, position=position, payload=payload, reason=error)
        self._tallies.quarantined += 1
        if record is not None:
            tally = self._tallies.of(run_of(record))
            tally.quarantined_calls += 1
            tally.quarantined_points += points_in(record)

    def _pass(self, item: Item, *, keep_bytes: bool = False) -> None:
        """Takes the first item off and moves the position behind it."""
        self._items.popleft()
        self.position = item.end
        record = item.record
        if isinstance(record, ArtifactRecord) and record.is_staged and not keep_bytes:
            self._done_with.append(self._journal.folder / Path(record.source).parent)

    def _answer(self, item: Item, *, result: Artifact | None = None, error: Exception | None = None) -> bool:
        """Gives the verdict to the caller, if one still waits."""
        if not self._tickets:
            return False
        with self._tickets_lock:
            ticket = self._tickets.pop(item.start, None)
            if ticket is None or ticket.is_abandoned:
                return False
            ticket.result, ticket.error = result, error
            ticket.is_done.set()
            return True

    def _may_still_begin(self, record: Record, item: Item) -> bool:
        if run_of(record) in self._known_runs or item.start in self._tickets:
            return False
        if self._orphans_since[0] != item.start:
            self._orphans_since = (item.start, self._clock())
        return self._clock() - self._orphans_since[1] < ORPHAN_GRACE_S

    def _tries_again(self, item: Item) -> bool:
        start, tries = self._failures
        tries = tries + 1 if start == item.start else 1
        self._failures = (item.start, tries)
        return tries < FAILURE_TRIES

    @staticmethod
    def _checked(error: Exception, item: Item) -> Exception:
        if isinstance(error, RunStoreError):
            return error
        found = StoreFailureError(f"storing the record at {item.start} failed: {type(error).__name__}: {error}")
        found.__cause__ = error
        return found


def report_health(store: BackendStore, writer: str, run_id: str, tally: Tally) -> None:
    """Stores a run's figures with the run; raises what the store raises."""
    store.log_artifact(
        run_id,
        HEALTH_URI,
        name=f"{HEALTH_PREFIX}{writer}",
        artifact_type=HEALTH_TYPE,
        copy=False,
        metadata=health_metadata(tally.health(run_id)),
    )


def _points_of(records: list[MetricsRecord]) -> list[MetricPoint]:
    points = []
    for record in records:
        accepted_at = from_microseconds(record.at_us)
        for name, dataset_type, step, value, logged_at_us in record.points:
            points.append(
                MetricPoint(
                    name=name,
                    value=value,
                    step=step,
                    dataset_type=dataset_type,
                    logged_at=accepted_at if logged_at_us is None else from_microseconds(logged_at_us),
                )
            )
    return points
