"""Points as rows, and as columns."""

from array import array
from collections.abc import Sequence

from runstore.series import Columns

PointRow = tuple[int, float, int]
"""Step, value and time."""


def columns_of(points: Sequence[PointRow]) -> Columns:
    """Points that come one by one, in the order of their steps."""
    steps, values, times = zip(*points, strict=True) if points else ((), (), ())
    return Columns(array("q", steps), array("d", values), array("q", times))
