"""What a range of steps of a series comes to: the one definition of a cell of a roll-up and of a bucket of a chart.

A cell is made from points, or from the cells of the parts of its range; both give the same, to the bit.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import isfinite
from typing import NamedTuple, Self

from runstore.series.buckets import Buckets, EqualBuckets
from runstore.series.columns import Columns
from runstore.series.extremes import HAS_FINITE, extremes, extremes_of, rises

FALLS = 16
"""The mark of a cell in which a point was logged before one of a lower step."""

KINDS = 7
"""The marks that say which kinds of :class:`runstore.charts.NonFinite` occur."""


class Cells(NamedTuple):
    """Ranges of one series that hold points, in the order of their steps; each column has one item a cell.

    Attributes:
        indices: which bucket each cell is (:meth:`runstore.series.buckets.Buckets.index`).
        counts: how many points it has.
        marks: kinds of :class:`runstore.charts.NonFinite`, :data:`HAS_FINITE` and :data:`FALLS`.
        first: its point of the lowest step.
        last: its point of the highest step.
        low: its point of the lowest finite value, the first of equals; the first point where no value is finite.
        high: its point of the highest finite value, the first of equals; the first point where no value is finite.
    """

    indices: "array[int]"
    counts: "array[int]"
    marks: "array[int]"
    first: Columns
    last: Columns
    low: Columns
    high: Columns

    @classmethod
    def empty(cls) -> Self:
        """No cells."""
        return cls(array("q"), array("q"), array("B"), *(Columns.empty() for _ in range(4)))

    @classmethod
    def joined(cls, parts: Iterable["Cells"]) -> Self:
        """The cells of all parts, one part behind the other."""
        whole = cls.empty()
        for part in parts:
            whole.indices.extend(part.indices)
            whole.counts.extend(part.counts)
            whole.marks.extend(part.marks)
            for mine, its in zip(whole.points, part.points, strict=True):
                mine.steps.extend(its.steps)
                mine.values.extend(its.values)
                mine.logged_at_us.extend(its.logged_at_us)
        return whole

    @property
    def points(self) -> tuple[Columns, Columns, Columns, Columns]:
        """The first, last, lowest and highest points."""
        return self[3:]

    def between(self, begin: int, end: int) -> "Cells":
        """The cells from one position to before another."""
        sliced = (
            Columns(steps[begin:end], values[begin:end], times[begin:end]) for steps, values, times in self.points
        )
        return Cells(self.indices[begin:end], self.counts[begin:end], self.marks[begin:end], *sliced)

    def at(self, positions: Sequence[int]) -> "Cells":
        """The cells at some positions."""
        indices, counts, marks = (
            array(column.typecode, map(column.__getitem__, positions))
            for column in (self.indices, self.counts, self.marks)
        )
        return Cells(indices, counts, marks, *(columns.at(positions) for columns in self.points))

    def in_order(self) -> "Cells":
        """The cells in the order of their steps."""
        steps = self.first.steps.tolist()
        order = sorted(range(len(steps)), key=steps.__getitem__)
        return self if order == list(range(len(steps))) else self.at(order)


def cells_of(columns: Columns, buckets: Buckets, *, by: "array[int] | None" = None) -> Cells:
    """A cell for each bucket that holds a point.

    Args:
        columns: the points.
        buckets: of steps, or of what ``by`` has.
        by: a number of each point, none lower than the one before it.
    """
    steps, values, times = columns
    indices, bounds = _dense(steps, buckets) if by is None else _grouped(by, buckets)
    lows, highs, marks = extremes(values, bounds)
    if not rises(times):
        for position, (begin, end) in enumerate(pairwise(bounds)):
            if not rises(times[begin:end]):
                marks[position] |= FALLS
    counts = array("q", [end - begin for begin, end in pairwise(bounds)])
    lasts = [end - 1 for end in bounds[1:]]
    points = (columns.at(positions) for positions in (bounds[:-1], lasts, lows, highs))
    return Cells(indices, counts, marks, *points)


def cells_at(columns: Columns, groups: dict[int, list[int]]) -> Cells:
    """A cell for each group of points, by the positions of its points in the order of steps."""
    marks, lows, highs = array("B"), [], []
    for positions in groups.values():
        low, high, mark = extremes_of([columns.values[position] for position in positions])
        lows.append(positions[low])
        highs.append(positions[high])
        does_rise = rises(array("q", [columns.logged_at_us[position] for position in positions]))
        marks.append(mark if does_rise else mark | FALLS)
    ends = [positions[0] for positions in groups.values()], [positions[-1] for positions in groups.values()]
    points = (columns.at(positions) for positions in (*ends, lows, highs))
    return Cells(array("q", groups), array("q", map(len, groups.values())), marks, *points)


def merged(cells: Cells, buckets: Buckets, *, by: "array[int] | None" = None) -> Cells:
    """A cell for each bucket, from the cells of parts of it.

    Args:
        cells: none of them reaches from one bucket into another.
        buckets: of steps, or of what ``by`` has.
        by: a number of each cell, none lower than the one before it.
    """
    indices, bounds = _grouped(cells.first.steps if by is None else by, buckets)
    counts, marks = array("q"), array("B")
    lows, highs = array("q"), array("q")
    for begin, end in pairwise(bounds):
        if end - begin == 1:
            counts.append(cells.counts[begin])
            marks.append(cells.marks[begin])
            lows.append(begin)
            highs.append(begin)
            continue
        counts.append(sum(cells.counts[begin:end]))
        mark = 0
        for each in cells.marks[begin:end]:
            mark |= each
        if not mark & FALLS and not _follow(cells, begin, end):
            mark |= FALLS
        marks.append(mark)
        lows.append(_best(cells.low.values, cells.marks, (begin, end), sign=1.0))
        highs.append(_best(cells.high.values, cells.marks, (begin, end), sign=-1.0))
    lasts = [end - 1 for end in bounds[1:]]
    return Cells(
        indices,
        counts,
        marks,
        cells.first.at(bounds[:-1]),
        cells.last.at(lasts),
        cells.low.at(lows),
        cells.high.at(highs),
    )


def _dense(steps: "array[int]", buckets: Buckets) -> tuple["array[int]", list[int]]:
    """As :func:`_grouped`, faster for steps without gaps."""
    if not steps or steps[-1] - steps[0] != len(steps) - 1 or not isinstance(buckets, EqualBuckets):
        return _grouped(steps, buckets)
    first, last = buckets.index(steps[0]), buckets.index(steps[-1])
    begins = range(buckets.start(first + 1) - steps[0], len(steps), buckets.start(1))
    return array("q", range(first, last + 1)), [0, *begins, len(steps)]


def _grouped(numbers: "array[int]", buckets: Buckets) -> tuple["array[int]", list[int]]:
    """The buckets that ascending numbers fall into, and where each begins; with the end of the last."""
    indices, bounds = array("q"), []
    begin, count = 0, len(numbers)
    while begin < count:
        index = buckets.index(numbers[begin])
        indices.append(index)
        bounds.append(begin)
        begin = bisect_left(numbers, buckets.start(index + 1), begin + 1)
    return indices, [*bounds, count]


def _best(values: "array[float]", marks: "array[int]", among: tuple[int, int], *, sign: float) -> int:
    """The position of the cell with the lowest finite value, or the highest for a negative sign; the first of equals."""
    begin, end = among
    part = values[begin:end]
    if isfinite(sum(part)):  # a cell without a finite value shows its first one, which is not finite
        return begin + part.index(min(part) if sign > 0 else max(part))
    finite = [position for position in range(begin, end) if marks[position] & HAS_FINITE]
    return min(finite, key=lambda position: (sign * values[position], position), default=begin)


def _follow(cells: Cells, begin: int, end: int) -> bool:
    """Whether no cell begins before the one before it has ended."""
    ends, starts = cells.last.logged_at_us[begin : end - 1], cells.first.logged_at_us[begin + 1 : end]
    return all(map(int.__le__, ends, starts))
