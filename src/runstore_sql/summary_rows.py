"""A series' summary as the columns of its row, and back."""

from typing import Any, Final

from runstore.model import DatasetType, SeriesSummary, StepValue
from runstore_sql.numbers import from_pair, to_pair

SummaryRow = tuple[Any, ...]
"""The values of :data:`runstore_sql.schema.SUMMARY_COLUMNS`."""

DATASET_TYPES: Final = {str(kind): kind for kind in DatasetType}
"""Quicker than calling the enum, row by row."""


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
    return summary_of(name, DATASET_TYPES[dataset_type], *row)


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
    """The same, with the columns one by one; those of the extremes are read only where a value is finite."""
    has_extremes = count != non_finite_count
    if first_mark or first is None:
        first = from_pair(first, first_mark)
    first_point = StepValue(step=first_step, value=first)
    if count == 1:  # a final result, as a table of runs has many
        extreme = first_point if has_extremes else None
        return SeriesSummary(
            name=name,
            dataset_type=dataset_type,
            count=1,
            first=first_point,
            last=first_point,
            min=extreme,
            max=extreme,
            non_finite_count=non_finite_count,
        )
    if last_mark or last is None:
        last = from_pair(last, last_mark)
    if has_extremes and (low_mark or high_mark or low is None or high is None):
        low, high = from_pair(low, low_mark), from_pair(high, high_mark)
    return SeriesSummary(
        name=name,
        dataset_type=dataset_type,
        count=count,
        first=first_point,
        last=StepValue(step=last_step, value=last),
        min=StepValue(step=low_step, value=low) if has_extremes else None,
        max=StepValue(step=high_step, value=high) if has_extremes else None,
        non_finite_count=non_finite_count,
    )


EMPTY_ROW: SummaryRow = (0, 0, 0, 0.0, 0, 0, 0.0, 0, None, None, None, None, None, None)
"""The columns of a series that is being made: only the transaction that fills them ever sees them."""
