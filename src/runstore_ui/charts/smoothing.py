"""Smoothed curves: the mean of a series' own points up to each of them, the later ones weighing more.

It is taken over all points, before any are left out: what is drawn of a long series are its extremes, and their mean is not that
of the series. A value that is not finite counts for nothing.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
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

    def after(self, value: float) -> float | None:
        """The mean with one more value; ``None`` where that is not finite."""
        if not math.isfinite(value):
            return None
        self._sum = self._share * self._sum + (1 - self._share) * value
        self._weight = self._share * self._weight + 1 - self._share
        return self._sum / self._weight


def smoothed(values: Iterable[float], share: float) -> list[float | None]:
    """Each value, smoothed by those before it."""
    mean = Mean(share)
    return [mean.after(value) for value in values]


def smoothed_at(
    reader: RunReader, wanted: Mapping[Key, Sequence[int]], share: float, *, last: int | None
) -> dict[Key, dict[int, float | None]] | None:
    """The smoothed values at some steps of series, over all their points from the first one on; ``None`` if these are too many.

    A narrower range has the same curve, for what lies before it counts in it as well.
    """
    grid = reader.sample_histories(wanted, max_step=last)
    if sum(sum(each.counts) for each in grid.series) > MOST_READ:
        return None
    found = {}
    for each in grid.series:
        key = (each.run_id, each.name, str(each.dataset_type))
        mean, steps = Mean(share), set(wanted[key])
        found[key] = {
            step: value
            for history in parts_of(reader, each, grid, last=last)
            for step, value in zip(history.steps, map(mean.after, history.values), strict=True)
            if step in steps
        }
    return found
