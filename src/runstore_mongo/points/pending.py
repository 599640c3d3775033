"""Writing points: one update of one document a call.

A call's points first wait in the document of their run (``runs.pending``), beside the run's summaries
(``runs.metrics``). So one update carries them, is atomic on every server, a standalone one too, and finds out by itself
whether the run exists and whether what this handle remembers of it still holds: each series is guarded by its version.
When :data:`MOVE_AT` bytes wait, they are moved into the documents of their series, which is never urgent.

A run with more than :data:`runstore_mongo.documents.summaries.MOST_COPIED` series is *wide*: nothing waits in it any more, and
calls write its series themselves (:meth:`runstore_mongo.points.writer.SeriesWriter.write`).
"""

import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from bson import ObjectId
from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure, PyMongoError

from runstore.backend import StepRange
from runstore.errors import RunDeletedError, RunNotFoundError
from runstore.local.processes import PerProcess
from runstore.model import SeriesSummary
from runstore.series import Columns, Series, SeriesColumns
from runstore_mongo.connection import ConflictingWriteError, Connection
from runstore_mongo.documents import summaries
from runstore_mongo.documents.names import RUNS, Document, copy_key
from runstore_mongo.documents.packed import packed, part
from runstore_mongo.documents.stages import heartbeat_stage
from runstore_mongo.documents.summaries import statistics, versions_and_summaries
from runstore_mongo.points.history import StoredPoints, read_stored
from runstore_mongo.points.remembered import Remembered
from runstore_mongo.points.summaries import loses_extreme, summary_after
from runstore_mongo.points.writer import SeriesWriter, Waiting, taken

MOVE_AT: Final = 128 * 1024
"""Bytes that may wait in a run: the server handles all of its document for each call."""

MOVE_AT_CALLS: Final = 100
"""Calls whose points may wait, so that calls of one point, too, do not wait for more than they bring."""

_WORTH_MOVING: Final = 8 * 1024
"""Bytes that an ended run may keep."""

MOST_AT_ONCE: Final = 300_000
"""Points that are written by one update: 7 MiB of a document's 16."""

_MOST_BESIDE_A_LARGE_CONFIG: Final = 10_000

_TOO_LARGE: Final = frozenset({10334, 17419, 17420})

_POINT_BYTES: Final = 24
_BLOCK_BYTES: Final = 150
_REMEMBERED_SERIES: Final = 5_000
_BYTES_A_SERIES: Final = 16 * 1024
_TURNS: Final = 64


class _RunState:
    """A run as this handle last saw it.

    Attributes:
        series: its series, each with its version and its summary; of a wide run the keys alone are up to date, and
            those are the series that it keeps a copy of.
        pending_bytes: about how much waits in it.
        pending_calls: how many calls of this handle wait in it.
        waiting: those calls; ``None`` once points of others may wait in it, too.
        is_wide: whether it has more series than it holds summaries of.
    """

    __slots__ = ("is_wide", "pending_bytes", "pending_calls", "series", "waiting")

    def __init__(self, series: dict[Series, tuple[int, SeriesSummary]], pending_bytes: int, *, is_wide: bool) -> None:
        self.series = series
        self.pending_bytes = pending_bytes
        self.pending_calls = 0
        self.waiting: list[Waiting] | None = [] if pending_bytes < _BLOCK_BYTES else None
        self.is_wide = is_wide

    @property
    def size(self) -> int:
        """What it takes to remember, in about the size of a series."""
        return len(self.series) + 1 + self.pending_bytes // _BYTES_A_SERIES


class _Memory:
    """What one process has: the runs that it wrote to last, and locks by which its threads take turns at a run."""

    def __init__(self) -> None:
        self.runs = Remembered[_RunState](_REMEMBERED_SERIES)
        self.turns = [threading.Lock() for _ in range(_TURNS)]


class _Push(NamedTuple):
    """What a call changes in a run.

    Attributes:
        series: what the series then are, each with its version and its summary.
    """

    call: ObjectId
    guards: Document
    changes: Document
    series: dict[Series, tuple[int, SeriesSummary]]


class _TooLargeError(Exception):
    """The run's document has no room for so many points at once."""


class PointWriter:
    """Writes points for one handle, and remembers the runs that it wrote to last."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._writer = SeriesWriter(connection)
        self._memory = PerProcess(_Memory)

    def begin_run(self, run_id: str) -> None:
        """Tells of a run that this handle has just made: it needs not be read before it is written to."""
        self._remember(run_id, _RunState({}, 0, is_wide=False))

    def write(self, run_id: str, points: SeriesColumns, *, is_heartbeat: bool) -> None:
        """Stores the points of one call, each series in step order.

        Round trips: one; one more on a run that this handle does not know, three more where stored points are
        overwritten, and five now and then to move points. Their number depends neither on the number of points,
        up to :data:`MOST_AT_ONCE`, nor on the number of series.

        Args:
            run_id: the run.
            points: at least one.
            is_heartbeat: prolong the lease, too.

        Raises:
            RunNotFoundError: there is no such run.
        """
        for some in _parts(points, MOST_AT_ONCE):
            try:
                self._write(run_id, some, is_heartbeat=is_heartbeat)
            except _TooLargeError:
                for small in _parts(some, _MOST_BESIDE_A_LARGE_CONFIG):
                    self._write(run_id, small, is_heartbeat=is_heartbeat)

    def end_run(self, run_id: str) -> None:
        """Moves what waits in a run that has ended, if this handle knows of so much that it is worth it."""
        state = self._memory.get().runs.get(run_id)
        if state is not None and state.pending_bytes >= _WORTH_MOVING:
            self._connection.call("move points", lambda: self._move(run_id, state))

    def _write(self, run_id: str, batches: SeriesColumns, *, is_heartbeat: bool) -> None:
        turn = self._memory.get().turns[hash(run_id) % _TURNS]

        def attempt() -> None:
            with turn:  # threads that write to one run through one handle would only send each other back
                self._attempt(run_id, batches, is_heartbeat=is_heartbeat)

        self._connection.call("log metrics", attempt)

    def _attempt(self, run_id: str, batches: SeriesColumns, *, is_heartbeat: bool) -> None:
        with self._memory.get().runs.forgetting([run_id]):
            state = self._load(run_id)
            if not state.is_wide and len(state.series.keys() | batches.keys()) > summaries.MOST_COPIED:
                self._widen(run_id, state)
            if state.is_wide:
                self._writer.write(run_id, batches, copied=state.series.keys())
                return
            known = self._overwritten(run_id, batches, state)
            batches = taken(batches, {series: stored.thinned for series, stored in known.items()})
            if not batches:
                self._beat(run_id, is_due=is_heartbeat)
                return
            push = self._push(run_id, batches, state, known, is_heartbeat=is_heartbeat)
            if state.waiting is not None:
                state.waiting.append(Waiting(push.call, batches, push.series))
            self._remember(run_id, state)
        if state.pending_bytes >= MOVE_AT or state.pending_calls >= MOVE_AT_CALLS:
            self._move(run_id, state)

    def _load(self, run_id: str) -> _RunState:
        known = self._memory.get().runs.get(run_id)
        if known is not None:
            return known
        fields = {"metrics": 1, "has_more_series": 1, "purged_at": 1, "waiting": {"$bsonSize": {"pending": "$pending"}}}
        run = self._connection.collection(RUNS).find_one({"_id": run_id}, fields)
        if run is None:
            raise RunNotFoundError.of(run_id)
        if run.get("purged_at") is not None:
            raise RunDeletedError.of(run_id, is_purged=True)
        state = _RunState(versions_and_summaries(run["metrics"]), run["waiting"], is_wide=bool(run["has_more_series"]))
        self._remember(run_id, state)
        return state

    def _beat(self, run_id: str, *, is_due: bool) -> None:
        """What is left of a call for steps that were thinned, of which nothing is written."""
        if is_due:
            scope = {"_id": run_id, "purged_at": None}
            if not self._connection.collection(RUNS).update_one(scope, [heartbeat_stage()]).matched_count:
                raise ConflictingWriteError

    def _push(
        self,
        run_id: str,
        batches: SeriesColumns,
        state: _RunState,
        known: Mapping[Series, StoredPoints],
        *,
        is_heartbeat: bool,
    ) -> _Push:
        push = _planned(batches, state, known)
        guards = {"_id": run_id, "has_more_series": {"$ne": True}, "purged_at": None, **push.guards}
        runs = self._connection.collection(RUNS)
        try:
            if is_heartbeat:  # by the server's clock, which only a pipeline can read; in the same command
                operations = [UpdateOne(guards, push.changes), UpdateOne({"_id": run_id}, [heartbeat_stage()])]
                is_stored = runs.bulk_write(operations).matched_count == len(operations)
            else:
                is_stored = runs.update_one(guards, push.changes).matched_count == 1
        except PyMongoError as error:
            if not _is_too_large(error):
                raise
            self._make_room(run_id, batches, error)
        if not is_stored:
            raise ConflictingWriteError
        state.series.update(push.series)
        state.pending_calls += 1
        state.pending_bytes += sum(_BLOCK_BYTES + _POINT_BYTES * len(batch.steps) for batch in batches.values())
        return push

    def _overwritten(self, run_id: str, batches: SeriesColumns, state: _RunState) -> dict[Series, StoredPoints]:
        """The stored points that the new ones may replace, as far as the summaries depend on them, and what was thinned.

        They may be newer than what is remembered of their series; then its guard fails.
        """
        wanted = {}
        for series, batch in batches.items():
            _, summary = state.series.get(series, (0, None))
            if summary is not None and batch.steps[0] <= summary.last.step:
                is_whole = loses_extreme(summary, batch)
                wanted[series] = StepRange() if is_whole else StepRange(batch.steps[0], batch.steps[-1])
        return read_stored(self._connection, run_id, wanted) if wanted else {}

    def _make_room(self, run_id: str, batches: SeriesColumns, error: PyMongoError) -> None:
        """Moves what waits in a run that is full; if that cannot be enough, says so."""
        waiting = self._connection.collection(RUNS).find_one(
            {"_id": run_id, "pending.0": {"$exists": True}}, {"_id": 1}
        )
        if waiting is not None:
            self._writer.move(run_id)
            raise ConflictingWriteError from error
        if sum(len(batch.steps) for batch in batches.values()) <= _MOST_BESIDE_A_LARGE_CONFIG:
            raise error
        raise _TooLargeError from error

    def _widen(self, run_id: str, state: _RunState) -> None:
        """From now on nothing waits in the run."""
        self._writer.move(run_id)
        widened = self._connection.collection(RUNS).find_one_and_update(
            {"_id": run_id, "pending.0": {"$exists": False}},
            {"$set": {"has_more_series": True}},
            {"metrics": 1},
            return_document=ReturnDocument.AFTER,
        )
        if widened is None:
            raise ConflictingWriteError
        state.is_wide = True
        state.pending_bytes, state.waiting = 0, []
        state.series = versions_and_summaries(widened["metrics"])

    def _move(self, run_id: str, state: _RunState) -> None:
        """Moves what waits."""
        try:
            if state.waiting is None:
                self._writer.move(run_id)
            else:
                self._writer.move_calls(run_id, state.waiting)
        except ConflictingWriteError:  # another handle is at it; what it leaves in the run is seen by the next call
            self._memory.get().runs.forget([run_id])
        else:
            state.pending_bytes = state.pending_calls = 0
            state.waiting = []
            self._remember(run_id, state)

    def _remember(self, run_id: str, state: _RunState) -> None:
        self._memory.get().runs.put([(run_id, state, state.size)])


def _planned(batches: SeriesColumns, state: _RunState, known: Mapping[Series, StoredPoints]) -> _Push:
    """What a call changes in a run, of which it is known what it may replace."""
    call = ObjectId()
    guards: Document = {}
    blocks: list[Document] = []
    changes: Document = {}
    series: dict[Series, tuple[int, SeriesSummary]] = {}
    for identity, batch in batches.items():
        version, before = state.series.get(identity, (0, None))
        stored = known.get(identity)
        summary = summary_after(identity, before, batch, stored.columns if stored else Columns.empty())
        path = f"metrics.{copy_key(identity)}"
        guards[f"{path}.version"] = version or None  # none is stored of a new series
        if (
            before is not None
        ):  # of a database that was brought back another writer may have made that version meanwhile
            guards[f"{path}.count"] = before.count
            guards[f"{path}.last_step"] = before.last.step
        name, dataset_type = identity
        blocks.append(
            {
                "call": call,
                "metric_name": name,
                "dataset_type": dataset_type,
                "version": version + 1,
                **packed(batch),
            }
        )
        changes[path] = statistics(version + 1, summary)
        series[identity] = version + 1, summary
    return _Push(call, guards, {"$set": changes, "$push": {"pending": {"$each": blocks}}}, series)


def _parts(batches: SeriesColumns, most: int) -> Iterator[SeriesColumns]:
    """The batches in parts of so many points."""
    if sum(len(batch.steps) for batch in batches.values()) <= most:
        yield batches
        return
    some: SeriesColumns = {}
    room = most
    for series, batch in batches.items():
        at = 0
        while at < len(batch.steps):
            piece = part(batch, at, at + room) if at or len(batch.steps) > room else batch
            some[series] = piece
            at += len(piece.steps)
            room -= len(piece.steps)
            if not room:
                yield some
                some, room = {}, most
    if some:
        yield some


def _is_too_large(error: PyMongoError) -> bool:
    if isinstance(error, DocumentTooLarge):
        return True
    if isinstance(error, BulkWriteError):
        failures: list[Any] = dict(error.details or {}).get("writeErrors", [])
        return any(failure.get("code") in _TOO_LARGE for failure in failures)
    return isinstance(error, OperationFailure) and error.code in _TOO_LARGE
