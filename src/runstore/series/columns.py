"""The one form of a series' points: three arrays side by side, in batches, in histories and in every backend."""

from array import array
from collections.abc import Iterable
from typing import NamedTuple, Self

Series = tuple[str, str]
"""``(name, dataset_type)``."""


class Columns(NamedTuple):
    """Points of one series, their steps strictly ascending.

    Attributes:
        steps: ``array("q")``.
        values: ``array("d")``.
        logged_at_us: ``array("q")``, microseconds since 1970 UTC.
    """

    steps: "array[int]"
    values: "array[float]"
    logged_at_us: "array[int]"

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


SeriesColumns = dict[Series, Columns]
"""Points by series, in the order of name and dataset type, in which every writer takes its locks."""
