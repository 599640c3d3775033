"""Writing points: series by series as :mod:`runstore_mongo.series` plans it, and the copy that filters use.

Each run carries a copy of its series' statistics (``runs.metrics``), so that 10,000 runs are ordered by one metric
without touching 10,000 other documents. On a replica set the points, the summaries and that copy change in one
transaction. On a standalone server they are two commands: all series, then the copy; a writer that dies in between
leaves the copy one call behind, and the next call mends it.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError
from pymongo.write_concern import WriteConcern

from runstore.batches import Batch
from runstore.checks import MAX_STEP, Series, unknown_run
from runstore.errors import RunNotFoundError
from runstore_mongo.columns import Columns, empty, of_batch
from runstore_mongo.connection import ConflictingWriteError, Connection, Document, Session, is_duplicate
from runstore_mongo.documents import BUCKETS, RUNS, SERIES, copied, series_key, touched
from runstore_mongo.series import BUCKET_POINTS, Plan, SeriesState, is_due, loses_extreme, plan_write, state_of

LARGE_TAIL: Final = 8 * BUCKET_POINTS
"""A tail above this is packed away at once, not by the next write: summaries are read from the same document."""

MOST_AT_ONCE: Final = 300_000
"""Points of one series that are written by one statement: 7 MiB of a document's 16."""

_CACHED_SERIES: Final = 2_000
_TURNS: Final = 64
_NEW: Final = SeriesState(0, -1, None, empty())

Batches = Mapping[str, tuple[Series, Columns]]


class Ingest:
    """Writes points for one handle, and remembers the series that it wrote last."""

    def __init__(self, connection: Connection) -> None:
        """Reads nothing yet."""
        self._connection = connection
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._known: OrderedDict[str, SeriesState] = OrderedDict()
        self._turns = [threading.Lock() for _ in range(_TURNS)]

    def write(self, run_id: str, points: Mapping[Series, Batch]) -> None:
        """Stores the points of one call, each series in step order.

        Round trips: one for the series and one for the run, and on a replica set one to commit; one more for series
        that this handle has not seen, one to seal, one where stored points are overwritten. Their number does not
        depend on the number of points, up to :data:`MOST_AT_ONCE` of one series.

        Raises:
            RunNotFoundError: on a replica set; elsewhere the caller has looked.
        """
        if self._pid != os.getpid():
            self._begin()  # forked: another thread of the parent may have held the lock
        batches = {series_key(run_id, *series): (series, of_batch(batch)) for series, batch in points.items()}
        while batches:
            now = {key: (series, batch.part(0, MOST_AT_ONCE)) for key, (series, batch) in batches.items()}
            self._write(run_id, now)
            large = {key: (series, empty()) for key, (series, _) in now.items() if self._has_large_tail(key)}
            if large:
                self._write(run_id, large)
            batches = {
                key: (series, batch.part(MOST_AT_ONCE, len(batch.steps)))
                for key, (series, batch) in batches.items()
                if len(batch.steps) > MOST_AT_ONCE
            }

    def _write(self, run_id: str, batches: Batches) -> None:
        turn = self._turns[hash(run_id) % _TURNS]

        def attempt() -> None:
            with turn:  # threads that write to one run through one handle would only send each other back
                self._attempt(run_id, batches)

        self._connection.call("log metrics", attempt)

    def _attempt(self, run_id: str, batches: Batches) -> None:
        try:
            states = self._load(batches)
            stored = self._overlapped(batches, states)
            plans = [
                plan_write(run_id, key, series, batch, states[key], stored.get(key, []))
                for key, (series, batch) in batches.items()
            ]
            self._connection.transact(lambda session: self._apply(run_id, plans, session))
        except BaseException:
            # What was written is not known for sure: the next attempt, or call, reads first.
            self._forget(batches)
            raise
        self._remember({plan.key: plan.after for plan in plans})

    def _load(self, keys: Iterable[str]) -> dict[str, SeriesState]:
        with self._lock:
            states = {key: self._known[key] for key in keys if key in self._known}
        missing = [key for key in keys if key not in states]
        if missing:
            for document in self._connection.collection(SERIES).find({"_id": {"$in": missing}}):
                states[document["_id"]] = state_of(document)
        return {key: states.get(key, _NEW) for key in keys}

    def _overlapped(self, batches: Batches, states: Mapping[str, SeriesState]) -> dict[str, list[Document]]:
        """The buckets that the new points overwrite, or that a seal has to merge into, by series."""
        wanted = []
        for key, (_, batch) in batches.items():
            state = states[key]
            low, high = MAX_STEP, -1
            for part in (batch, state.tail if is_due(state, batch) else empty()):
                if part.steps and part.steps[0] <= state.sealed_to:
                    low, high = min(low, part.steps[0]), max(high, min(part.steps[-1], state.sealed_to))
            if loses_extreme(state, batch):
                low, high = 0, MAX_STEP
            if low <= high:
                wanted.append({"series": key, "low": {"$lte": high}, "high": {"$gte": low}})
        found: dict[str, list[Document]] = {}
        if wanted:
            for document in self._connection.collection(BUCKETS).find({"$or": wanted}).sort({"series": 1, "low": 1}):
                if document["version"] > states[document["series"]].version:
                    raise ConflictingWriteError
                found.setdefault(document["series"], []).append(document)
        return found

    def _apply(self, run_id: str, plans: Sequence[Plan], session: Session) -> None:
        """Buckets before series: without a transaction a bucket must be whole before the tail lets go of its points.

        In a transaction the run comes first, so that two writers of one run meet before they have done any work.
        """
        if session is not None:
            self._copy(run_id, plans, session)
        for name, operations in (
            (BUCKETS, [seal for plan in plans for seal in plan.seals]),
            (SERIES, [plan.write for plan in plans]),
        ):
            self._compare_and_set(name, operations, session)
        if session is None:
            self._copy(run_id, plans, session)

    def _compare_and_set(self, name: str, operations: Sequence[UpdateOne], session: Session) -> None:
        if not operations:
            return
        collection = self._connection.collection(name)
        try:
            result = collection.bulk_write(operations, ordered=name == BUCKETS, session=session)
        except BulkWriteError as error:
            if is_duplicate(error):  # a new series that another writer made, a bucket that a later seal wrote
                raise ConflictingWriteError from error
            raise
        if result.matched_count + result.upserted_count != len(operations):
            raise ConflictingWriteError

    def _copy(self, run_id: str, plans: Sequence[Plan], session: Session) -> None:
        """The run's copy of the statistics, and its sign of life."""
        stages = copied([(plan.after.version, plan.after.summary) for plan in plans if plan.after.summary is not None])
        stages.append(touched({}))
        runs = self._connection.collection(RUNS)
        if session is None:  # the points are on disk; the copy, which the next call mends, need not be waited for
            runs = runs.with_options(write_concern=WriteConcern(w=1))
        result = runs.update_one({"_id": run_id}, stages, session=session)
        if not result.matched_count:
            raise RunNotFoundError(unknown_run(run_id))

    def _has_large_tail(self, key: str) -> bool:
        with self._lock:
            return len(self._known.get(key, _NEW).tail.steps) > LARGE_TAIL

    def _remember(self, states: Mapping[str, SeriesState]) -> None:
        with self._lock:
            for key, state in states.items():
                self._known[key] = state
                self._known.move_to_end(key)
            while len(self._known) > _CACHED_SERIES:
                self._known.popitem(last=False)

    def _forget(self, keys: Iterable[str]) -> None:
        with self._lock:
            for key in keys:
                self._known.pop(key, None)
