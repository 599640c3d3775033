"""Writing the documents of series, as :mod:`runstore_mongo.series` plans it.

Points come here from two sides: moved from what waits in their run (:meth:`SeriesWriter.move`), which any number
of handles may try and any of them may leave half done, and straight from a call on a wide run.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from bson import ObjectId
from msgspec.structs import replace
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError
from pymongo.write_concern import WriteConcern

from runstore.errors import RunDeletedError
from runstore.local.processes import PerProcess
from runstore.model import SeriesSummary
from runstore.series import Columns, Series, SeriesColumns
from runstore.values import MAX_STEP
from runstore_mongo.connection import ConflictingWriteError, Connection, Session, is_duplicate
from runstore_mongo.documents.names import BUCKETS, RUNS, SERIES, Document, copy_key, series_key
from runstore_mongo.documents.packed import laid_over, overlay, packed, unpacked
from runstore_mongo.documents.stages import heartbeat_stage
from runstore_mongo.documents.summaries import copy_stage, versions_and_summaries
from runstore_mongo.points.history import blocks_by_series
from runstore_mongo.points.plans import BUCKET_POINTS, Plan, SeriesState, plan_write, seal_at, series_write, state_of
from runstore_mongo.points.remembered import Remembered
from runstore_mongo.points.rollups import Roller
from runstore_mongo.points.summaries import loses_extreme, reaches_back, summary_after

LARGE_TAIL: Final = 8 * BUCKET_POINTS
"""A tail above this is packed into buckets at once, not by the next write."""

_REMEMBERED_BYTES: Final = 96 * 2**20
"""Of series that were written last. A program that writes more of them in turn has each read again before it is written."""

_SERIES_BYTES: Final = 1_000
_POINT_BYTES: Final = 24

_NEW: Final = SeriesState(0, -1, None, packed(Columns.empty()))

_PIECES_A_CALL: Final = 8
"""Pieces that one call rolls up of a series: twice what it brings at most, so that old points, too, are rolled up in time."""

_AT_ONCE: Final = 2_000
"""Series of one command, where it need not be one: what it is made of is let go of before there is more."""


class Waiting(NamedTuple):
    """A call whose points wait in a run.

    Attributes:
        call: by what the run knows them.
        batches: the points.
        after: the version and the summary of each series with them.
    """

    call: ObjectId
    batches: SeriesColumns
    after: Mapping[Series, tuple[int, SeriesSummary]]


class SeriesWriter:
    """Writes series for one handle, and remembers those that it wrote last."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._states = PerProcess(lambda: Remembered[SeriesState](_REMEMBERED_BYTES))
        self._roller = Roller(connection)

    def move(self, run_id: str) -> None:
        """Moves the points that wait in a run into its series.

        Points that wait are acknowledged already, and stay in the run until their series holds them: nothing is lost
        wherever this stops, and the next one goes on. Each copy is acknowledged as the URL asks for, by a majority, before
        what it was copied from is let go of: the driver may send the next write to a newly elected member that has never
        heard of the one before. What the series hold is read, not remembered: a database that was brought back from a
        copy, or elected a member that lagged, holds less.

        Raises:
            ConflictingWriteError: another handle is at it.
        """
        runs = self._connection.collection(RUNS)
        run = runs.find_one({"_id": run_id}, {"pending": 1, "metrics": 1})
        pending = [] if run is None else run.get("pending", [])
        if run is None or not pending:
            return
        blocks = blocks_by_series(pending)
        held = versions_and_summaries({key: run["metrics"][key] for key in (copy_key(series) for series in blocks)})
        keys = [series_key(run_id, series) for series in blocks]
        with self._states.get().forgetting(keys):
            self._states.get().forget(keys)
            states = self._load(keys)
            batches = {
                series: laid_over(unpacked(block) for block in found if block["version"] > states[key].version)
                for key, (series, found) in zip(keys, blocks.items(), strict=True)
            }
            new = {series: batch for series, batch in batches.items() if batch.steps}
            self._put(run_id, new, states, held)
        self._let_go(run_id, new, {block["call"] for block in pending})

    def move_calls(self, run_id: str, waiting: Sequence[Waiting]) -> None:
        """As :meth:`move`, for calls that this handle has just written, in their order: they need not be read again.

        What other handles have waiting in the run stays there, and so do points that it makes wait for them.
        """
        parts: dict[Series, list[Columns]] = {}
        first: dict[Series, int] = {}
        after: dict[Series, tuple[int, SeriesSummary]] = {}
        for each in waiting:
            after |= each.after
            for series, batch in each.batches.items():
                parts.setdefault(series, []).append(batch)
                first.setdefault(series, each.after[series][0])
        batches = {series: laid_over(found) if len(found) > 1 else found[0] for series, found in parts.items()}
        keys = [series_key(run_id, series) for series in batches]
        with self._states.get().forgetting(keys):
            states = self._load(keys)
            is_next = all(states[key].version == first[one] - 1 for key, one in zip(keys, batches, strict=True))
            if is_next:
                self._put(run_id, batches, states, after)
        if is_next:
            self._let_go(run_id, batches, {each.call for each in waiting})
        else:  # points of an earlier call wait as well, and go first
            self.move(run_id)

    def _put(
        self,
        run_id: str,
        batches: SeriesColumns,
        states: Mapping[str, SeriesState],
        after: Mapping[Series, tuple[int, SeriesSummary]],
    ) -> None:
        limit = seal_at(len(batches))
        stored = self._overlapped(run_id, batches, states, limit=limit)
        plans = []
        for series, batch in batches.items():
            key = series_key(run_id, series)
            version, summary = after[series]
            plans.append(
                plan_write(
                    run_id,
                    series,
                    batch,
                    states[key],
                    stored.get(key, []),
                    version=version,
                    summary=summary,
                    limit=limit,
                )
            )
        plans = self._seal(plans)
        self._write(run_id, plans, None)
        self._remember(plans)

    def _let_go(self, run_id: str, moved: Iterable[Series], calls: Collection[ObjectId]) -> None:
        """Takes points that were moved out of the run."""
        self._roll_up(run_id, moved, self._seal_large(run_id, moved))
        runs = self._connection.collection(RUNS).with_options(write_concern=WriteConcern(w=1))
        runs.update_one({"_id": run_id}, {"$pull": {"pending": {"call": {"$in": list(calls)}}}})

    def write(self, run_id: str, batches: SeriesColumns, *, copied: Collection[Series]) -> None:
        """Writes a call on a wide run: on a replica set in one transaction, elsewhere all series in one command.

        Args:
            run_id: the run.
            batches: the points.
            copied: the series whose statistics the run holds, too.

        Raises:
            RunDeletedError: only the id of the run is left.
            ConflictingWriteError: another writer was faster.
        """
        keys = {series: series_key(run_id, series) for series in batches}
        with self._states.get().forgetting(keys.values()):
            states = self._load(keys.values())
            batches = taken(batches, {series: states[key].thinned for series, key in keys.items()})
            extremes = {
                series for series, batch in batches.items() if loses_extreme(states[keys[series]].summary, batch)
            }
            limit = seal_at(len(batches))
            stored = self._overlapped(run_id, batches, states, limit=limit, whole=extremes)
            plans = []
            for series, batch in batches.items():
                key = keys[series]
                state, documents = states[key], stored.get(key, [])
                known = Columns.empty()
                if reaches_back(state.summary, batch):
                    known = overlay(unpacked(*documents), unpacked(state.tail))
                summary = summary_after(series, state.summary, batch, known)
                version = state.version + 1
                plans.append(
                    plan_write(run_id, series, batch, state, documents, version=version, summary=summary, limit=limit)
                )
            self._check_versions({plan.key: plan.before.version for plan in plans if plan.seals})
            plans = self._seal(plans)
            renewed = [plan for plan in plans if plan.series in copied]
            self._connection.transact(lambda session: self._write_wide(run_id, plans, renewed, session))
            self._remember(plans)
        self._roll_up(run_id, batches, self._seal_large(run_id, batches))

    def seal(self, run_id: str, series: Series) -> None:
        """Packs the tail of a series into buckets, however small it is."""
        key = series_key(run_id, series)
        with self._states.get().forgetting([key]):
            self._states.get().forget([key])
            state = self._load([key])[key]
            self._states.get().put([(key, state, _size_of(state))])
        self._seal_large(run_id, [series], above=0)

    def _seal_large(self, run_id: str, series: Iterable[Series], *, above: int = LARGE_TAIL) -> dict[str, Columns]:
        """Packs tails of more points than so many into buckets at once.

        Returns:
            By their keys, the points of buckets that are in no roll-up, where they have all just been packed.
        """
        keys = {one: series_key(run_id, one) for one in series}
        remembered = self._states.get()
        states = {one: remembered.get(key) for one, key in keys.items()}
        large = {one: state for one, state in states.items() if state and state.tail["count"] > above}
        if not large:
            return {}
        with self._states.get().forgetting(keys.values()):
            known = {keys[one]: state for one, state in large.items()}
            stored = self._overlapped(run_id, dict.fromkeys(large, Columns.empty()), known, limit=1)
            plans = [
                plan_write(
                    run_id,
                    one,
                    Columns.empty(),
                    state,
                    stored.get(keys[one], []),
                    version=state.version,
                    summary=state.summary,
                    limit=1,
                )
                for one, state in large.items()
            ]
            plans = self._seal(plans)
            self._write(run_id, plans, None)
            self._remember(plans)
        packed_now = {plan.key: (plan.before, unpacked(plan.before.tail)) for plan in plans}
        return {
            key: tail for key, (before, tail) in packed_now.items() if before.sealed_to < before.rolled <= tail.steps[0]
        }

    def _roll_up(self, run_id: str, series: Iterable[Series], fresh: Mapping[str, Columns]) -> None:
        """Rolls up what has grown long. None of it is urgent: where another writer is faster, it is left to the next call."""
        remembered = self._states.get()
        for key in [series_key(run_id, one) for one in series]:
            state = remembered.get(key)
            if state is None or not self._roller.is_due(state):
                continue
            try:
                known = fresh.get(key)
                for _ in range(_PIECES_A_CALL):
                    state, has_more = self._roller.advance(key, state, known)
                    known = None
                    remembered.put([(key, state, _size_of(state))])
                    if not has_more:
                        break
            except ConflictingWriteError:
                remembered.forget([key])
            except BaseException:
                remembered.forget([key])
                raise

    def _load(self, keys: Collection[str]) -> dict[str, SeriesState]:
        remembered = self._states.get()
        found = {key: remembered.get(key) for key in keys}
        missing = [key for key, state in found.items() if state is None]
        if missing:
            for document in self._connection.collection(SERIES).find({"_id": {"$in": missing}}):
                found[document["_id"]] = state_of(document)
        return {key: state or _NEW for key, state in found.items()}

    def _overlapped(
        self,
        run_id: str,
        batches: SeriesColumns,
        states: Mapping[str, SeriesState],
        *,
        limit: int,
        whole: Collection[Series] = (),
    ) -> dict[str, list[Document]]:
        """The buckets that the new points overwrite, or that a seal has to merge into, by series."""
        wanted = []
        for series, batch in batches.items():
            key = series_key(run_id, series)
            state = states[key]
            if state.sealed_to < 0:
                continue  # it has no bucket
            low, high = MAX_STEP, -1
            for part in (batch, unpacked(state.tail if state.tail["count"] >= limit else _NEW.tail)):
                if part.steps and part.steps[0] <= state.sealed_to:
                    low, high = min(low, part.steps[0]), max(high, min(part.steps[-1], state.sealed_to))
            if series in whole:
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

    def _seal(self, plans: list[Plan]) -> list[Plan]:
        """Copies tails into buckets, before the series let go of them; in no transaction, for they are many and large.

        Returns:
            The plans, with their roll-ups' frontiers drawn back where too many packs would have to be made anew.
        """
        seals = [seal for plan in plans for seal in plan.seals]
        if not seals:
            return plans
        self._compare_and_set(BUCKETS, seals, None)
        return [self._mended(plan) if plan.seals and plan.before.rolled else plan for plan in plans]

    def _check_versions(self, known: Mapping[str, int]) -> None:
        """Looks whether series are as they are remembered, before a seal.

        A bucket from after what its series holds would be in every writer's way. Writers only raise a version; a database
        that was brought back from a copy lowers it. Where a call was just pushed into its run, the run's guards have
        shown it.
        """
        if known:
            series = self._connection.collection(SERIES).find({"_id": {"$in": list(known)}}, {"version": 1})
            if {each["_id"]: int(each["version"]) for each in series} != known:
                raise ConflictingWriteError

    def _mended(self, plan: Plan) -> Plan:
        steps = unpacked(plan.before.tail).steps
        rolled = self._roller.mend(plan.key, plan.before, steps)
        if rolled == plan.before.rolled:
            return plan
        count = min(plan.before.rolled_count, rolled)  # no step has two points
        return replace(plan, after=replace(plan.after, rolled=rolled, rolled_count=count, stored_rolled=rolled))

    def _write(
        self,
        run_id: str,
        plans: Sequence[Plan],
        session: Session,
        *,
        at_once: int = _AT_ONCE,
    ) -> None:
        for first in range(0, len(plans), at_once):
            writes = [series_write(run_id, plan) for plan in plans[first : first + at_once]]
            self._compare_and_set(SERIES, writes, session)

    def _write_wide(self, run_id: str, plans: Sequence[Plan], renewed: Sequence[Plan], session: Session) -> None:
        """In a transaction the run comes first, so that two writers of one run meet before they have done any work."""
        if session is not None:
            self._copy(run_id, renewed, session)
        self._write(run_id, plans, session, at_once=max(1, len(plans)) if session is None else _AT_ONCE)
        if session is None:
            self._copy(run_id, renewed, session)

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
        """The run's copy of the statistics, and its heartbeat."""
        copies = [(plan.after.version, plan.after.summary) for plan in plans if plan.after.summary is not None]
        stages = [copy_stage(copies), heartbeat_stage()] if copies else [heartbeat_stage()]
        runs = self._connection.collection(RUNS)
        if session is None:  # the points are on disk; the copy, which the next call mends, need not be waited for
            runs = runs.with_options(write_concern=WriteConcern(w=1))
        result = runs.update_one({"_id": run_id, "purged_at": None}, stages, session=session)
        if not result.matched_count:  # it was there when it was first looked at
            raise RunDeletedError.of(run_id, is_purged=True)

    def _remember(self, plans: Iterable[Plan]) -> None:
        self._states.get().put([(plan.key, plan.after, _size_of(plan.after)) for plan in plans])


def taken(batches: SeriesColumns, thinned: Mapping[Series, int]) -> SeriesColumns:
    """What a call brings for steps behind those to which its series were thinned: all of it, nearly always (CHG.13)."""
    if not any(thinned.values()):
        return batches
    parts = {series: batch.after(thinned.get(series, 0) - 1) for series, batch in batches.items()}
    return {series: batch for series, batch in parts.items() if batch.steps}


def _size_of(state: SeriesState) -> int:
    return _SERIES_BYTES + _POINT_BYTES * int(state.tail["count"])
