"""Thinning a series for a plot without losing its shape (MET.12)."""

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from runstore.errors import InvalidValueError
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
    """At most so many points of a series; all of them if there are no more."""
    if len(columns.steps) <= max_points:
        return columns
    kept = sample_indices(columns.steps, columns.values, max_points)
    return Columns(
        array("q", [columns.steps[index] for index in kept]),
        array("d", [columns.values[index] for index in kept]),
        array("q", [columns.logged_at_us[index] for index in kept]),
    )


def bucket_count(max_points: int) -> int:
    """How many buckets a sample of at most ``max_points`` has: two points each, beside the first and the last."""
    return (max_points - 2) // 2


def bucket_of(step: int, *, first: int, last: int, buckets: int) -> int:
    """The bucket of a step: equal ranges of steps from the first to the last, in exact integer arithmetic."""
    return (step - first) * buckets // (last - first + 1)


def sample_indices(steps: Sequence[int], values: Sequence[float], max_points: int) -> list[int]:
    """The positions of the points that a sample keeps, ascending.

    Everything if there are no more points than asked for; otherwise the first, the last, and in each bucket the
    lowest and the highest finite value (the earliest of equals), or its first point where none is finite.
    """
    count = len(steps)
    if count <= max_points:
        return list(range(count))
    first, span, buckets = steps[0], steps[-1] - steps[0] + 1, bucket_count(max_points)
    kept = {0, count - 1}
    begin = 0
    for bucket in range(1, buckets + 1):
        # The least step of the next bucket, as bucket_of sorts them.
        end = bisect_left(steps, first - (-bucket * span // buckets), begin)
        if begin < end:
            kept.update(begin + index for index in _extremes(values[begin:end]))
        begin = end
    return sorted(kept)


def _extremes(values: Sequence[float]) -> tuple[int, ...]:
    """The positions of the lowest and the highest finite value, the earliest of equals; 0 where none is finite."""
    if math.isfinite(sum(values)):  # then all are finite: nothing is compared in Python, value by value
        return values.index(min(values)), values.index(max(values))
    finite = [(value, index) for index, value in enumerate(values) if math.isfinite(value)]
    if not finite:
        return (0,)
    return min(finite)[1], max(finite, key=lambda pair: (pair[0], -pair[1]))[1]
