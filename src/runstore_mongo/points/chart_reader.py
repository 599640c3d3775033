"""What charts are made of: cells of roll-ups, and points where there are none.

Everything is read at one version of each series, as in :mod:`runstore_mongo.points.history`: a bucket or a pack that was
made from a later one has the series read again.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pymongo import ASCENDING, DESCENDING

from runstore.backend import StepRange
from runstore.series import (
    Buckets,
    Cells,
    Columns,
    PackRange,
    RollUps,
    SeriesKey,
    cells_of,
    in_order,
    merged,
    plan,
    unpacked,
)
from runstore_mongo.connection import ConflictingWriteError, Connection
from runstore_mongo.documents.names import BUCKETS, ROLLUPS, RUNS, SERIES, Document, copy_key, series_key
from runstore_mongo.documents.packed import overlay, within
from runstore_mongo.documents.packed import unpacked as unpacked_points
from runstore_mongo.documents.records import SHOWN
from runstore_mongo.points.history import blocks_by_series, first_bucket, laid, whole_of
from runstore_mongo.points.rollups import ROLL_AT, range_scope

_FEW_RANGES: Final = 4
"""For more ranges it costs less to read where all buckets begin, out of the index, than to ask for each."""

_SHORT: Final = 2 * ROLL_AT
"""Of a series of no more points so much is read as of a long one."""

_STATE_FIELDS: Final = {
    **dict.fromkeys(("version", "sealed_to", "tail", "count", "first_step", "last_step"), 1),
    **dict.fromkeys(("level", "rolled", "rollup_version", "thinned"), 1),
}

Range = tuple[int, int]


class Extent(NamedTuple):
    """A series as it is at one version.

    Attributes:
        version: 0 for one of which all points wait in its run.
        top: the points that hide those of the same step in the buckets: of the tail, and what waits in the run.
        sealed: the first step and the highest that buckets may have; ``None`` without a bucket.
        rollups: as far as they are trusted.
        points: how many there are, at most.
        is_thinned: whether fewer are there than were logged.
    """

    key: str
    version: int
    top: Columns
    sealed: Range | None
    rollups: RollUps | None
    points: int
    is_thinned: bool = False

    @property
    def is_bounded(self) -> bool:
        """Whether what is read of it for a chart is bounded by the size of the chart."""
        return self.rollups is not None or self.points <= _SHORT


class Reading(NamedTuple):
    """What is read of a series for some buckets: cells of packs, and ranges of points."""

    packs: list[PackRange]
    points: list[Range]


class ChartReader:
    """Reads several series at once; each method takes a number of commands that depends on what is asked for alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def extents(self, keys: Sequence[SeriesKey]) -> tuple[dict[SeriesKey, Extent], dict[str, int]]:
        """Those of the series that exist, in runs that are shown; and when these runs began, in microseconds."""
        run_ids = list(dict.fromkeys(key.run_id for key in keys))
        fields: Document = {"start_time": 1, "pending": _held(keys)}
        found = self._connection.collection(RUNS).find({"_id": {"$in": run_ids}, **SHOWN}, fields)
        runs = {run["_id"]: run for run in found}
        pending = {run_id: blocks_by_series(run["pending"]) for run_id, run in runs.items()}
        stored = {key: series_key(key.run_id, (key.name, key.dataset_type)) for key in keys if key.run_id in runs}
        wanted = {"_id": {"$in": list(stored.values())}}
        documents = {each["_id"]: each for each in self._connection.collection(SERIES).find(wanted, _STATE_FIELDS)}
        extents = {}
        for key, name in stored.items():
            blocks = pending[key.run_id].get((key.name, key.dataset_type), [])
            extent = _extent(name, documents.get(name), blocks)
            if extent is not None:
                extents[key] = extent
        return extents, {run_id: int(run["start_time"]) for run_id, run in runs.items()}

    def logged(self, key: SeriesKey, extent: Extent, ends: Range) -> int | None:
        """How many points of a thinned series were logged, if its ends are these; its run knows, unless that is wide."""
        copy = copy_key((key.name, key.dataset_type))
        run = self._connection.collection(RUNS).find_one({"_id": key.run_id}, {f"metrics.{copy}": 1}) or {}
        found = run.get("metrics", {}).get(copy)
        stored = self._connection.collection(SERIES).find_one({"_id": extent.key}, _STATE_FIELDS)
        known = [each for each in (found, stored) if each is not None]
        if not known:
            return None
        latest = max(known, key=lambda each: int(each["version"]))
        return int(latest["count"]) if (latest["first_step"], latest["last_step"]) == ends else None

    def ends(self, extent: Extent, steps: StepRange) -> Range | None:
        """The first and the last step that there is within a range."""
        top = within(extent.top, steps.low, steps.high).steps
        found = [top[0], top[-1]] if top else []
        if extent.sealed is not None and steps.low <= extent.sealed[1] and steps.high >= extent.sealed[0]:
            found += self._sealed_ends(extent, extent.sealed, steps)
        return (min(found), max(found)) if found else None

    def _sealed_ends(self, extent: Extent, sealed: Range, steps: StepRange) -> list[int]:
        found = []
        for bound, is_first in ((steps.low, True), (steps.high, False)):
            if is_first and bound <= sealed[0]:
                found.append(self._edge(extent, steps, {"low": ASCENDING}, {}))
            elif is_first:
                low = first_bucket(self._connection, extent.key, bound)
                found.append(
                    self._edge(extent, steps, {"low": ASCENDING}, {"low": {"$gte": low}, "high": {"$gte": bound}})
                )
            else:
                found.append(self._edge(extent, steps, {"low": DESCENDING}, {"low": {"$lte": bound}}))
        return [step for step in found if step is not None]

    def _edge(self, extent: Extent, steps: StepRange, order: Document, scope: Document) -> int | None:
        """The first or the last step within a range, of the first bucket in an order that has one."""
        buckets, is_first = self._connection.collection(BUCKETS), order["low"] == ASCENDING
        while True:
            document = buckets.find_one({"series": extent.key, **scope}, sort=order)
            if document is None:
                return None
            _check_version(document, extent)
            inside = within(unpacked_points(document), steps.low, steps.high).steps
            if inside:
                return inside[0] if is_first else inside[-1]
            if document["low"] > steps.high or document["high"] < steps.low:
                return None
            scope = {"low": {"$gt" if is_first else "$lt": document["low"]}}  # a gap, or what thinning has left

    def cells(self, wanted: Mapping[SeriesKey, tuple[Extent, Reading]], buckets: Buckets) -> dict[SeriesKey, Cells]:
        """A cell for each bucket that holds points of each series."""
        packs = self.packs(wanted)
        points = self.points({key: (extent, reading.points) for key, (extent, reading) in wanted.items()})
        cells = {}
        for key in wanted:
            parts = [*(part for _, part in packs[key]), *(cells_of(columns, buckets) for columns in points[key])]
            cells[key] = merged(in_order(parts), buckets)
        return cells

    def packs(self, wanted: Mapping[SeriesKey, tuple[Extent, Reading]]) -> dict[SeriesKey, list[tuple[int, Cells]]]:
        """The cells of packs that are wanted of series: a part for each level."""
        scopes = [
            range_scope(extent.key, each) for extent, reading in wanted.values() for each in _spans(reading.packs)
        ]
        found = self._connection.collection(ROLLUPS).find({"$or": scopes}) if scopes else ()
        held: dict[tuple[str, int], list[Document]] = {}
        for document in found:
            key, level, _ = document["_id"].rsplit("\n", 2)
            held.setdefault((key, int(level)), []).append(document)
        cells: dict[SeriesKey, list[tuple[int, Cells]]] = {}
        for key, (extent, reading) in wanted.items():
            cells[key] = []
            for level in {each.level for each in reading.packs}:
                documents = held.get((extent.key, level), [])
                for document in documents:
                    _check_version(document, extent)
                whole = Cells.joined(
                    unpacked(document["pack"]) for document in sorted(documents, key=lambda one: int(one["index"]))
                )
                cells[key].append((level, _between(whole, [each for each in reading.packs if each.level == level])))
        return cells

    def points(self, wanted: Mapping[SeriesKey, tuple[Extent, Sequence[Range]]]) -> dict[SeriesKey, list[Columns]]:
        """The points of series within ranges of steps, range by range."""
        scopes = [
            scope
            for extent, ranges in wanted.values()
            if extent.sealed is not None
            for scope in self._bucket_scopes(extent.key, [each for each in ranges if each[0] <= extent.sealed[1]])
        ]
        found = self._connection.collection(BUCKETS).find({"$or": scopes}, {"run_id": 0, "_id": 0}) if scopes else ()
        buckets: dict[str, list[Document]] = {}
        for document in found:
            buckets.setdefault(document["series"], []).append(document)
        points: dict[SeriesKey, list[Columns]] = {}
        for key, (extent, ranges) in wanted.items():
            documents = buckets.get(extent.key, [])
            for document in documents:
                _check_version(document, extent)
            whole = whole_of(documents)
            points[key] = [overlay(within(whole, low, high), within(extent.top, low, high)) for low, high in ranges]
        return points

    def _bucket_scopes(self, key: str, ranges: Sequence[Range]) -> list[Document]:
        """The conditions of the buckets of a series that have points within ranges of steps."""
        if len(ranges) <= _FEW_RANGES:
            firsts = [first_bucket(self._connection, key, low) if low else 0 for low, _ in ranges]
            return [
                {"series": key, "low": {"$gte": first, "$lte": high}}
                for first, (_, high) in zip(firsts, ranges, strict=True)
            ]
        buckets = self._connection.collection(BUCKETS)
        lows = [int(each["low"]) for each in buckets.find({"series": key}, {"_id": 0, "low": 1}).sort("low", ASCENDING)]
        some: set[int] = set()
        for low, high in ranges:
            some.update(lows[max(bisect_right(lows, low) - 1, 0) : bisect_right(lows, high)])
        return [{"series": key, "low": {"$in": sorted(some)}}]


def _held(keys: Sequence[SeriesKey]) -> Any:
    """What waits in runs, of the series if they are few."""
    held: Any = {"$ifNull": ["$pending", []]}
    if len({key[1:] for key in keys}) > 1:
        return held
    is_wanted = [
        {"$eq": ["$$this.metric_name", {"$literal": keys[0].name}]},
        {"$eq": ["$$this.dataset_type", keys[0].dataset_type]},
    ]
    return {"$filter": {"input": held, "cond": {"$and": is_wanted}}}


def _extent(key: str, stored: Document | None, blocks: Sequence[Document]) -> Extent | None:
    version = 0 if stored is None else int(stored["version"])
    top = laid(block for block in blocks if block["version"] > version)
    if stored is None:
        return Extent(key, version, top, None, None, len(top.steps)) if top.steps else None
    top = overlay(unpacked_points(stored["tail"]), top)
    sealed = (int(stored["first_step"]), int(stored["sealed_to"])) if stored["sealed_to"] >= 0 else None
    rollups = None
    if stored.get("rolled") and stored["rollup_version"] == version:
        rollups = RollUps(int(stored["level"]), int(stored["rolled"]))
    is_thinned = bool(stored.get("thinned"))
    return Extent(key, version, top, sealed, rollups, int(stored["count"]) + len(top.steps), is_thinned)


def reading_of(extent: Extent, ends: Range, buckets: Buckets) -> Reading:
    """What to read of a series: of cells in which a point is hidden, the points."""
    rollups = extent.rollups
    hidden = () if rollups is None else within(extent.top, ends[0], min(ends[1], rollups.rolled - 1)).steps
    if rollups is None or not hidden:
        return Reading(*plan(*ends, buckets, rollups))
    reading = Reading([], [])
    low = ends[0]
    for index in sorted({step >> rollups.level for step in hidden}):
        first, last = max(index << rollups.level, ends[0]), min(((index + 1) << rollups.level) - 1, ends[1])
        if low < first:
            _add(reading, plan(low, first - 1, buckets, rollups))
        reading.points.append((first, last))
        low = last + 1
    if low <= ends[1]:
        _add(reading, plan(low, ends[1], buckets, rollups))
    return reading


def _add(reading: Reading, more: Any) -> None:
    reading.packs.extend(more.packs)
    reading.points.extend(more.points)


def _spans(wanted: Iterable[PackRange]) -> list[PackRange]:
    """The same packs in as few ranges as can be."""
    spans: list[PackRange] = []
    for each in sorted(wanted):
        last = spans[-1] if spans else None
        if last is not None and last.level == each.level and each.first <= last.last + 1:
            spans[-1] = last._replace(high=max(last.high, each.high))
        else:
            spans.append(each)
    return spans


def _between(cells: Cells, wanted: Sequence[PackRange]) -> Cells:
    """The cells of a level that lie in some ranges."""
    spans = [
        (bisect_left(cells.indices, each.low >> each.level), bisect_right(cells.indices, each.high >> each.level))
        for each in wanted
    ]
    if len(spans) == 1:
        return cells.between(*spans[0])
    return cells.at([position for begin, end in spans for position in range(begin, end)])


def _check_version(document: Document, extent: Extent) -> None:
    """Refuses what was made from a later version of the series than is read."""
    if document["version"] > extent.version:
        raise ConflictingWriteError
