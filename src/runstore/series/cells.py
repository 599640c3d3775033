"""What a range of steps of a series comes to: the one definition of a cell of a roll-up and of a bucket of a chart.

A cell is made from points, or from the cells of the parts of its range; both give the same, to the bit.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import accumulate, pairwise
from operator import or_
from typing import NamedTuple, Self

from runstore.series.buckets import Buckets, EqualBuckets
from runstore.series.columns import Columns
from runstore.series.extremes import extremes, extremes_of, rises

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
    if len(indices) == len(cells.indices):
        return cells._replace(indices=indices)
    begins, lasts = bounds[:-1], [end - 1 for end in bounds[1:]]
    totals = list(accumulate(cells.counts, initial=0))
    # A cell without a finite value shows its first one, which is not finite: so its extremes are passed over here, too.
    lows, highs = extremes(cells.low.values, bounds).lows, extremes(cells.high.values, bounds).highs
    return Cells(
        indices,
        array("q", [totals[end] - totals[begin] for begin, end in pairwise(bounds)]),
        _merged_marks(cells, bounds),
        cells.first.at(begins),
        cells.last.at(lasts),
        cells.low.at(lows),
        cells.high.at(highs),
    )


def _merged_marks(cells: Cells, bounds: list[int]) -> "array[int]":
    """The marks of the cells between the bounds; and where one begins before the one before it has ended, that times fall."""
    each = set(cells.marks)
    if len(each) == 1:  # nearly always
        marks = array("B", each) * (len(bounds) - 1)
    else:
        marks = array("B", [reduce(or_, cells.marks[begin:end]) for begin, end in pairwise(bounds)])
    ends = zip(cells.last.logged_at_us, cells.first.logged_at_us[1:], strict=False)  # of each cell but the last
    for position in [position for position, (end, begin) in enumerate(ends, 1) if end > begin]:
        number = bisect_right(bounds, position) - 1
        if bounds[number] != position:
            marks[number] |= FALLS
    return marks


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
