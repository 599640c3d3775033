"""Thinning a series for a plot without losing its shape (MET.12)."""

import math
from collections.abc import Sequence
from typing import Final

MIN_SAMPLE: Final = 4
"""The least number of points a sample may be asked for: the first, the last and one bucket's two extremes."""


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
    first, last, buckets = steps[0], steps[-1], bucket_count(max_points)
    extremes: dict[int, tuple[int, int]] = {}
    for index in range(count):
        bucket = bucket_of(steps[index], first=first, last=last, buckets=buckets)
        low, high = extremes.get(bucket, (index, index))
        extremes[bucket] = (
            index if _beats(values[index], values[low], sign=-1.0) else low,
            index if _beats(values[index], values[high], sign=1.0) else high,
        )
    return sorted({0, count - 1, *(index for pair in extremes.values() for index in pair)})


def _beats(new: float, old: float, *, sign: float) -> bool:
    if not math.isfinite(new):
        return False
    return not math.isfinite(old) or sign * new > sign * old
