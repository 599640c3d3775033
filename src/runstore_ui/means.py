"""The mean of some values, and how far they spread."""

import math
from collections.abc import Sequence


def mean_and_spread(values: Sequence[float]) -> tuple[float, float | None]:
    """The mean, and the standard deviation of the sample (over n - 1).

    It is ``None`` for one value, which has none, and where it is beyond what a float64 holds.

    Args:
        values: finite, at least one.
    """
    count = len(values)
    mean = math.fsum(value / count for value in values)  # divided first: the sum may be beyond what a float64 holds
    if count == 1:
        return mean, None
    off = [abs(value - mean) for value in values]
    largest = max(off)
    if largest == 0:
        return mean, 0.0
    spread = largest * math.sqrt(math.fsum((each / largest) ** 2 for each in off) / (count - 1))
    return mean, spread if math.isfinite(spread) else None
