"""The one form of a series' points: three arrays side by side, in batches, in histories and in every backend."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Self

from runstore.charts import PointColumns

Series = tuple[str, str]
"""``(name, dataset_type)``."""


class Columns(PointColumns):
    """Points of one series, their steps strictly ascending."""

    __slots__ = ()

    @classmethod
    def empty(cls) -> Self:
        """No points."""
        return cls(array("q"), array("d"), array("q"))

    @classmethod
    def joined(cls, parts: Iterable["Columns"]) -> Self:
        """The points of all parts, one part behind the other."""
        whole = cls.empty()
        for steps, values, times in parts:
            whole.steps.extend(steps)
            whole.values.extend(values)
            whole.logged_at_us.extend(times)
        return whole

    def part(self, begin: int, end: int) -> "Columns":
        """The points from one position to before another."""
        return Columns(self.steps[begin:end], self.values[begin:end], self.logged_at_us[begin:end])

    def inside(self, low: int, high: int) -> "Columns":
        """The points between two steps, both included."""
        return self.part(bisect_left(self.steps, low), bisect_right(self.steps, high))

    def after(self, step: int) -> "Columns":
        """The points of higher steps than one."""
        begin = bisect_right(self.steps, step)
        return self.part(begin, len(self.steps)) if begin else self

    def at(self, positions: Sequence[int]) -> "Columns":
        """The points at some positions."""
        return Columns(
            array("q", map(self.steps.__getitem__, positions)),
            array("d", map(self.values.__getitem__, positions)),
            array("q", map(self.logged_at_us.__getitem__, positions)),
        )


SeriesColumns = dict[Series, Columns]
"""Points by series, in the order of name and dataset type, in which every writer takes its locks."""
