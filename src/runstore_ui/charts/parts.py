"""Long histories, a part at a time: memory is that of one part, however long the series is."""

from collections.abc import Iterator
from typing import Final

from runstore.charts import GridSeries, HistoryGrid
from runstore.model import History
from runstore.protocol import RunReader

_AT_ONCE: Final = 50_000


def parts_of(
    reader: RunReader, series: GridSeries, grid: HistoryGrid, *, first: int | None = None, last: int | None = None
) -> Iterator[History]:
    """All points of a series between two steps, some ten thousand at a time, in the order of their steps.

    Args:
        reader: what has them.
        series: says how many there are in each bucket.
        grid: that of the series, by step.
        first: the lowest step; from the beginning if ``None``.
        last: the highest step; to the end if ``None``.
    """
    for low, high in _ranges(series, grid):
        yield reader.get_history(
            series.run_id,
            series.name,
            series.dataset_type,
            min_step=low if first is None else max(low, first),
            max_step=high if last is None else min(high, last),
        )


def _ranges(series: GridSeries, grid: HistoryGrid) -> Iterator[tuple[int, int]]:
    start, held = None, 0
    for bucket, count in zip(series.buckets, series.counts, strict=True):
        if start is None:
            start = grid.edges[bucket]
        held += count
        if held >= _AT_ONCE:
            yield start, grid.edges[bucket + 1] - 1
            start, held = None, 0
    if start is not None:
        yield start, grid.edges[series.buckets[-1] + 1] - 1
