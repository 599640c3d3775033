"""Reading a series: its newest points from its own document, the older ones from buckets, at one version."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from runstore_mongo.columns import Columns, of_documents, overlay
from runstore_mongo.connection import ConflictingWriteError, Connection
from runstore_mongo.documents import BUCKETS, SERIES, series_key

_MOST_ROUNDS: Final = 12


def read_points(  # noqa: PLR0913 - a series has three parts, a range two
    connection: Connection, run_id: str, name: str, dataset_type: str, *, low: int, high: int
) -> Columns | None:
    """The points within an inclusive range of steps; ``None`` if there is no such series."""
    key = series_key(run_id, name, dataset_type)
    return connection.call(f"read the history of {name!r}", lambda: _read(connection, key, low=low, high=high))


def _read(connection: Connection, key: str, *, low: int, high: int) -> Columns | None:
    """The series document first, then its buckets; again for those that were sealed from a later version meanwhile.

    So the answer is what the series held at one moment, without a transaction: what the tail of that moment did not
    hide was in a bucket not younger than it.
    """
    scope: dict[str, Any] = {"series": key}
    if high < 2**63 - 1:
        scope["low"] = {"$lte": high}
    if low > 0:
        scope["high"] = {"$gte": low}
    buckets: dict[int, Mapping[str, Any]] = {}
    seen = -1
    for _ in range(_MOST_ROUNDS):
        series = connection.collection(SERIES).find_one({"_id": key}, {"version": 1, "sealed_to": 1, "tail": 1})
        if series is None:
            return None
        if series["sealed_to"] >= 0:
            newer = {**scope, "version": {"$gt": seen}} if seen >= 0 else scope
            cursor = connection.collection(BUCKETS).find(newer, {"series": 0, "run_id": 0, "_id": 0})
            buckets |= {document["low"]: document for document in cursor.sort({"series": 1, "low": 1})}
        if all(document["version"] <= series["version"] for document in buckets.values()):
            return overlay(_joined(buckets), of_documents([series["tail"]])).within(low, high)
        seen = series["version"]
    raise ConflictingWriteError


def _joined(buckets: Mapping[int, Mapping[str, Any]]) -> Columns:
    ordered = [buckets[low] for low in sorted(buckets)]
    if all(left["high"] < right["low"] for left, right in pairwise(ordered)):
        return of_documents(ordered)
    columns = of_documents([])
    for document in sorted(ordered, key=lambda document: document["version"]):
        columns = overlay(columns, of_documents([document]))
    return columns
