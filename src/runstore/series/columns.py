"""The one form of a series' points: three arrays side by side, in batches, in histories and in every backend."""

from array import array
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


SeriesColumns = dict[Series, Columns]
"""Points by series, in the order of name and dataset type, in which every writer takes its locks."""
