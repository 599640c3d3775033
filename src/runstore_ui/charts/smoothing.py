"""Smoothed curves: the mean of a series' own points up to each of them, the later ones weighing more.

It is taken over all points, before any are left out: what is drawn of a long series are its extremes, and their mean is not that
of the series. A value that is not finite counts for nothing.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Final

from runstore.protocol import RunReader
from runstore_ui.charts.parts import parts_of

MOST_READ: Final = 300_000
"""So many points of one chart are read to be smoothed; of a chart with more the drawn ones are."""

Key = tuple[str, str, str]
"""Run, metric and dataset type."""


class Mean:
    """The mean so far. Early values weigh as much as they would have if there had been more before them."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._sum = 0.0
        self._weight = 0.0

    def over(self, values: Iterable[float]) -> float | None:
        """The mean with some values more; ``None`` where the last of them is not finite."""
        share, rest, total, weight = self._share, 1 - self._share, self._sum, self._weight
        value = math.nan
        for value in values:
            if isfinite(value):
                total = share * total + rest * value
                weight = share * weight + rest
        self._sum, self._weight = total, weight
        return total / weight if isfinite(value) else None


def smoothed(values: Iterable[float], share: float) -> list[float | None]:
    """Each value, smoothed by those before it."""
    mean = Mean(share)
    return [mean.over((value,)) for value in values]


def smoothed_at(
    reader: RunReader, wanted: Mapping[Key, Sequence[int]], share: float, *, last: int | None
) -> dict[Key, dict[int, float | None]] | None:
    """The smoothed values at some steps of series, over all their points from the first one on; ``None`` if these are too many.

    A narrower range has the same curve, for what lies before it counts in it as well.
    """
    grid = reader.sample_histories(wanted, max_step=last)
    if sum(sum(each.counts) for each in grid.series) > MOST_READ:
        return None
    found: dict[Key, dict[int, float | None]] = {}
    for each in grid.series:
        key = (each.run_id, each.name, str(each.dataset_type))
        mean = Mean(share)
        smooth = found.setdefault(key, {})
        steps = iter(sorted(wanted[key]))
        step = next(steps, None)
        for history in parts_of(reader, each, grid, last=last):
            done = 0
            # From one wanted point to the next in one go: a call for each point would take longer than to read it.
            while step is not None and (at := bisect_left(history.steps, step, done)) < len(history):
                if history.steps[at] == step:
                    smooth[step] = mean.over(history.values[done : at + 1])
                    done = at + 1
                step = next(steps, None)
            mean.over(history.values[done:])
    return found
