"""What a chart of many series is drawn from: the values that :meth:`runstore.RunReader.sample_histories` gives."""

from array import array
from enum import IntFlag, StrEnum
from typing import NamedTuple

from msgspec import Struct

from runstore.model import DatasetType


class GridAxis(StrEnum):
    """What the buckets of a grid are ranges of."""

    STEP = "step"
    TIME = "time"
    LOG_STEP = "log_step"


class NonFinite(IntFlag):
    """Which values that are not finite numbers occur."""

    NONE = 0
    NAN = 1
    POSITIVE_INFINITY = 2
    NEGATIVE_INFINITY = 4


class PointColumns(NamedTuple):
    """Points of one series, side by side.

    Attributes:
        steps: int64 (typecode ``q``), ascending.
        values: float64 (typecode ``d``).
        logged_at_us: int64 microseconds since 1970-01-01 UTC.
    """

    steps: "array[int]"
    values: "array[float]"
    logged_at_us: "array[int]"


class GridSeries(Struct, frozen=True, kw_only=True):
    """One series on a grid. The columns have one item for each bucket in which it has points, in the grid's order.

    ``first``, ``last``, ``low`` and ``high`` are points, column by column: :class:`PointColumns`. Where no value of a bucket is finite, ``low`` and ``high`` are its first point.

    Attributes:
        run_id: the run.
        name: the metric's name.
        dataset_type: the series' dataset type.
        buckets: which buckets: bucket ``i`` has what lies from ``edges[i]`` to before ``edges[i + 1]``.
        counts: how many points each holds.
        first: its point of the lowest step.
        last: its point of the highest step.
        low: its point of the lowest finite value; of equal values the one of the lowest step.
        high: its point of the highest finite value; of equal values the one of the lowest step.
        non_finite: which kinds of values that are not finite numbers occur: :class:`NonFinite` as an integer.
    """

    run_id: str
    name: str
    dataset_type: DatasetType
    buckets: "array[int]"
    counts: "array[int]"
    first: PointColumns
    last: PointColumns
    low: PointColumns
    high: PointColumns
    non_finite: "array[int]"

    def non_finite_in(self, position: int) -> NonFinite:
        """The kinds of values that are not finite in one of the buckets."""
        return NonFinite(self.non_finite[position])

    def __repr__(self) -> str:
        """The series and the counts, never the points."""
        return (
            f"GridSeries(run_id={self.run_id!r}, name={self.name!r}, dataset_type={str(self.dataset_type)!r}, "
            f"buckets={len(self.buckets)}, points={sum(self.counts)})"
        )


class HistoryGrid(Struct, frozen=True, kw_only=True):
    """Series of any number of runs on one common grid.

    Attributes:
        by: what the buckets are ranges of.
        edges: where each bucket begins, and where the last one ends: steps, or for ``time`` microseconds since the start of
            each series' run. Empty where no series has a point.
        series: those that have points in the range of steps, in the order in which they were asked for.
        is_bounded: whether what was read is bounded by the size of the grid; if not, points were looked at one by one.
        is_exact: whether each point is in the bucket of its own step or time. In a grid of time of a long series, points
            just behind an edge may stand in the bucket before it: those of a few neighbouring steps stay together. Their
            own times tell, and a narrower range of steps is more exact.
    """

    by: GridAxis
    edges: tuple[int, ...]
    series: tuple[GridSeries, ...]
    is_bounded: bool
    is_exact: bool

    def __repr__(self) -> str:
        """The axis and the counts, never the points."""
        return f"HistoryGrid(by={str(self.by)!r}, buckets={max(len(self.edges) - 1, 0)}, series={len(self.series)})"
