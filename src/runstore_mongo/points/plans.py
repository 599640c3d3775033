"""What a write of points does to one series: pure, no database.

A series is one document of ``run_series``: its summary, and a ``tail`` of the points written last. A write is one
compare-and-set of that document, so points and summary change together. When the tail has
grown to :data:`SEAL_AT` points the next write first copies it into documents of ``run_buckets`` and then drops it by
its own compare-and-set. Two rules make every state between two statements a right one:

* Only points that are already acknowledged ever go into a bucket, and a reader lays the tail over the buckets. A seal
  that stopped half way has changed nothing that a reader sees, and the next one repeats it.
* A bucket remembers the ``version`` of the series document it was sealed from, and is never overwritten by a seal from
  an older one. A writer that was overtaken fails its compare-and-set, reads again and repeats.

Steps may be dense or sparse: buckets hold a number of points, not a range of steps.
"""

from collections.abc import Sequence
from typing import Any, Final

from bson.int64 import Int64
from msgspec import Struct
from msgspec.structs import replace
from pymongo import UpdateOne

from runstore.model import SeriesSummary
from runstore.series import Columns, Series
from runstore.values import MAX_STEP
from runstore_mongo.documents.names import Document, bucket_key, series_key
from runstore_mongo.documents.packed import overlay, packed, packed_over, part, unpacked, within
from runstore_mongo.documents.summaries import summary_fields, summary_of

SEAL_AT: Final = 512
"""Points from which a tail is sealed into buckets: 12 KiB, the most that a write of one point has to write again."""

MOST_TAIL_POINTS: Final = 2**19
"""Points in the tails that one call writes again: 12 MiB, which is little beside its own points."""

BUCKET_POINTS: Final = 1024
"""Points of a full bucket: 24 KiB."""


class SeriesState(Struct, frozen=True, gc=False):
    """A series document as this handle last saw it.

    The garbage collector looks at none of its parts: a program of 10,000 series would spend half of its time there.

    Attributes:
        version: 0 for a series that is not stored yet.
        sealed_to: the highest step in any bucket; -1 while there is none.
        tail: the points written last, as stored; they hide those of the same step in the buckets.
        level: the base level of its roll-ups; -1 while it has none.
        rolled: the first step that they do not cover.
        rolled_count: how many points of buckets they were known to cover, or to lack too little of.
        stored_rolled: ``rolled`` as stored, which counts for a compare-and-set, also where it is not trusted.
        thinned: the first step from which on points are written: those before it are thinned, or are being (CHG.13).
    """

    version: int
    sealed_to: int
    summary: SeriesSummary | None
    tail: Document
    level: int = -1
    rolled: int = 0
    rolled_count: int = 0
    stored_rolled: int | None = None
    thinned: int = 0


class Plan(Struct, frozen=True, gc=False):
    """What one series needs written.

    Attributes:
        before: the state it was planned from.
        after: the state once it is written.
        seals: the writes to ``run_buckets``, in order, that come first.
    """

    series: Series
    key: str
    before: SeriesState
    after: SeriesState
    seals: Sequence[UpdateOne]


def state_of(document: Document) -> SeriesState:
    """The state of a stored series."""
    return SeriesState(
        version=int(document["version"]),
        sealed_to=int(document["sealed_to"]),
        summary=summary_of(document),
        tail=document["tail"],
        thinned=thinned_to(document),
        **_rollups_of(document),
    )


def thinned_to(document: Document) -> int:
    """The first step of a stored series that was not thinned, and is not being: a negative number says that it is."""
    return abs(int(document.get("thinned", 0)))


def _rollups_of(document: Document) -> dict[str, Any]:
    """How far a series is rolled up.

    A writer of an older release leaves behind what nobody may trust. But of what was thinned nothing could be made anew.
    """
    stored = document.get("rolled")
    if stored is None:
        return {}
    is_trusted = document["rollup_version"] == document["version"]
    return {
        "level": int(document["level"]),
        "rolled": int(stored) if is_trusted else thinned_to(document),
        "rolled_count": int(document["rolled_count"]) if is_trusted else 0,
        "stored_rolled": int(stored),
    }


def rollup_fields(state: SeriesState) -> Document:
    """What a series' document says of its roll-ups; nothing while there are none."""
    if state.level < 0:
        return {}
    return {
        "level": state.level,
        "rolled": Int64(state.rolled),
        "rolled_count": state.rolled_count,
        "rollup_version": state.version,
    }


def seal_at(series: int) -> int:
    """Points from which the tails of so many series, which are written together, are sealed."""
    return max(1, min(SEAL_AT, MOST_TAIL_POINTS // max(1, series)))


def plan_write(  # noqa: PLR0913 - everything that is known of one series
    run_id: str,
    series: Series,
    batch: Columns,
    state: SeriesState,
    stored: list[Document],
    *,
    version: int,
    summary: SeriesSummary | None,
    limit: int,
) -> Plan:
    """What writing a batch does to a series.

    Args:
        run_id: the run.
        series: its name and dataset type.
        batch: the new points.
        state: the series as it is.
        stored: the buckets that the batch overlaps, or the tail if it is to be sealed, in order.
        version: the series' version with the batch.
        summary: its summary with the batch.
        limit: points from which its tail is sealed; see :func:`seal_at`.
    """
    key = series_key(run_id, series)
    if state.tail["count"] >= limit:
        seals, sealed_to = _seals(run_id, key, state, stored)
        after = _after(state, version=version, sealed_to=sealed_to, summary=summary, tail=packed(batch))
        return Plan(series, key, state, after, seals)
    after = _after(state, version=version, summary=summary, tail=packed_over(state.tail, batch))
    return Plan(series, key, state, after, ())


def _after(state: SeriesState, **changes: Any) -> SeriesState:
    """The state once it is written, with its roll-ups as they are known."""
    return replace(state, stored_rolled=None if state.level < 0 else state.rolled, **changes)


def series_write(run_id: str, plan: Plan) -> UpdateOne:
    """The compare-and-set of a series."""
    key, after = plan.key, plan.after
    assert after.summary is not None  # noqa: S101 - a series has at least one point
    fields = {
        **summary_fields(after.summary),
        "version": after.version,
        "sealed_to": Int64(after.sealed_to),
        "tail": after.tail,
        **rollup_fields(after),
    }
    if plan.before.version:
        scope: Document = {"_id": key, "version": plan.before.version, "rolled": plan.before.stored_rolled}
        known = plan.before.summary
        if known is not None:  # of a database that was brought back another writer may have made that version meanwhile
            scope |= {"count": known.count, "last_step": known.last.step}
        return UpdateOne(scope, {"$set": fields})
    # Inserts the series, or fails by its id if another writer made it. An upsert, so that all series of a call travel
    # in one command: a standalone server, too, then carries out all of it or, if the writer dies first, none.
    name, dataset_type = plan.series
    identity = {"run_id": run_id, "metric_name": name, "dataset_type": dataset_type}
    return UpdateOne({"_id": key, "version": {"$exists": False}}, {"$set": {**identity, **fields}}, upsert=True)


def _seals(run_id: str, key: str, state: SeriesState, stored: list[Document]) -> tuple[list[UpdateOne], int]:
    """The writes that copy a tail into buckets, in order, and the highest step that is then in a bucket."""
    tail = unpacked(state.tail)
    sealed_to = max(state.sealed_to, tail.steps[-1])
    if tail.steps[0] > state.sealed_to:
        return [_bucket_write(run_id, key, state.version, piece, None) for piece in _parts(tail)], sealed_to
    writes: list[UpdateOne] = []
    rest = tail
    for position, document in enumerate(stored):
        low = int(document["low"])
        before = within(rest, 0, low - 1) if low else Columns.empty()
        writes += [_bucket_write(run_id, key, state.version, piece, None) for piece in _parts(before)]
        # A bucket takes what lies in its range; the last one leaves what comes after it to new buckets.
        is_last = position == len(stored) - 1
        high = int(document["high"]) if is_last else int(stored[position + 1]["low"]) - 1
        mine = within(rest, low, high)
        rest = within(rest, high + 1, MAX_STEP) if high < MAX_STEP else Columns.empty()
        if mine.steps:
            merged = overlay(unpacked(document), mine)
            first, *others = _parts(merged) if len(merged.steps) > 2 * BUCKET_POINTS else [merged]
            # The new halves before the bucket that shrinks: nothing is out of sight in between.
            writes += [_bucket_write(run_id, key, state.version, piece, None) for piece in others]
            writes.append(_bucket_write(run_id, key, state.version, first, document))
    writes += [_bucket_write(run_id, key, state.version, piece, None) for piece in _parts(rest)]
    return writes, sealed_to


def _parts(columns: Columns) -> list[Columns]:
    return [part(columns, at, at + BUCKET_POINTS) for at in range(0, len(columns.steps), BUCKET_POINTS)]


def _bucket_write(run_id: str, key: str, version: int, points: Columns, base: Document | None) -> UpdateOne:
    """Makes a bucket, or rewrites ``base`` if it is still as it was read.

    A new bucket may be there already, left by a seal that stopped half way: it is replaced unless it is newer.
    """
    fields: Document = {
        "series": key,
        "run_id": run_id,
        "low": Int64(points.steps[0]),
        "high": Int64(points.steps[-1]),
        "version": version,
        **packed(points),
    }
    if base is not None:
        fields["low"] = base["low"]
        return UpdateOne({"_id": base["_id"], "version": base["version"]}, {"$set": fields})
    return UpdateOne(
        {"_id": bucket_key(key, points.steps[0]), "version": {"$lte": version}}, {"$set": fields}, upsert=True
    )
