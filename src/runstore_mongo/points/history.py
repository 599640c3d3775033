"""Reading series: points still pending in their run, then their own documents, then their buckets, at one version."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

from pymongo import DESCENDING

from runstore.backend import StepRange
from runstore.series import Columns, Series
from runstore.values import MAX_STEP
from runstore_mongo.connection import ConflictingWriteError, Connection
from runstore_mongo.documents.names import BUCKETS, RUNS, SERIES, Document, series_key
from runstore_mongo.documents.packed import laid_over, overlay, unpacked, within
from runstore_mongo.documents.records import SHOWN
from runstore_mongo.points.plans import thinned_to

_MOST_ROUNDS: Final = 12


class StoredPoints(NamedTuple):
    """Points of a series, and the first step from which on it takes others (CHG.13)."""

    columns: Columns
    thinned: int


def read_points(
    connection: Connection, run_id: str, wanted: Mapping[Series, StepRange], *, only_shown: bool = False
) -> dict[Series, Columns]:
    """The points within inclusive ranges of steps, of those of the series that exist.

    Round trips: three, for any number of series and points; more only while a writer is moving the same points.

    Args:
        connection: to the database.
        run_id: the run.
        wanted: the ranges by series.
        only_shown: a deleted run gives nothing. Without it, as a writer needs it, a deleted run is read as any other.
    """
    scope = {"_id": run_id, **SHOWN} if only_shown else {"_id": run_id}
    found = connection.call("read points", lambda: _read(connection, scope, wanted))
    return {series: stored.columns for series, stored in found.items()}


def read_stored(connection: Connection, run_id: str, wanted: Mapping[Series, StepRange]) -> dict[Series, StoredPoints]:
    """As :func:`read_points`, and how far each series was thinned."""
    return connection.call("read points", lambda: _read(connection, {"_id": run_id}, wanted))


def _read(connection: Connection, scope: Document, wanted: Mapping[Series, StepRange]) -> dict[Series, StoredPoints]:
    """The run first, then series, then buckets: what was moved in between is met again further down.

    So each answer is what its series held at one moment, without a transaction. A pending block that its series'
    version already covers is left out: a later point of the same step may lie beneath. What the tail of that moment did
    not hide was in a bucket not younger than it; buckets that were sealed from a later version are read again.
    """
    run_id = scope["_id"]
    pending = _pending(connection, scope, list(wanted))
    if pending is None:
        return {}
    found: dict[Series, StoredPoints] = {}
    rest = {series_key(run_id, series): series for series in wanted}
    for series, blocks in pending.items():
        if blocks and blocks[0]["version"] == 1:  # all that there is
            found[series] = StoredPoints(_within(laid(blocks), wanted[series]), 0)
            del rest[series_key(run_id, series)]
    buckets: dict[str, dict[int, Document]] = {key: {} for key in rest}
    seen: dict[str, int] = {}
    for _ in range(_MOST_ROUNDS):
        if not rest:
            return found
        documents = connection.collection(SERIES).find(
            {"_id": {"$in": list(rest)}}, {"version": 1, "sealed_to": 1, "tail": 1, "thinned": 1}
        )
        states = {document["_id"]: document for document in documents}
        sealed = [key for key, state in states.items() if state["sealed_to"] >= 0]
        for document in _buckets(connection, {key: (wanted[rest[key]], seen.get(key)) for key in sealed}):
            buckets[document["series"]][document["low"]] = document
        for key, series in list(rest.items()):
            state = states.get(key)
            if state is not None and any(held["version"] > state["version"] for held in buckets[key].values()):
                seen[key] = state["version"]
                continue
            del rest[key]
            if state is not None:
                newer = [block for block in pending.get(series, ()) if block["version"] > state["version"]]
                moved = overlay(whole_of(buckets[key].values()), unpacked(state["tail"]))
                columns = _within(overlay(moved, laid(newer)), wanted[series])
                found[series] = StoredPoints(columns, thinned_to(state))
    raise ConflictingWriteError


def _pending(connection: Connection, scope: Document, wanted: list[Series]) -> dict[Series, list[Document]] | None:
    """The blocks of some series that wait in their run, oldest first; ``None`` if there is no such run."""
    held: Any = {"$ifNull": ["$pending", []]}
    if len(wanted) == 1:
        name, dataset_type = wanted[0]
        is_wanted = {
            "$and": [
                {"$eq": ["$$this.metric_name", {"$literal": name}]},
                {"$eq": ["$$this.dataset_type", dataset_type]},
            ]
        }
        held = {"$filter": {"input": held, "cond": is_wanted}}
    run = connection.collection(RUNS).find_one(scope, {"pending": held})
    if run is None:
        return None
    blocks = blocks_by_series(run["pending"])
    return {series: blocks[series] for series in wanted if series in blocks}


def blocks_by_series(pending: Iterable[Document]) -> dict[Series, list[Document]]:
    """Pending blocks by their series, oldest first."""
    found: dict[Series, list[Document]] = {}
    for block in sorted(pending, key=lambda block: int(block["version"])):
        found.setdefault((block["metric_name"], block["dataset_type"]), []).append(block)
    return found


def _buckets(connection: Connection, wanted: Mapping[str, tuple[StepRange, int | None]]) -> Iterable[Document]:
    scopes = []
    for key, (steps, seen) in wanted.items():
        scope: Document = {"series": key}
        if steps.high < MAX_STEP:
            scope["low"] = {"$lte": steps.high}
        if steps.low > 0:
            scope["low"] = {**scope.get("low", {}), "$gte": first_bucket(connection, key, steps.low)}
            scope["high"] = {"$gte": steps.low}
        if seen is not None:
            scope["version"] = {"$gt": seen}
        scopes.append(scope)
    if not scopes:
        return ()
    scope = scopes[0] if len(scopes) == 1 else {"$or": scopes}
    return connection.collection(BUCKETS).find(scope, {"run_id": 0, "_id": 0}).sort({"series": 1, "low": 1})


def _within(columns: Columns, steps: StepRange) -> Columns:
    return within(columns, steps.low, steps.high)


def laid(blocks: Iterable[Document]) -> Columns:
    """The points of blocks or buckets, each laid over those before it."""
    return laid_over(unpacked(block) for block in blocks)


def first_bucket(connection: Connection, key: str, step: int) -> int:
    """Where the bucket of a series begins that a step falls into: 0 if all of them begin later."""
    scope = {"series": key, "low": {"$lte": step}}
    found = connection.collection(BUCKETS).find_one(scope, {"_id": 0, "low": 1}, sort=[("low", DESCENDING)])
    return 0 if found is None else int(found["low"])


def whole_of(buckets: Iterable[Document]) -> Columns:
    """The points of buckets; of those that overlap, while one is cut in two, the later one counts."""
    ordered = sorted(buckets, key=lambda bucket: int(bucket["low"]))
    if all(left["high"] < right["low"] for left, right in pairwise(ordered)):
        return unpacked(*ordered)
    return laid(sorted(ordered, key=lambda held: int(held["version"])))
