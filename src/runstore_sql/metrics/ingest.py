"""Writing points: one transaction and a fixed number of statements, whatever the number of points and series (MET.7-8).

1. Find the run and lock the rows of the series that are written to, in one order for all writers.
2. Make the series that are missing, and lock them too. What a history that was thinned does not take is left out (CHG.13).
3. Where a batch begins after its series' last step it only appends. Elsewhere, look up which of its steps exist.
4. Write the points in bulk; a step that exists is overwritten.
5. Where a value was overwritten, compute the summary from the points; elsewhere fold the batch into it.
6. Write the summaries.
7. Bring the roll-ups in line, and on where there is a pack to fill.

What differs by dialect stands in the subclasses of :class:`PointWriter`. Most calls only append, and each dialect has a
shorter way for those.
"""

import math
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, ClassVar, Final, Generic, NamedTuple, Self, TypeVar

from runstore.errors import RunDeletedError, RunNotFoundError
from runstore.series import Columns, Series, SeriesColumns
from runstore_sql.metrics import rollups
from runstore_sql.metrics.points import columns_of
from runstore_sql.metrics.rollup_tables import RollupTables, SeriesState
from runstore_sql.metrics.rollups import Advance, Roller
from runstore_sql.metrics.summary_rows import SummaryRow, fold, row_of
from runstore_sql.metrics.summary_sql import SUMMARY_SQL
from runstore_sql.metrics.tails import Tails
from runstore_sql.metrics.watch import Watch
from runstore_sql.transactions import Transactions

_MOST_KEYS: Final = 10_000
MOST_ROLLED: Final = 64
"""How many series a call rolls up: those that are logged together have packs to fill at the same time."""

NONE_ROLLED: Final[AbstractSet[Series]] = frozenset()
"""Of a call that has rolled up nothing."""

ConnectionT = TypeVar("ConnectionT")
CursorT = TypeVar("CursorT")


class FoundSeries(NamedTuple):
    """A series as it is stored: its key, its summary's columns, and how far it is rolled up and thinned."""

    pk: int
    summary: SummaryRow
    rollups: tuple[Any, ...]

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """From the key, the columns of :data:`FOUND_SQL`."""
        return cls(row[0], tuple(row[1:-4]), tuple(row[-4:]))

    @property
    def is_thinned(self) -> bool:
        """Whether it was thinned, or is being."""
        return self.rollups[-1] is not None

    def state(self, summary: SummaryRow) -> SeriesState:
        """How it stands once its summary is this one."""
        return SeriesState(self.pk, summary[0], summary[2], summary[5], *self.rollups)


FOUND_SQL: Final = f"{SUMMARY_SQL}, s.level, s.rolled_step, s.rewrites, s.thinned_step"
"""What is read of a series, behind its key."""


class FoundRun(NamedTuple):
    """A run and its locked series.

    Attributes:
        needs_beat: whether its heartbeat is old enough to be renewed.
        is_purged: whether only its id is left.
        series: what is stored of each.
    """

    pk: int
    needs_beat: bool
    is_purged: bool
    series: dict[Series, FoundSeries]


class KnownKeys:
    """The keys of the series that a handle has found, so that a call that appends need not find them again.

    A key may have come to mean another series since, in a database that was emptied or brought back from a copy: who
    uses one asks in the same statement for the run's id, the name and the dataset type. For any number of threads.
    """

    def __init__(self) -> None:
        self._by_run: dict[str, dict[Series, int]] = {}
        self._count = 0

    def of(self, run_id: str, wanted: Iterable[Series]) -> list[int] | None:
        """The keys of series of a run; ``None`` unless all are known."""
        known = self._by_run.get(run_id)
        try:
            return None if known is None else [known[series] for series in wanted]
        except KeyError:
            return None

    def remember(self, run_id: str, found: Mapping[Series, FoundSeries]) -> None:
        """Takes the keys of what was found; all older ones are forgotten when they become many."""
        if self._count > _MOST_KEYS:
            self._by_run.clear()
            self._count = 0
        known = self._by_run.setdefault(run_id, {})
        before = len(known)
        known.update({series: each.pk for series, each in found.items()})
        self._count += len(known) - before


class PointWriter(ABC, Generic[ConnectionT, CursorT]):
    """How one dialect writes points, on a connection of its driver; for any number of threads.

    :meth:`write` is the way of a call, :meth:`take_steps` the one that serves every call. The other methods are its
    steps; their cursor is inside a transaction.
    """

    tables: ClassVar[RollupTables[Any]]

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._watch = Watch()
        self._tails = Tails()
        self._roller = Roller(self.tables)

    @abstractmethod
    def transaction(self, connection: ConnectionT) -> AbstractContextManager[CursorT]:
        """A transaction on a connection; gives what its statements are sent through."""

    def write(self, connection: ConnectionT, run_id: str, batches: SeriesColumns) -> None:
        """Writes the points of one call in one transaction: all of them or none.

        Raises:
            RunNotFoundError: no such run; a RunDeletedError of one that was purged. Nothing was written.
        """
        try:
            self.write_call(connection, run_id, batches)
        except BaseException:
            for series in batches:  # which may be stored or not, and rolled up or not
                self._tails.drop(run_id, series)
            raise

    @abstractmethod
    def write_call(self, connection: ConnectionT, run_id: str, batches: SeriesColumns) -> None:
        """As :meth:`write`."""

    @abstractmethod
    def find(self, cursor: CursorT, run_id: str, wanted: Sequence[Series]) -> FoundRun | None:
        """The run with those of the wanted series that exist, locked."""

    @abstractmethod
    def make_series(self, cursor: CursorT, run_pk: int, missing: Sequence[Series]) -> None:
        """Makes empty series; one that another writer made meanwhile is left as it is."""

    @abstractmethod
    def existing_values(self, cursor: CursorT, keys: Sequence[tuple[int, int]]) -> Iterable[tuple[int, int, float]]:
        """Series, step and value of those points that exist."""

    @abstractmethod
    def write_points(self, cursor: CursorT, keyed: Sequence[tuple[int, Columns]], *, only_appends: bool) -> None:
        """Inserts the points of batches in the order of their series' keys; overwrites those that exist."""

    @abstractmethod
    def compute_rows(self, cursor: CursorT, series_pks: Sequence[int]) -> dict[int, SummaryRow]:
        """The summaries of whole series, computed from their points."""

    @abstractmethod
    def write_summaries(self, cursor: CursorT, rows: dict[int, SummaryRow]) -> None:
        """Sets the summaries of series."""

    @abstractmethod
    def beat(self, cursor: CursorT, run_pk: int) -> None:
        """Renews the run's heartbeat for another lease."""

    def take_steps(
        self, cursor: CursorT, run_id: str, batches: SeriesColumns
    ) -> tuple[dict[Series, SeriesState], SeriesColumns]:
        """Writes the points of one call, whatever is stored already.

        Returns:
            The series that may have something to roll up, as they now stand, and those batches that lie behind all points before them.

        Raises:
            RunNotFoundError: no such run; a RunDeletedError of one that was purged.
        """
        found = self._find_or_make(cursor, run_id, list(batches))
        if found.needs_beat:
            self.beat(cursor, found.pk)
        batches = _taken(found, batches)
        if not batches:
            return {}, {}
        rows: dict[int, SummaryRow] = {}
        overlapping: SeriesColumns = {}
        for series, batch in batches.items():
            pk, known = found.series[series][:2]
            if known[0] == 0:
                rows[pk] = row_of(batch)
            elif batch.steps[0] > known[5]:
                rows[pk] = fold(known, row_of(batch))
            else:
                overlapping[series] = batch
        stale = self._fold_overlaps(cursor, found, overlapping, rows) if overlapping else {}
        keyed = sorted((found.series[series].pk, batch) for series, batch in batches.items())
        self.write_points(cursor, keyed, only_appends=not overlapping)
        if stale:
            for pk, row in self.compute_rows(cursor, list(stale)).items():
                # Of a history that was thinned fewer points are there than were counted.
                rows[pk] = row if row[0] >= stale[pk][0] else (*stale[pk], *row[2:])
        if rows:
            self.write_summaries(cursor, dict(sorted(rows.items())))
        due = self._bring_in_line(cursor, run_id, found, rows, batches, overlapping)
        return due, {series: batch for series, batch in batches.items() if series not in overlapping}

    def _bring_in_line(  # noqa: PLR0913, PLR0917 - what the steps have found
        self,
        cursor: CursorT,
        run_id: str,
        found: FoundRun,
        rows: dict[int, SummaryRow],
        batches: SeriesColumns,
        overlapping: SeriesColumns,
    ) -> dict[Series, SeriesState]:
        """Mends the packs of what was overwritten or came late; gives the series that may have something to roll up."""
        due = {}
        if overlapping:
            self.tables.note_rewrites(cursor, [found.series[series].pk for series in overlapping])
        for series, batch in batches.items():
            each = found.series[series]
            if series in overlapping:
                self._tails.drop(run_id, series)
                state = each.state(rows.get(each.pk, each.summary))
                state = self._roller.mend(cursor, state._replace(rewrites=state.rewrites + 1), batch.steps)
            elif each.summary[0] == 0:
                self._tails.begin(run_id, series, each.state(each.summary), Columns.empty())
                state = each.state(rows[each.pk])
            elif self._watch.is_at_rest(run_id, series, batch.steps[-1]):
                continue
            else:
                state = each.state(rows[each.pk])
            if self._watch.note(run_id, series, state):
                due[series] = state
        return due

    def roll_up(
        self, cursor: CursorT, run_id: str, due: Mapping[Series, SeriesState], appended: SeriesColumns
    ) -> set[Series]:
        """Rolls up series to which this transaction wrote; of many, and of long ones, a part a call.

        Args:
            cursor: in the transaction.
            run_id: the run.
            due: the series, as they stand with what was written.
            appended: what was written behind all points before it.

        Returns:
            The series of which all points behind the frontier are kept here.
        """
        rolled: set[Series] = set()
        plans: list[Advance] = []
        reads = 0
        for series, state in islice(due.items(), MOST_ROLLED):
            last = appended.get(series)
            at_hand = None if last is None else self._tails.find(run_id, series, state, last)
            done = self._roller.plan(cursor, state, at_hand or last, is_all=at_hand is not None)
            plans.append(done)
            self._watch.note(run_id, series, done.state, is_rolled=True)
            if done.rest is None:
                self._tails.drop(run_id, series)
            else:
                self._tails.begin(run_id, series, done.state, done.rest)
                rolled.add(series)
            reads += done.reads
            if reads >= rollups.MOST_POINTS:
                break
        self._roller.save(cursor, plans)
        return rolled

    def keep(self, run_id: str, appended: SeriesColumns, rolled: AbstractSet[Series] = NONE_ROLLED) -> None:
        """Keeps points that were stored, until they are rolled up; those of series that were rolled up are kept already."""
        self._tails.grow(run_id, appended, rolled)

    def _find_or_make(self, cursor: CursorT, run_id: str, wanted: list[Series]) -> FoundRun:
        found = self._found(cursor, run_id, wanted)
        if missing := [series for series in wanted if series not in found.series]:
            self.make_series(cursor, found.pk, missing)
            found = self._found(cursor, run_id, wanted)
        return found

    def _found(self, cursor: CursorT, run_id: str, wanted: list[Series]) -> FoundRun:
        found = self.find(cursor, run_id, wanted)
        if found is None:
            raise RunNotFoundError.of(run_id)
        if found.is_purged:
            raise RunDeletedError.of(run_id, is_purged=True)
        return found

    def _fold_overlaps(
        self, cursor: CursorT, found: FoundRun, overlapping: SeriesColumns, rows: dict[int, SummaryRow]
    ) -> dict[int, tuple[int, int]]:
        """Folds what is new in batches that reach back; gives the series whose stored values change.

        Returns:
            How many points each of those has from now on, and how many of them are not finite.
        """
        keys = [(found.series[series].pk, step) for series, batch in overlapping.items() for step in batch.steps]
        existing = {(pk, step): value for pk, step, value in self.existing_values(cursor, keys)}
        stale = {}
        for series, batch in overlapping.items():
            pk, known = found.series[series][:2]
            fresh = [point for point in zip(*batch, strict=True) if (pk, point[0]) not in existing]
            changed = [
                (existing[pk, step], value)
                for step, value in zip(batch.steps, batch.values, strict=True)
                if (pk, step) in existing and _differs(existing[pk, step], value)
            ]
            if changed:
                more = sum(not math.isfinite(value) for _, value, _ in fresh)
                more += sum(math.isfinite(old) - math.isfinite(new) for old, new in changed)
                stale[pk] = known[0] + len(fresh), known[1] + more
            elif fresh:
                rows[pk] = fold(known, row_of(columns_of(fresh)))
        return stale


def _taken(found: FoundRun, batches: SeriesColumns) -> SeriesColumns:
    """What a call brings for steps behind those to which its series were thinned: all of it, nearly always."""
    closed = {series: each.state(each.summary).closed for series, each in found.series.items() if each.is_thinned}
    if not closed:
        return batches
    taken = {series: batch.after(closed.get(series, -1)) for series, batch in batches.items()}
    return {series: batch for series, batch in taken.items() if batch.steps}


def _differs(left: float, right: float) -> bool:
    return struct.pack("d", left) != struct.pack("d", right)
