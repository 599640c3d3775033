"""Reading series: points still pending in their run, then their own documents, then their buckets, at one version."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Final

from runstore.series.checked import Series
from runstore.values.checks import MAX_STEP
from runstore_mongo.columns import Columns, empty, of_documents, overlay
from runstore_mongo.connection import ConflictingWriteError, Connection, Document
from runstore_mongo.documents import BUCKETS, RUNS, SERIES, series_key

Range = tuple[int, int]
"""The first and the last step wanted."""

_MOST_ROUNDS: Final = 12


def read_points(connection: Connection, run_id: str, wanted: Mapping[Series, Range]) -> dict[Series, Columns]:
    """The points within inclusive ranges of steps, of those of the series that exist.

    Round trips: three, for any number of series and points; more only while a writer is packing the same points away.
    """
    return connection.call("read points", lambda: _read(connection, run_id, wanted))


def _read(connection: Connection, run_id: str, wanted: Mapping[Series, Range]) -> dict[Series, Columns]:
    """The run first, then series, then buckets: what was packed away in between is met again further down.

    So each answer is what its series held at one moment, without a transaction. A pending block that its series'
    version already covers is left out: a later point of the same step may lie beneath. What the tail of that moment did
    not hide was in a bucket not younger than it; buckets that were sealed from a later version are read again.
    """
    pending = _pending(connection, run_id, list(wanted))
    found: dict[Series, Columns] = {}
    rest = {series_key(run_id, *series): series for series in wanted}
    for series, blocks in pending.items():
        if blocks and blocks[0]["version"] == 1:  # all that there is
            found[series] = _within(_laid(blocks), wanted[series])
            del rest[series_key(run_id, *series)]
    buckets: dict[str, dict[int, Document]] = {key: {} for key in rest}
    seen: dict[str, int] = {}
    for _ in range(_MOST_ROUNDS):
        if not rest:
            return found
        documents = connection.collection(SERIES).find(
            {"_id": {"$in": list(rest)}}, {"version": 1, "sealed_to": 1, "tail": 1}
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
                packed = overlay(_joined(buckets[key]), of_documents([state["tail"]]))
                found[series] = _within(overlay(packed, _laid(newer)), wanted[series])
    raise ConflictingWriteError


def _pending(connection: Connection, run_id: str, wanted: list[Series]) -> dict[Series, list[Document]]:
    """The blocks of some series that wait in their run, oldest first."""
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
    run = connection.collection(RUNS).find_one({"_id": run_id}, {"pending": held}) or {"pending": []}
    blocks = blocks_by_series(run["pending"])
    return {series: blocks[series] for series in wanted if series in blocks}


def blocks_by_series(pending: Iterable[Document]) -> dict[Series, list[Document]]:
    """Pending blocks by their series, oldest first."""
    found: dict[Series, list[Document]] = {}
    for block in sorted(pending, key=lambda block: int(block["version"])):
        found.setdefault((block["metric_name"], block["dataset_type"]), []).append(block)
    return found


def _buckets(connection: Connection, wanted: Mapping[str, tuple[Range, int | None]]) -> Iterable[Document]:
    scopes = []
    for key, ((low, high), seen) in wanted.items():
        scope: Document = {"series": key}
        if high < MAX_STEP:
            scope["low"] = {"$lte": high}
        if low > 0:
            scope["high"] = {"$gte": low}
        if seen is not None:
            scope["version"] = {"$gt": seen}
        scopes.append(scope)
    if not scopes:
        return ()
    scope = scopes[0] if len(scopes) == 1 else {"$or": scopes}
    return connection.collection(BUCKETS).find(scope, {"run_id": 0, "_id": 0}).sort({"series": 1, "low": 1})


def _laid(blocks: list[Document]) -> Columns:
    return laid_over(of_documents([block]) for block in blocks)


def laid_over(parts: Iterable[Columns]) -> Columns:
    """Parts of a series, each laid over those before it."""
    ordered = [part for part in parts if part.steps]
    if all(left.steps[-1] < right.steps[0] for left, right in pairwise(ordered)):
        whole = empty()
        for part in ordered:
            whole.steps.extend(part.steps)
            whole.values.extend(part.values)
            whole.times.extend(part.times)
        return whole
    whole = empty()
    for part in ordered:
        whole = overlay(whole, part)
    return whole


def _within(columns: Columns, wanted: Range) -> Columns:
    return columns.within(*wanted)


def _joined(buckets: Mapping[int, Document]) -> Columns:
    ordered = [buckets[low] for low in sorted(buckets)]
    if all(left["high"] < right["low"] for left, right in pairwise(ordered)):
        return of_documents(ordered)
    return laid_over(of_documents([document]) for document in sorted(ordered, key=lambda held: int(held["version"])))
