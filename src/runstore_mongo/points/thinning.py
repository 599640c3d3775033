"""Long work on stored series, in short pieces: rolling up what an older release wrote, and thinning what has ended.

What is thinned keeps, below the frontier of its roll-ups, the points that its cells name. Packs stay as they are, and say of
a range what they have always said. A bucket is rewritten only if it is still as it was read, so nothing that is written
meanwhile gets lost.
"""

import time
from collections.abc import Iterator
from itertools import compress

from pymongo import DeleteOne, UpdateOne

from runstore.model import Thinned
from runstore.series import unpacked
from runstore_mongo.connection import ConflictingWriteError, Connection
from runstore_mongo.documents.names import BUCKETS, ROLLUPS, RUNS, SERIES, Document, keys_of_run
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
        return None if document is None else roller.advance(key, state_of(document), concern=None)

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
            if state is not None and state.rolled:
                yield self._thin_series(key, state)

    def _thin_series(self, key: str, state: SeriesState) -> int:
        series, buckets = self._connection.collection(SERIES), self._connection.collection(BUCKETS)
        if series.find_one({"_id": key, "thinned": state.rolled}, {"_id": 1}) is not None:
            return 0
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
        mark = {"$set": {"thinned": state.rolled}}
        self._connection.call("thin histories", lambda: series.update_one({"_id": key}, mark))
        return removed

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
            if document["version"] > state.version or all(stays):
                continue
            left = columns.at(list(compress(range(len(stays)), stays)))
            is_same = {"_id": document["_id"], "version": document["version"], "count": document["count"]}
            writes.append(UpdateOne(is_same, {"$set": packed(left)}) if left.steps else DeleteOne(is_same))
            removed += len(stays) - len(left.steps)
        if writes:
            self._connection.collection(BUCKETS).bulk_write(writes, ordered=False)
        return removed
