"""The points of one series, straight from the driver into columns.

A series may hold millions of points, so rows go in blocks from the driver's cursor into arrays, past SQLAlchemy's
result objects.
"""

from abc import ABC, abstractmethod
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar

from runstore.backend import StepRange
from runstore.series import Columns, Series, SeriesKey
from runstore_sql.metrics.points import PointRow, columns_of
from runstore_sql.metrics.rollup_tables import SeriesState

_SHORT: Final = 32_768
"""Of a series of no more points so much is read as of a long one."""

CursorT = TypeVar("CursorT")

Range = tuple[int, int]
"""A first and a last step."""


DensePoints = tuple["array[float]", "array[int]"]
"""Values and times of points whose steps are known."""


class SeriesExtent(NamedTuple):
    """A series, the range of its steps, and when its run began."""

    state: SeriesState
    start_us: int

    @property
    def pk(self) -> int:
        """Its key."""
        return self.state.pk

    @property
    def points(self) -> int:
        """How many points it has."""
        return self.state.points

    @property
    def first(self) -> int:
        """Its lowest step."""
        return self.state.first

    @property
    def last(self) -> int:
        """Its highest step."""
        return self.state.last

    @property
    def is_bounded(self) -> bool:
        """Whether a chart reads as much of it as it shows: it is rolled up, or short."""
        return self.state.rollups is not None or self.points <= _SHORT

    def is_untrue(self, count: int) -> bool:
        """Whether the cells of the whole series hold other points than it has.

        So it is where a program of the first schema, which knows nothing of roll-ups, has written to a run that had ended.
        """
        return self.state.closed < 0 and count != self.points

    @property
    def is_dense(self) -> bool:
        """Whether it has a point at every step from the first to the last, so that nobody need send the steps."""
        return self.state.closed < 0 and self.points == self.last - self.first + 1


class HistoryReader(ABC, Generic[CursorT]):
    """Reads for one dialect, on a connection of its driver.

    A row a point is slow, so each dialect has a quicker way beside the plain one. Both give the same;
    ``RUNSTORE_SQL_PLAIN=1`` takes the plain one.
    """

    placeholder: ClassVar[str] = "%s"
    """How the driver marks a parameter."""

    begin: ClassVar[tuple[str, ...]]
    """The statements that begin a transaction that sees one state of the database."""

    columns: ClassVar[str]
    """The columns of a point in a row of its own, for :meth:`native`."""

    def __init__(self, *, is_plain: bool = False) -> None:
        """Takes whether points are read the plain way, a row each."""
        self._is_plain = is_plain

    def whole(self, connection: Any, run_id: str, series: Series, steps: StepRange) -> Columns | None:
        """The points of a range of steps; ``None`` where there is no such series."""
        key = SeriesKey(run_id, *series)
        with self.snapshot(connection) as cursor:
            extent = self.extents(cursor, [key]).get(key)
            return None if extent is None else self.within(cursor, extent, steps)

    def within(self, cursor: Any, extent: SeriesExtent, steps: StepRange) -> Columns:
        """The points of a series within a range of steps."""
        low, high = max(steps.low, extent.first), min(steps.high, extent.last)
        if low > high:
            return Columns.empty()
        if self._is_plain:
            return self.plain_points(cursor, extent.pk, low=low, high=high)
        if extent.is_dense:
            values, times = self.dense_points(cursor, extent.pk, low=low, high=high)
            # As many points as there are steps: one at each. Fewer are there where somebody took points out by hand.
            if len(values) == high - low + 1:
                return Columns(array("q", range(low, high + 1)), values, times)
        return self.points(cursor, extent.pk, low=low, high=high)

    @contextmanager
    def snapshot(self, connection: Any) -> Iterator[Any]:
        """A cursor whose statements all see one state of the database, so that no batch is seen in part (DUR.2)."""
        cursor = connection.cursor()
        try:
            for statement in self.begin:
                cursor.execute(statement)
            try:
                yield cursor
            finally:
                cursor.execute("ROLLBACK")
        finally:
            cursor.close()

    def extents(self, cursor: Any, wanted: Iterable[SeriesKey]) -> dict[SeriesKey, SeriesExtent]:
        """Those of some series that there are."""
        keys = dict.fromkeys(wanted)
        runs = tuple(dict.fromkeys(key.run_id for key in keys))
        names = tuple(dict.fromkeys(key.name for key in keys))
        if not keys:
            return {}
        given = self.placeholder
        cursor.execute(
            "SELECT r.id, s.name, s.dataset_type, s.pk, s.count, s.first_step, s.last_step, s.level, s.rolled_step, s.rewrites, "  # noqa: S608 - placeholders
            "s.thinned_step, r.start_us FROM runstore_run r JOIN runstore_series s ON s.run_pk = r.pk WHERE r.deleted_us IS NULL "
            f"AND r.id IN ({', '.join([given] * len(runs))}) AND s.name IN ({', '.join([given] * len(names))})",
            (*runs, *names),
        )
        found = {SeriesKey(*row[:3]): row[3:] for row in cursor.fetchall()}
        return {key: SeriesExtent(SeriesState(*found[key][:-1]), found[key][-1]) for key in keys if key in found}

    def ends(self, cursor: Any, extent: SeriesExtent, steps: StepRange) -> Range | None:
        """The first and the last step that there are within a range; ``None`` where there is none."""
        low, high = max(steps.low, extent.first), min(steps.high, extent.last)
        if low > high:
            return None
        if extent.is_dense or (low, high) == (extent.first, extent.last):
            return low, high
        given = self.placeholder
        found = []
        for order in ("", " DESC"):
            cursor.execute(
                f"SELECT step FROM runstore_point WHERE series_pk = {given} AND step BETWEEN {given} AND {given} "  # noqa: S608
                f"ORDER BY step{order} LIMIT 1",
                (extent.pk, low, high),
            )
            found += cursor.fetchall()
        return (found[0][0], found[1][0]) if found else None

    def in_ranges(self, cursor: Any, extent: SeriesExtent, ranges: Sequence[Range]) -> list[Columns]:
        """The points of each of some ranges of steps, given in order; of none where there are none."""
        if self._is_plain or len(ranges) == 1:
            return [self.within(cursor, extent, StepRange(*each)) for each in ranges]
        if not ranges:
            return []
        found = self.scattered(cursor, extent.pk, ranges)
        begins = [bisect_left(found.steps, low) for low, _ in ranges]
        return [found.part(begin, end) for begin, end in pairwise([*begins, len(found.steps)])]

    def plain_points(self, cursor: Any, series_pk: int, *, low: int, high: int) -> Columns:
        """The points of a range of steps, a row each."""
        given = self.placeholder
        cursor.execute(
            f"SELECT {self.columns} FROM runstore_point "  # noqa: S608 - our own text
            f"WHERE series_pk = {given} AND step BETWEEN {given} AND {given} ORDER BY step",
            (series_pk, low, high),
        )
        return columns_of([self.native(row) for row in cursor.fetchall()])

    def native(self, row: Any) -> PointRow:
        """Step, value and time of a point, from a row of :attr:`columns`."""
        step, value, time_us = row
        return step, value, time_us

    @abstractmethod
    def points(self, cursor: CursorT, series_pk: int, *, low: int, high: int) -> Columns:
        """The points of a range of steps."""

    def scattered(self, cursor: CursorT, series_pk: int, ranges: Sequence[Range]) -> Columns:
        """The points of many short ranges of steps, given in order."""
        return Columns.joined(self.points(cursor, series_pk, low=low, high=high) for low, high in ranges)

    def dense_points(self, cursor: CursorT, series_pk: int, *, low: int, high: int) -> DensePoints:
        """Values and times of a range that most likely has a point at every step."""
        _, values, times = self.points(cursor, series_pk, low=low, high=high)
        return values, times
