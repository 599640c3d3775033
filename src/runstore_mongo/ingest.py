"""Writing points: one update of one document a call.

A call's points first wait in the document of their run (``runs.pending``), beside the run's summaries
(``runs.metrics``). So one update carries them, is atomic on every server, a standalone one too, and finds out by itself
whether the run exists and whether what this handle remembers of it still holds: each series is guarded by its version.
When :data:`PACK_AT` bytes wait, they are packed away into the documents of their series, which is never urgent.

A run with more than :data:`runstore_mongo.documents.MOST_COPIED` series is *wide*: nothing waits in it any more, and
calls write its series themselves (:meth:`runstore_mongo.packing.SeriesWriter.write`).
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure, PyMongoError

from runstore.errors import RunNotFoundError
from runstore.model import SeriesSummary
from runstore.series.batches import Batch
from runstore.series.checked import Series
from runstore_mongo import documents
from runstore_mongo.columns import Columns, empty, of_batch
from runstore_mongo.connection import ConflictingWriteError, Connection, Document
from runstore_mongo.documents import RUNS, copy_key, statistics, summaries_of, touched
from runstore_mongo.history import read_points
from runstore_mongo.packing import Batches, SeriesWriter
from runstore_mongo.series import loses_extreme, summary_after

PACK_AT: Final = 128 * 1024
"""Bytes that may wait in a run: the server handles all of its document for each call."""

PACK_AT_CALLS: Final = 100
"""Calls whose points may wait, so that calls of one point, too, do not wait for more than they bring."""

_WORTH_PACKING: Final = 8 * 1024
"""Bytes that an ended run may keep."""

MOST_AT_ONCE: Final = 300_000
"""Points that are written by one update: 7 MiB of a document's 16."""

_MOST_BESIDE_A_LARGE_CONFIG: Final = 10_000

_TOO_LARGE: Final = frozenset({10334, 17419, 17420})

_POINT_BYTES: Final = 24
_BLOCK_BYTES: Final = 150
_CACHED_SERIES: Final = 5_000
_TURNS: Final = 64


class _RunState:
    """A run as this handle last saw it.

    Attributes:
        series: all its series, each with its version and its summary.
        pending_bytes: about how much waits in it.
        pending_calls: how many calls of this handle wait in it.
        is_wide: whether it has more series than it holds summaries of.
    """

    __slots__ = ("is_wide", "pending_bytes", "pending_calls", "series")

    def __init__(self, series: dict[Series, tuple[int, SeriesSummary]], pending_bytes: int, *, is_wide: bool) -> None:
        self.series = series
        self.pending_bytes = pending_bytes
        self.pending_calls = 0
        self.is_wide = is_wide


class _Push(NamedTuple):
    """What a call changes in a run."""

    guards: Document
    changes: Document
    series: dict[Series, tuple[int, SeriesSummary]]


class _TooLargeError(Exception):
    """The run's document has no room for so many points at once."""


class Ingest:
    """Writes points for one handle, and remembers the runs that it wrote to last."""

    def __init__(self, connection: Connection) -> None:
        """Reads nothing yet."""
        self._connection = connection
        self._writer = SeriesWriter(connection)
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _RunState] = OrderedDict()
        self._turns = [threading.Lock() for _ in range(_TURNS)]

    def begin_run(self, run_id: str) -> None:
        """Tells of a run that this handle has just made: it needs not be read before it is written to."""
        self._check_process()
        self._remember(run_id, _RunState({}, 0, is_wide=False))

    def write(self, run_id: str, points: Mapping[Series, Batch], *, is_sign_of_life: bool) -> None:
        """Stores the points of one call, each series in step order.

        Round trips: one; one more on a run that this handle does not know, three more where stored points are
        overwritten, and five now and then to pack points away. Their number depends neither on the number of points,
        up to :data:`MOST_AT_ONCE`, nor on the number of series.

        Args:
            run_id: the run.
            points: at least one.
            is_sign_of_life: prolong the lease, too.

        Raises:
            RunNotFoundError: there is no such run.
        """
        self._check_process()
        for part in _parts({series: of_batch(batch) for series, batch in points.items()}, MOST_AT_ONCE):
            try:
                self._write(run_id, part, is_sign_of_life=is_sign_of_life)
            except _TooLargeError:
                for small in _parts(part, _MOST_BESIDE_A_LARGE_CONFIG):
                    self._write(run_id, small, is_sign_of_life=is_sign_of_life)

    def end_run(self, run_id: str) -> None:
        """Packs away what waits in a run that has ended, if this handle knows of enough that it is worth while."""
        self._check_process()
        with self._lock:
            state = self._known.get(run_id)
        if state is not None and state.pending_bytes >= _WORTH_PACKING:
            self._connection.call("pack points away", lambda: self._pack(run_id, state))

    def _write(self, run_id: str, batches: Batches, *, is_sign_of_life: bool) -> None:
        turn = self._turns[hash(run_id) % _TURNS]

        def attempt() -> None:
            with turn:  # threads that write to one run through one handle would only send each other back
                self._attempt(run_id, batches, is_sign_of_life=is_sign_of_life)

        self._connection.call("log metrics", attempt)

    def _attempt(self, run_id: str, batches: Batches, *, is_sign_of_life: bool) -> None:
        try:
            state = self._load(run_id)
            if not state.is_wide and len(state.series.keys() | batches.keys()) > documents.MOST_COPIED:
                self._widen(run_id, state)
            if state.is_wide:
                self._writer.write(run_id, batches)
                return
            self._push(run_id, batches, state, is_sign_of_life=is_sign_of_life)
        except BaseException:
            # What was written is not known for sure: the next attempt, or call, reads first.
            with self._lock:
                self._known.pop(run_id, None)
            raise
        if state.pending_bytes >= PACK_AT or state.pending_calls >= PACK_AT_CALLS:
            self._pack(run_id, state)

    def _load(self, run_id: str) -> _RunState:
        with self._lock:
            known = self._known.get(run_id)
        if known is not None:
            return known
        fields = {"metrics": 1, "has_more_series": 1, "waiting": {"$bsonSize": {"pending": "$pending"}}}
        run = self._connection.collection(RUNS).find_one({"_id": run_id}, fields)
        if run is None:
            raise RunNotFoundError.of(run_id)
        is_wide = bool(run["has_more_series"])
        state = _RunState({} if is_wide else summaries_of(run["metrics"]), run["waiting"], is_wide=is_wide)
        self._remember(run_id, state)
        return state

    def _push(self, run_id: str, batches: Batches, state: _RunState, *, is_sign_of_life: bool) -> None:
        push = self._planned(run_id, batches, state)
        guards = {"_id": run_id, "has_more_series": {"$ne": True}, **push.guards}
        runs = self._connection.collection(RUNS)
        try:
            if is_sign_of_life:  # by the server's clock, which only a pipeline can read; in the same command
                operations = [UpdateOne(guards, push.changes), UpdateOne({"_id": run_id}, [touched({})])]
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

    def _planned(self, run_id: str, batches: Batches, state: _RunState) -> _Push:
        known = self._overwritten(run_id, batches, state)
        call = ObjectId()
        guards: Document = {}
        blocks: list[Document] = []
        changes: Document = {}
        series: dict[Series, tuple[int, SeriesSummary]] = {}
        for identity, batch in batches.items():
            version, before = state.series.get(identity, (0, None))
            summary = summary_after(identity, before, batch, known.get(identity) or empty())
            path = f"metrics.{copy_key(*identity)}"
            guards[f"{path}.version"] = version or None  # none is stored of a new series
            name, dataset_type = identity
            blocks.append(
                {
                    "call": call,
                    "metric_name": name,
                    "dataset_type": dataset_type,
                    "version": version + 1,
                    "count": len(batch.steps),
                    **batch.to_document(),
                }
            )
            changes[path] = statistics(version + 1, summary)
            series[identity] = version + 1, summary
        return _Push(guards, {"$set": changes, "$push": {"pending": {"$each": blocks}}}, series)

    def _overwritten(self, run_id: str, batches: Batches, state: _RunState) -> dict[Series, Columns]:
        """The stored points that the new ones may replace, as far as the summaries depend on them.

        They may be newer than what is remembered of their series; then its guard fails.
        """
        wanted = {}
        for series, batch in batches.items():
            _, summary = state.series.get(series, (0, None))
            if summary is not None and batch.steps[0] <= summary.last.step:
                is_whole = loses_extreme(summary, batch)
                wanted[series] = (0, 2**63 - 1) if is_whole else (batch.steps[0], batch.steps[-1])
        return read_points(self._connection, run_id, wanted) if wanted else {}

    def _make_room(self, run_id: str, batches: Batches, error: PyMongoError) -> None:
        """Packs away what waits in a run that is full; if that cannot be enough, says so."""
        waiting = self._connection.collection(RUNS).find_one(
            {"_id": run_id, "pending.0": {"$exists": True}}, {"_id": 1}
        )
        if waiting is not None:
            self._writer.pack(run_id)
            raise ConflictingWriteError from error
        if sum(len(batch.steps) for batch in batches.values()) <= _MOST_BESIDE_A_LARGE_CONFIG:
            raise error
        raise _TooLargeError from error

    def _widen(self, run_id: str, state: _RunState) -> None:
        """From now on nothing waits in the run."""
        self._writer.pack(run_id)
        widened = self._connection.collection(RUNS).update_one(
            {"_id": run_id, "pending.0": {"$exists": False}}, {"$set": {"has_more_series": True}}
        )
        if not widened.matched_count:
            raise ConflictingWriteError
        state.is_wide = True
        state.series.clear()

    def _pack(self, run_id: str, state: _RunState) -> None:
        with suppress(ConflictingWriteError):  # then another handle does it
            self._writer.pack(run_id)
        state.pending_bytes = state.pending_calls = 0

    def _check_process(self) -> None:
        if self._pid != os.getpid():
            self._begin()  # forked: another thread of the parent may have held a lock

    def _remember(self, run_id: str, state: _RunState) -> None:
        with self._lock:
            self._known[run_id] = state
            self._known.move_to_end(run_id)
            while len(self._known) > 1 and sum(len(held.series) + 1 for held in self._known.values()) > _CACHED_SERIES:
                self._known.popitem(last=False)


def _parts(batches: Batches, most: int) -> Iterator[dict[Series, Columns]]:
    """The batches in parts of so many points."""
    part: dict[Series, Columns] = {}
    room = most
    for series, batch in batches.items():
        at = 0
        while at < len(batch.steps):
            piece = batch.part(at, at + room) if at or len(batch.steps) > room else batch
            part[series] = piece
            at += len(piece.steps)
            room -= len(piece.steps)
            if not room:
                yield part
                part, room = {}, most
    if part:
        yield part


def _is_too_large(error: PyMongoError) -> bool:
    if isinstance(error, DocumentTooLarge):
        return True
    if isinstance(error, BulkWriteError):
        failures: list[Any] = dict(error.details or {}).get("writeErrors", [])
        return any(failure.get("code") in _TOO_LARGE for failure in failures)
    return isinstance(error, OperationFailure) and error.code in _TOO_LARGE
