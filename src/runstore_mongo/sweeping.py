"""Purging: what deleted runs past their time have is removed, and their documents are emptied down to the id (CHG.6).

A run's document is emptied first, by one update that finds it still deleted: from then on every write of it is refused, and
nobody restores it. Then its points, its artifacts' records and its roll-ups go, piece by piece. What was cut short shows by a
mark in the emptied document, and the next call goes on with it.

A writer that was at the run when it was emptied may write its documents afterwards: of points that it moves, or of an artifact.
So the mark stays for an hour, and each call within it, and one after it, looks whether there is such a thing.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from bson.int64 import Int64

from runstore.local.clock import now_us
from runstore.model import RunStatus
from runstore.values import EMPTY_CONFIG, encode_config
from runstore_mongo.connection import Connection
from runstore_mongo.documents.names import ARTIFACTS, BUCKETS, ROLLUPS, RUNS, SERIES, Document, keys_of_run
from runstore_mongo.documents.records import ANY_TIME

_A_PIECE: Final = 50
"""Documents that are removed at once: at most 1.3 MB of packed points, so that a writer hardly waits for a piece."""

_RUNS_A_PIECE: Final = 50
"""Purged runs that are looked through at once."""

_LATE_US: Final = 3_600_000_000
"""So long after a run was emptied no writer is still at it: a call ends within seconds, or is begun again and refused."""

_EMPTY: Final[Document] = {
    "experiment_id": "",
    "name": None,
    "status": str(RunStatus.INTERRUPTED),
    "training_mode": "",
    "parent_run_id": None,
    "client_id": None,
    "attempt": 1,
    "start_time": Int64(0),
    "end_time": Int64(0),
    "heartbeat_at": Int64(0),
    "expires_at": Int64(0),
    "lease_s": 0.0,
    "failure": None,
    "source_path": None,
    "tags": [],
    "provenance": encode_config({}),
    "config_version": -1,
    "config_document": EMPTY_CONFIG,
    "config": [],
    "metrics": {},
    "pending": [],
    "has_more_series": False,
    "is_purging": True,
}
"""What older releases read in every run; nothing of it is the run's own."""
_FINISHED: Final[Document] = {"$unset": {"is_purging": 1}}


class Purge:
    """The deleted runs past their time, and what is removed of them."""

    def __init__(self, connection: Connection, *, deleted_before_us: int) -> None:
        self._connection = connection
        self._is_due: Document = {"purged_at": None, "deleted_at": {**ANY_TIME, "$lt": deleted_before_us}}

    def runs(self) -> list[str]:
        """The runs that are due."""
        runs = self._connection.collection(RUNS)
        found: list[str] = self._call(
            lambda: [run["_id"] for run in runs.find(self._is_due, {"_id": 1}).sort("_id", 1)]
        )
        return found

    def count_points(self, run_ids: Sequence[str]) -> int:
        """How many points the runs have, by their summaries."""
        return sum(self._call(lambda run_id=run_id: self._points_of(run_id)) for run_id in run_ids)  # type: ignore[misc]

    def remove(self, run_ids: Sequence[str]) -> int:
        """Removes all that these runs have, but of those that were restored meanwhile; and what an earlier call left.

        Returns:
            How many runs were purged by this call.
        """
        runs = self._connection.collection(RUNS)
        purged = 0
        for run_id in run_ids:
            emptied = {**_EMPTY, "deleted_at": Int64(0), "purged_at": Int64(now_us())}
            scope = {"_id": run_id, **self._is_due}
            purged += self._call(lambda scope=scope, emptied=emptied: runs.replace_one(scope, emptied).matched_count)  # type: ignore[misc]
        marked = self._call(lambda: [run["_id"] for run in runs.find({"is_purging": True}, {"_id": 1})])
        for first in range(0, len(marked), _RUNS_A_PIECE):
            self._empty(marked[first : first + _RUNS_A_PIECE])
        return purged

    def _empty(self, run_ids: Sequence[str]) -> None:
        """Removes what purged runs still have; of those that were purged long enough ago it is for good."""
        finished = {"_id": {"$in": run_ids}, "purged_at": {"$lt": now_us() - _LATE_US}}
        for name, field in ((BUCKETS, "series"), (ROLLUPS, "_id"), (SERIES, "_id"), (ARTIFACTS, "_id")):
            self._remove_all(name, {"$or": [{field: keys_of_run(run_id)} for run_id in run_ids]})
        self._call(lambda: self._connection.collection(RUNS).update_many(finished, _FINISHED))

    def _points_of(self, run_id: str) -> int:
        runs, series = self._connection.collection(RUNS), self._connection.collection(SERIES)
        run = runs.find_one({"_id": run_id}, {"metrics": 1, "has_more_series": 1}) or {"metrics": {}}
        if run.get("has_more_series"):
            return sum(int(each["count"]) for each in series.find({"_id": keys_of_run(run_id)}, {"count": 1}))
        return sum(int(held["count"]) for held in run["metrics"].values())

    def _remove_all(self, name: str, scope: Document) -> None:
        """Removes documents a piece at a time; in between others find the server free for as long as a piece took."""
        collection = self._connection.collection(name)

        def piece() -> bool:
            found = [document["_id"] for document in collection.find(scope, {"_id": 1}).limit(_A_PIECE)]
            if found:
                collection.delete_many({"_id": {"$in": found}})
            return len(found) == _A_PIECE

        has_more = True
        while has_more:
            began = time.monotonic()
            has_more = self._call(piece)
            if has_more:
                _rest(time.monotonic() - began)

    def _call(self, operation: Callable[[], Any]) -> Any:
        return self._connection.call("collect garbage", operation)


def _rest(took_s: float) -> None:
    time.sleep(took_s)


def named_files(connection: Connection, *, deleted_before_us: int) -> set[str]:
    """The SHA-256 of what the records of all runs name, but not of those that are purged with this sweep."""
    runs, artifacts = connection.collection(RUNS), connection.collection(ARTIFACTS)

    def read() -> set[str]:
        due = {"deleted_at": {**ANY_TIME, "$lt": deleted_before_us}}
        gone = {run["_id"] for run in runs.find(due, {"_id": 1})}
        records = artifacts.find({"sha256": {"$ne": None}}, {"_id": 0, "run_id": 1, "sha256": 1})
        return {record["sha256"] for record in records if record["run_id"] not in gone}

    return connection.call("collect garbage", read)
