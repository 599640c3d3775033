"""Keeping roll-ups beside the points, so that charts cost what they show (MET.15).

A series is rolled up to a step, its frontier: *packs* of the base level in ``run_rollups`` cover all points of its buckets
below that step, and packs of each higher level as far as they lie whole below it. Packs are made as buckets are:

* They say what the buckets hold. A point that lies below the frontier in a tail, or waits in a run, hides what its cell says,
  and a reader looks at the points of that cell.
* A seal that writes into buckets below the frontier makes their packs anew before the series lets go of its tail, or draws
  the frontier back. A seal that stopped half way has changed nothing that a reader sees, and the next one repeats it.
* A pack remembers the version of the series that it was made from, and is never overwritten by an older one.

The frontier is part of each compare-and-set of a series, so no writer misses that it was moved. A writer of an older release
knows nothing of it: it leaves ``rollup_version`` behind ``version``, and then nobody trusts the roll-ups.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from bson.int64 import Int64
from msgspec.structs import replace
from pymongo import ASCENDING, UpdateOne
from pymongo.errors import BulkWriteError

from runstore.series import (
    FAN_OUT_BITS,
    MAX_LEVEL,
    Columns,
    PackRange,
    level_for,
    packs_of_packs,
    packs_of_points,
    span_bits,
)
from runstore.values import MAX_STEP
from runstore_mongo.connection import ConflictingWriteError, Connection, is_duplicate
from runstore_mongo.documents.names import BUCKETS, ROLLUPS, SERIES, Document, rollup_key
from runstore_mongo.documents.packed import within
from runstore_mongo.points.history import first_bucket, whole_of
from runstore_mongo.points.plans import SeriesState, rollup_fields

ROLL_AT: Final = 16_384
"""Points in buckets that no pack covers, from which on they are rolled up: a chart reads so many one by one."""

_BUCKETS_A_BATCH: Final = 70

MOST_MENDED: Final = 8
"""Where a seal writes below the frontier into more packs than this, the frontier is drawn back."""

POINTS_A_PIECE: Final = 65_536
"""Points that are read at a time. So many in one pack, which is meant to have 4,096, show that its cells are too wide."""

Pack = tuple[int, bytes]


class Roller:
    """Rolls up series, for a writer that knows their states."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_due(self, state: SeriesState) -> bool:
        """Whether so much lies in buckets and in no pack that it is worth it."""
        if state.summary is None:
            return False
        return state.summary.count - int(state.tail["count"]) - state.rolled_count >= ROLL_AT

    def advance(self, key: str, state: SeriesState, fresh: Columns | None = None) -> tuple[SeriesState, bool]:
        """Brings the frontier forward by a bounded number of points.

        Args:
            key: of the series.
            state: as it is stored.
            fresh: all points that buckets hold from the frontier on, if the caller knows them.

        Returns:
            The state as it now is, and whether there may be more to do at once.

        Raises:
            ConflictingWriteError: another writer was faster; nothing is lost, for packs say no more than buckets do.
        """
        summary = state.summary
        if summary is None or state.sealed_to < 0:
            return state, False
        level = state.level
        if level < 0:
            level = level_for(summary.count, summary.first.step, summary.last.step)
        columns, sealed_to = self._unrolled(key, state) if fresh is None else (fresh, state.sealed_to)
        in_buckets = summary.count - int(state.tail["count"])
        span = span_bits(level)
        frontier = min(sealed_to + 1, MAX_STEP) >> span << span
        is_all = sealed_to >= state.sealed_to
        if frontier <= state.rolled:
            if is_all:
                return replace(state, rolled_count=in_buckets), False
            if state.thinned:
                return self._next_pack(key, state, in_buckets)
            level = level_for(len(columns.steps), columns.steps[0], columns.steps[-1])
            return self._move(key, state, level, 0, 0), True
        below = within(columns, state.rolled, frontier - 1)
        self._write(key, state.version, self._packs(key, state, level, frontier, below))
        count = (
            in_buckets - (len(columns.steps) - len(below.steps)) if is_all else state.rolled_count + len(below.steps)
        )
        return self._move(key, state, level, frontier, count), not is_all

    def _next_pack(self, key: str, state: SeriesState, in_buckets: int) -> tuple[SeriesState, bool]:
        """Makes the next pack of a series that was thinned, if it is full, however many points it has.

        Of what was thinned no narrower cells can be made, so its packs stay as wide.
        """
        frontier = state.rolled + (1 << span_bits(state.level))
        if state.sealed_to < frontier - 1:
            return replace(state, rolled_count=in_buckets), False
        columns = self._points(key, state.version, state.rolled, frontier - 1, most=in_buckets + 1)
        if columns is None:
            raise ConflictingWriteError
        self._write(key, state.version, self._packs(key, state, state.level, frontier, columns))
        count = state.rolled_count + len(columns.steps)
        return self._move(key, state, state.level, frontier, count), True

    def mend(self, key: str, state: SeriesState, steps: Sequence[int]) -> int:
        """Makes right what packs say of some steps that a seal has written into buckets.

        Returns:
            The frontier as it is to be stored with the seal.
        """
        if not state.rolled or steps[0] >= state.rolled:
            return state.rolled
        level, span = state.level, span_bits(state.level)
        touched = sorted({step >> span for step in steps if step < state.rolled})
        if len(touched) > MOST_MENDED:
            return touched[0] << span
        packs: list[Pack] = []
        for index in touched:
            low = index << span
            columns = self._points(key, state.version, low, low + (1 << span) - 1)
            if columns is None:
                return touched[0] << span
            packs += packs_of_points(columns, level)
        found = [(level, packs)]
        while level + FAN_OUT_BITS <= MAX_LEVEL:
            above = level + FAN_OUT_BITS
            end = state.rolled >> span_bits(above)
            touched = sorted({index >> FAN_OUT_BITS for index in touched if index >> FAN_OUT_BITS < end})
            if not touched:
                break
            new, packs = dict(packs), []
            for index in touched:
                first = index << FAN_OUT_BITS
                known = dict(self._stored(key, state.version, level, first, first + (1 << FAN_OUT_BITS) - 1))
                known |= {number: data for number, data in new.items() if number >> FAN_OUT_BITS == index}
                packs += packs_of_packs([known[number] for number in sorted(known)], above)
            found.append((above, packs))
            level = above
        self._write(key, state.version, found)
        return state.rolled

    def _packs(
        self, key: str, state: SeriesState, level: int, frontier: int, below: Columns
    ) -> Iterable[tuple[int, list[Pack]]]:
        """The packs of all levels that the points up to a new frontier fill."""
        packs = packs_of_points(below, level)
        found = [(level, packs)]
        while level + FAN_OUT_BITS <= MAX_LEVEL:
            above = span_bits(level + FAN_OUT_BITS)
            begin, end = state.rolled >> above, frontier >> above
            if begin == end:
                break
            first, known = begin << FAN_OUT_BITS, state.rolled >> span_bits(level)
            if first < known:
                packs = [*self._stored(key, state.version, level, first, known - 1), *packs]
            lower = [data for index, data in packs if first <= index < end << FAN_OUT_BITS]
            level += FAN_OUT_BITS
            packs = packs_of_packs(lower, level)
            found.append((level, packs))
        return found

    def _unrolled(self, key: str, state: SeriesState) -> tuple[Columns, int]:
        """The points of the next buckets from the frontier on, and up to which step they are all that buckets hold."""
        scope: Document = {"series": key}
        if state.rolled:
            scope["low"] = {"$gte": first_bucket(self._connection, key, state.rolled)}
        buckets = self._connection.collection(BUCKETS)
        found: list[Document] = []
        size, complete_to = 0, state.sealed_to
        with buckets.find(scope).sort({"low": ASCENDING}).batch_size(_BUCKETS_A_BATCH) as cursor:
            for document in cursor:
                if size >= POINTS_A_PIECE:
                    complete_to = min(complete_to, int(document["low"]) - 1)
                    break
                found.append(document)
                size += int(document["count"])
        _check_versions(found, state.version)
        return within(whole_of(found), state.rolled, complete_to), complete_to

    def _points(self, key: str, version: int, low: int, high: int, *, most: int = POINTS_A_PIECE) -> Columns | None:
        """The points that buckets hold within a range; ``None`` if those buckets hold too many."""
        scope = {"series": key, "low": {"$gte": first_bucket(self._connection, key, low), "$lte": high}}
        found: list[Document] = []
        size = 0
        with self._connection.collection(BUCKETS).find(scope).sort({"low": ASCENDING}) as cursor:
            for document in cursor:
                found.append(document)
                size += int(document["count"])
                if size >= most:
                    return None
        _check_versions(found, version)
        return within(whole_of(found), low, high)

    def _stored(self, key: str, version: int, level: int, first: int, last: int) -> list[Pack]:
        """The packs of a level, by their indices from first to last."""
        found = self._connection.collection(ROLLUPS).find(pack_scope(key, level, first, last)).sort("_id", ASCENDING)
        documents = found.to_list()
        _check_versions(documents, version)
        return [(int(document["index"]), document["pack"]) for document in documents]

    def _write(self, key: str, version: int, found: Iterable[tuple[int, list[Pack]]]) -> None:
        writes = [
            UpdateOne(
                {"_id": rollup_key(key, level, index), "version": {"$lte": version}},
                {"$set": {"version": version, "index": Int64(index), "pack": data}},
                upsert=True,
            )
            for level, packs in found
            for index, data in packs
        ]
        if not writes:
            return
        rollups = self._connection.collection(ROLLUPS)
        try:
            rollups.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            if is_duplicate(error):  # made from a later version
                raise ConflictingWriteError from error
            raise

    def _move(self, key: str, state: SeriesState, level: int, rolled: int, count: int) -> SeriesState:
        series = self._connection.collection(SERIES)
        after = replace(state, level=level, rolled=rolled, rolled_count=count, stored_rolled=rolled)
        scope = {"_id": key, "version": state.version, "rolled": state.stored_rolled}
        if not series.update_one(scope, {"$set": rollup_fields(after)}).matched_count:
            raise ConflictingWriteError
        return after


def pack_scope(key: str, level: int, first: int, last: int) -> Document:
    """The condition of the packs of a level of a series, by their indices."""
    return {"_id": {"$gte": rollup_key(key, level, first), "$lte": rollup_key(key, level, last)}}


def range_scope(key: str, wanted: PackRange) -> Document:
    """The condition of the packs that have some cells."""
    return pack_scope(key, wanted.level, wanted.first, wanted.last)


def _check_versions(documents: Iterable[Document], version: int) -> None:
    if any(document["version"] > version for document in documents):
        raise ConflictingWriteError
