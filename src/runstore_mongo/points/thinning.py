"""Long work on stored series, in short pieces: rolling up what an older release wrote, and thinning what has ended.

What is thinned keeps, below the frontier of its roll-ups, the points that its cells name. Packs stay as they are, and say of
a range what they have always said. A bucket is rewritten only if it is still as it was read, so nothing that is written
meanwhile gets lost.

Before a point is removed its steps are closed: no writer writes there any more (CHG.13), so the summary and the packs, which
tell of all points, stay right. ``thinned`` of the series says up to where, below zero as long as it is under way. It is set
first, and then the versions go up by which each writer knows a series; whoever planned a write without it fails, and reads it.
The packs and the buckets that are thinned get that version, too: a writer that seals what it remembers of the series from
before would make packs anew of the points that are left.
"""

import time
from collections.abc import Iterator
from itertools import compress

from bson.int64 import Int64
from msgspec.structs import replace
from pymongo import DeleteOne, UpdateOne

from runstore.model import Thinned
from runstore.series import Series, unpacked
from runstore_mongo.connection import ConflictingWriteError, Connection
from runstore_mongo.documents.names import BUCKETS, ROLLUPS, RUNS, SERIES, Document, copy_key, keys_of_run
from runstore_mongo.documents.packed import packed
from runstore_mongo.documents.packed import unpacked as unpacked_points
from runstore_mongo.documents.records import ANY_TIME, SHOWN
from runstore_mongo.points.plans import SeriesState, state_of
from runstore_mongo.points.rollups import ROLL_AT, Roller, pack_scope
from runstore_mongo.points.writer import SeriesWriter

_LEAST_POINTS = 1_000
"""A series of fewer points is not worth thinning."""

_BUCKETS_A_PIECE = 100


def roll_up_stored(connection: Connection) -> None:
    """Rolls up the series of all runs as far as they lack it; between the pieces others find the server free."""
    is_long = {"count": {"$gte": ROLL_AT}}
    keys = connection.call(
        "roll up", lambda: [each["_id"] for each in connection.collection(SERIES).find(is_long, {"_id": 1})]
    )
    roller = Roller(connection)
    for key in keys:
        _rolled_up(connection, roller, key)


def thin_runs(connection: Connection, *, ended_before_us: int) -> Thinned:
    """Thins the histories of the runs that ended before a moment."""
    scope = {"end_time": {**ANY_TIME, "$lt": ended_before_us}, **SHOWN}
    runs = connection.collection(RUNS)
    run_ids = connection.call("thin histories", lambda: [run["_id"] for run in runs.find(scope, {"_id": 1})])
    thinner = _Thinner(connection)
    removed = [points for run_id in run_ids for points in thinner.thin(run_id) if points]
    return Thinned(series=len(removed), points=sum(removed))


def _rolled_up(connection: Connection, roller: Roller, key: str) -> SeriesState | None:
    """A series once it is rolled up as far as its buckets go, or as far as it was when another writer came."""

    def piece() -> tuple[SeriesState, bool] | None:
        document = connection.collection(SERIES).find_one({"_id": key})
        return None if document is None else roller.advance(key, state_of(document))

    while True:
        began = time.monotonic()
        found = connection.call("roll up", piece)
        if found is None or not found[1]:
            return None if found is None else found[0]
        time.sleep(time.monotonic() - began)


class _Thinner:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._roller = Roller(connection)
        self._writer = SeriesWriter(connection)

    def thin(self, run_id: str) -> Iterator[int]:
        """Thins a run; gives for each of its long series how many points were removed."""
        self._connection.call("thin histories", lambda: self._writer.move(run_id))
        series = self._connection.collection(SERIES)
        scope = {"_id": keys_of_run(run_id), "count": {"$gte": _LEAST_POINTS}}
        keys = self._connection.call("thin histories", lambda: [each["_id"] for each in series.find(scope, {"_id": 1})])
        for key in keys:
            state = _rolled_up(self._connection, self._roller, key)
            if state is None or not state.rolled:
                continue
            closed = self._connection.call("thin histories", lambda key=key: self._close(run_id, key))  # type: ignore[misc]
            if closed is not None:
                yield self._thin_series(key, closed)

    def _close(self, run_id: str, key: str) -> SeriesState | None:
        """Closes a series up to the frontier of its roll-ups; ``None`` where there is nothing to thin."""
        collection = self._connection.collection(SERIES)
        document = collection.find_one({"_id": key})
        state = None if document is None else state_of(document)
        if document is None or state is None or not state.rolled or document.get("thinned") == state.rolled:
            return None
        series = document["metric_name"], document["dataset_type"]
        tail = unpacked_points(state.tail).steps
        if tail and tail[0] < state.rolled:  # it hides what packs say, and would be packed over them later
            self._writer.seal(run_id, series)
            raise ConflictingWriteError  # and so it is looked at again
        is_same = {"_id": key, "version": state.version, "rolled": state.stored_rolled}
        if not collection.update_one(is_same, {"$set": {"thinned": Int64(-state.rolled)}}).matched_count:
            raise ConflictingWriteError
        self._raise_version_in_run(run_id, series, state.version)
        after = {"version": state.version + 1, "rollup_version": state.version + 1}
        if not collection.update_one(is_same, {"$set": after}).matched_count:
            raise ConflictingWriteError
        return replace(state, version=state.version + 1, thinned=state.rolled)

    def _raise_version_in_run(self, run_id: str, series: Series, version: int) -> None:
        """Has writers whose points wait in the run look at the series again. Of a wide run none wait."""
        runs, path = self._connection.collection(RUNS), f"metrics.{copy_key(series)}.version"
        name, dataset_type = series
        waits = {"metric_name": name, "dataset_type": dataset_type, "version": {"$gt": version}}
        scope = {"_id": run_id, path: {"$gte": version}, "pending": {"$not": {"$elemMatch": waits}}}
        narrow = {"has_more_series": {"$ne": True}}
        if runs.update_one({**scope, **narrow}, {"$inc": {path: 1}}).matched_count:
            return
        if runs.find_one({"_id": run_id, "has_more_series": True}, {"_id": 1}) is None:
            self._writer.move(run_id)
            raise ConflictingWriteError

    def _thin_series(self, key: str, state: SeriesState) -> int:
        series, buckets = self._connection.collection(SERIES), self._connection.collection(BUCKETS)
        self._connection.call("thin histories", lambda: self._stamp_packs(key, state))
        kept = self._connection.call("thin histories", lambda: self._kept(key, state))
        scope = {"series": key, "low": {"$lt": state.rolled}}
        identities = self._connection.call(
            "thin histories", lambda: [each["_id"] for each in buckets.find(scope, {"_id": 1})]
        )
        removed = 0
        for first in range(0, len(identities), _BUCKETS_A_PIECE):
            some = {"_id": {"$in": identities[first : first + _BUCKETS_A_PIECE]}}
            began = time.monotonic()
            removed += self._connection.call("thin histories", lambda some=some: self._thin_buckets(some, state, kept))  # type: ignore[misc]
            time.sleep(time.monotonic() - began)
        is_open = {"_id": key, "thinned": -state.rolled}
        mark = {"$set": {"thinned": Int64(state.rolled)}}
        self._connection.call("thin histories", lambda: series.update_one(is_open, mark))
        return removed

    def _stamp_packs(self, key: str, state: SeriesState) -> None:
        """Keeps all packs from being written by whoever knows the series from before it was closed."""
        older = {"_id": {"$gte": f"{key}\n", "$lt": f"{key}\v"}, "version": {"$lt": state.version}}
        self._connection.collection(ROLLUPS).update_many(older, {"$set": {"version": state.version}})

    def _kept(self, key: str, state: SeriesState) -> set[int]:
        """The steps that the cells of a series name."""
        last = (state.rolled - 1) >> state.level
        kept: set[int] = set()
        for document in self._connection.collection(ROLLUPS).find(pack_scope(key, state.level, 0, last)):
            if document["version"] > state.version:
                raise ConflictingWriteError
            for steps, _, _ in unpacked(document["pack"]).points:
                kept.update(steps)
        return kept

    def _thin_buckets(self, scope: Document, state: SeriesState, kept: set[int]) -> int:
        writes: list[UpdateOne | DeleteOne] = []
        removed = 0
        for document in self._connection.collection(BUCKETS).find(scope):
            columns = unpacked_points(document)
            stays = [step in kept or step >= state.rolled for step in columns.steps]
            if all(stays):
                continue
            left = columns.at(list(compress(range(len(stays)), stays)))
            is_same = {"_id": document["_id"], "version": document["version"], "count": document["count"]}
            change = {"$set": {**packed(left), "version": max(document["version"], state.version)}}
            writes.append(UpdateOne(is_same, change) if left.steps else DeleteOne(is_same))
            removed += len(stays) - len(left.steps)
        if writes:
            self._connection.collection(BUCKETS).bulk_write(writes, ordered=False)
        return removed
