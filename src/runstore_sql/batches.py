"""The summary of a batch of points as the columns of its series' row."""

import math

from runstore.series.batches import Batch
from runstore_sql.numbers import to_pair
from runstore_sql.summary_rows import SummaryRow


def row_of(batch: Batch) -> SummaryRow:
    """The summary of a batch, as :func:`runstore.series.summaries.summarize` defines it, as columns."""
    steps, values, _ = batch
    if len(steps) == 1:
        point = (steps[0], *to_pair(values[0]))
        return (1, 0, *point * 4) if math.isfinite(values[0]) else (1, 1, *point * 2, *(None,) * 6)
    ends = (steps[0], *to_pair(values[0]), steps[-1], *to_pair(values[-1]))
    if math.isfinite(sum(values)):  # one that is not finite would show in the sum
        return (len(steps), 0, *ends, *_extreme(steps, values, min(values)), *_extreme(steps, values, max(values)))
    finite = [value for value in values if math.isfinite(value)]
    count = len(values) - len(finite)
    if not finite:
        return (len(steps), count, *ends, None, None, None, None, None, None)
    return (len(steps), count, *ends, *_extreme(steps, values, min(finite)), *_extreme(steps, values, max(finite)))


def _extreme(steps: list[int], values: list[float], value: float) -> tuple[int, float | None, int]:
    place = values.index(value)  # the first of equals
    return (steps[place], *to_pair(values[place]))


def folded(old: SummaryRow, new: SummaryRow) -> SummaryRow:
    """The summary of two parts of a series without a common step, as :func:`runstore.series.summaries.merge_summaries`."""
    first = old[2:5] if old[2] < new[2] else new[2:5]
    last = old[5:8] if old[5] > new[5] else new[5:8]
    lowest, highest = old[8:11], old[11:14]
    if new[8] is not None:
        if lowest[0] is None or (new[9], new[8]) < (lowest[1], lowest[0]):
            lowest = new[8:11]
        if highest[0] is None or (-new[12], new[11]) < (-highest[1], highest[0]):
            highest = new[11:14]
    return (old[0] + new[0], old[1] + new[1], *first, *last, *lowest, *highest)
