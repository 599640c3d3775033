"""A series' summary as the columns of its row: of a batch of points, of two parts of a series, and back as a value."""

import math
from array import array
from collections.abc import Sequence
from typing import Any

from runstore.model import DatasetType, SeriesSummary, StepValue
from runstore.series import Columns
from runstore_sql.metrics.numbers import from_pair, to_pair

SummaryRow = tuple[Any, ...]
"""The values of :data:`runstore_sql.schema.tables.SUMMARY_COLUMNS`."""


def row_of(batch: Columns) -> SummaryRow:
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


def _extreme(steps: "array[int]", values: "array[float]", value: float) -> tuple[int, float | None, int]:
    index = values.index(value)  # the first of equals
    return (steps[index], *to_pair(values[index]))


def with_pairs(row: Sequence[Any]) -> SummaryRow:
    """The columns of a summary from count, non-finite count and four ``(step, value)``; a value of NULL is NaN."""
    count, non_finite, *stats = row
    pairs: list[Any] = []
    for step, value in zip(stats[::2], stats[1::2], strict=True):
        pairs += (None, None, None) if step is None else (step, *to_pair(math.nan if value is None else value))
    return (count, int(non_finite), *pairs)


def fold(old: SummaryRow, new: SummaryRow) -> SummaryRow:
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


def summary_of(  # noqa: PLR0913, PLR0917 - one for each column: lists call it 50,000 times, and keywords would cost
    name: str,
    dataset_type: DatasetType,
    count: int,
    non_finite_count: int,
    first_step: int,
    first: float | None,
    first_mark: int,
    last_step: int,
    last: float | None,
    last_mark: int,
    low_step: Any,
    low: Any,
    low_mark: int | None,
    high_step: Any,
    high: Any,
    high_mark: int | None,
) -> SeriesSummary:
    """The summary that columns stand for; those of the extremes are read only where a value is finite."""
    has_extremes = count != non_finite_count
    if first_mark or first is None:
        first = from_pair(first, first_mark)
    first_point = last_point = lowest = highest = StepValue(step=first_step, value=first)
    if count > 1:  # not for a final result, as a table of runs has many
        if last_mark or last is None:
            last = from_pair(last, last_mark)
        last_point = StepValue(step=last_step, value=last)
        if has_extremes:
            if low_mark or high_mark or low is None or high is None:
                low, high = from_pair(low, low_mark), from_pair(high, high_mark)
            lowest, highest = StepValue(step=low_step, value=low), StepValue(step=high_step, value=high)
    return SeriesSummary(
        name=name,
        dataset_type=dataset_type,
        count=count,
        first=first_point,
        last=last_point,
        min=lowest if has_extremes else None,
        max=highest if has_extremes else None,
        non_finite_count=non_finite_count,
    )


EMPTY_ROW: SummaryRow = (0, 0, 0, 0.0, 0, 0, 0.0, 0, None, None, None, None, None, None)
"""The columns of a series that is being made: only the transaction that fills them ever sees them."""
