"""A series' summary as the columns of its row, and back."""

from typing import Any

from runstore.model import DatasetType, SeriesSummary, StepValue
from runstore_sql.numbers import from_pair, to_pair

SummaryRow = tuple[Any, ...]
"""The values of :data:`runstore_sql.schema.SUMMARY_COLUMNS`."""


def to_row(summary: SeriesSummary) -> SummaryRow:
    """The columns of a summary."""
    lowest, highest = summary.min, summary.max
    return (
        summary.count,
        summary.non_finite_count,
        summary.first.step,
        *to_pair(summary.first.value),
        summary.last.step,
        *to_pair(summary.last.value),
        *((None, None, None) if lowest is None else (lowest.step, *to_pair(lowest.value))),
        *((None, None, None) if highest is None else (highest.step, *to_pair(highest.value))),
    )


def from_row(name: str, dataset_type: str, row: SummaryRow) -> SeriesSummary:
    """The summary that columns stand for."""
    count, non_finite, first_step, first, first_mark, last_step, last, last_mark = row[:8]
    low_step, low, low_mark, high_step, high, high_mark = row[8:]
    if first_mark or last_mark or low_mark or high_mark or None in row:
        first, last = from_pair(first, first_mark), from_pair(last, last_mark)
        low = None if low_step is None else from_pair(low, low_mark)
        high = None if high_step is None else from_pair(high, high_mark)
    first_point = StepValue(step=first_step, value=first)
    return SeriesSummary(
        name=name,
        dataset_type=_DATASET_TYPES[dataset_type],
        count=count,
        first=first_point,
        last=first_point if count == 1 else StepValue(step=last_step, value=last),
        min=None if low is None else first_point if count == 1 else StepValue(step=low_step, value=low),
        max=None if high is None else first_point if count == 1 else StepValue(step=high_step, value=high),
        non_finite_count=non_finite,
    )


_DATASET_TYPES = {str(kind): kind for kind in DatasetType}  # quicker than calling the enum, row by row
EMPTY_ROW: SummaryRow = (0, 0, 0, 0.0, 0, 0, 0.0, 0, None, None, None, None, None, None)
"""The columns of a series that is being made: only the transaction that fills them ever sees them."""
