"""Thinning a series for a plot without losing its shape (MET.12)."""

from array import array
from typing import Final

from runstore.errors import InvalidValueError
from runstore.series.buckets import EqualBuckets
from runstore.series.cells import Cells, cells_of
from runstore.series.columns import Columns
from runstore.values.checks import shown

MIN_SAMPLE: Final = 4
"""The least number of points a sample may be asked for: the first, the last and one bucket's two extremes."""


def check_sample_size(max_points: object) -> int:
    """A size that can hold the first, the last and one bucket's extremes."""
    if isinstance(max_points, bool) or not isinstance(max_points, int) or max_points < MIN_SAMPLE:
        raise InvalidValueError(f"max_points is {shown(max_points)}; give at least {MIN_SAMPLE}")
    return max_points


def sample(columns: Columns, max_points: int) -> Columns:
    """At most so many points; all of them if there are no more.

    Otherwise the first, the last, and of each bucket the lowest and the highest finite value (the earliest of equals),
    or its first point where none is finite. The buckets are :func:`sample_buckets`.
    """
    steps = columns.steps
    if len(steps) <= max_points:
        return columns
    return kept_of(cells_of(columns, sample_buckets(steps[0], steps[-1], max_points)))


def bucket_count(max_points: int) -> int:
    """How many buckets a sample of at most ``max_points`` may have: two points each, beside the first and the last."""
    return (max_points - 2) // 2


def sample_buckets(first: int, last: int, max_points: int) -> EqualBuckets:
    """The buckets of a sample, by the first and the last step that there is: the narrowest of which no more are needed."""
    return EqualBuckets.within(first, last, bucket_count(max_points))


def kept_of(buckets: Cells) -> Columns:
    """The points that a sample keeps of its buckets."""
    kept: dict[int, tuple[float, int]] = {}
    for steps, values, times in (buckets.low, buckets.high):
        kept.update(zip(steps, zip(values, times, strict=True), strict=True))
    for (steps, values, times), position in ((buckets.first, 0), (buckets.last, -1)):
        if steps:
            kept[steps[position]] = values[position], times[position]
    steps = array("q", sorted(kept))
    points = [kept[step] for step in steps]
    return Columns(steps, array("d", [value for value, _ in points]), array("q", [time for _, time in points]))
