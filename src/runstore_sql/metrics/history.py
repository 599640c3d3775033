"""The points of one series, whole or sampled, straight from the driver into columns.

A series may hold millions of points, so rows go in blocks from the driver's cursor into arrays, past SQLAlchemy's
result objects. A sample is computed where the points are: only what it keeps is sent (MET.12).
"""

import math
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar

from runstore.backend import StepRange
from runstore.series import Columns, Series, bucket_count
from runstore_sql.metrics.points import PointRow, columns_of

_PROBE: Final = 20
"""How many points are looked at in the time that one more range to look through costs, on any database."""


CursorT = TypeVar("CursorT")

Range = tuple[int, int]
"""A first and a last step."""


DensePoints = tuple["array[float]", "array[int]"]
"""Values and times of points whose steps are known."""


class SeriesExtent(NamedTuple):
    """A series and the range of its steps."""

    pk: int
    points: int
    non_finite_count: int
    first: int
    last: int

    @property
    def is_dense(self) -> bool:
        """Whether it has a point at every step from the first to the last, so that nobody need send the steps."""
        return self.points == self.last - self.first + 1


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
        with self._snapshot(connection) as cursor:
            extent = self._extent(cursor, run_id, series)
            return None if extent is None else self._points(cursor, extent, steps)

    def sample(self, connection: Any, run_id: str, series: Series, max_points: int) -> tuple[Columns, int] | None:
        """The first and the last point, and of each bucket the extremes (or a first point where none is finite).

        Returns:
            The points, and how many they stand for; ``None`` where there is no such series.
        """
        with self._snapshot(connection) as cursor:
            extent = self._extent(cursor, run_id, series)
            if extent is None:
                return None
            if extent.points <= max_points:
                return self._points(cursor, extent, StepRange()), extent.points
            buckets = bucket_bounds(extent, bucket_count(max_points))
            found = (*self.extremes(cursor, extent, buckets), *self.ends(cursor, extent))
        kept = {row[0]: row for row in found}
        return columns_of([kept[step] for step in sorted(kept)]), extent.points

    def _points(self, cursor: Any, extent: SeriesExtent, steps: StepRange) -> Columns:
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
    def _snapshot(self, connection: Any) -> Iterator[Any]:
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

    def _extent(self, cursor: Any, run_id: str, series: Series) -> SeriesExtent | None:
        given = self.placeholder
        cursor.execute(
            f"""
            SELECT s.pk, s.count, s.non_finite_count, s.first_step, s.last_step FROM runstore_run r
            JOIN runstore_series s ON s.run_pk = r.pk AND s.name = {given} AND s.dataset_type = {given}
            WHERE r.id = {given} AND r.deleted_us IS NULL""",  # noqa: S608 - placeholders only
            (*series, run_id),
        )
        row = cursor.fetchone()
        return None if row is None else SeriesExtent(*row)

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

    def dense_points(self, cursor: CursorT, series_pk: int, *, low: int, high: int) -> DensePoints:
        """Values and times of a range that most likely has a point at every step."""
        _, values, times = self.points(cursor, series_pk, low=low, high=high)
        return values, times

    @abstractmethod
    def extremes(self, cursor: CursorT, extent: SeriesExtent, buckets: Sequence[Range]) -> Iterable[PointRow]:
        """Step, value and time of what each bucket, an inclusive range of steps, keeps."""

    @abstractmethod
    def ends(self, cursor: CursorT, extent: SeriesExtent) -> Iterable[PointRow]:
        """Step, value and time of the first and the last point."""


def bucket_bounds(extent: SeriesExtent, buckets: int) -> list[Range]:
    """The inclusive range of steps of each bucket, as :func:`runstore.series.sampling.bucket_of` sorts steps into them."""
    span = extent.last - extent.first + 1
    edges = [extent.first - (-bucket * span // buckets) for bucket in range(buckets + 1)]
    return [(low, high - 1) for low, high in pairwise(edges) if low < high]


def cells(extent: SeriesExtent, buckets: Sequence[Range]) -> list[list[Range]]:
    """Each bucket cut into ranges in which its extremes are found at the least cost.

    One pass over the series gives each cell's least and greatest value; then only the cells that hold a bucket's are
    looked through for the step. More cells leave less to look through, and are more ranges to ask for.
    """
    count = max(1, math.isqrt(extent.points // len(buckets) // _PROBE))
    return [_cut(low, high, (high - low) // count + 1) for low, high in buckets]


def _cut(low: int, high: int, width: int) -> list[Range]:
    return [(start, min(start + width - 1, high)) for start in range(low, high + 1, width)]
