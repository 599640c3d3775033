"""A series' summary as the columns of its row, and back."""

from collections.abc import Sequence
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


def from_row(name: str, dataset_type: str, row: Sequence[Any]) -> SeriesSummary:
    """The summary that columns stand for."""
    return SeriesSummary(
        name=name,
        dataset_type=_DATASET_TYPES[dataset_type],
        count=row[0],
        non_finite_count=row[1],
        first=StepValue(step=row[2], value=from_pair(row[3], row[4])),
        last=StepValue(step=row[5], value=from_pair(row[6], row[7])),
        min=None if row[8] is None else StepValue(step=row[8], value=from_pair(row[9], row[10])),
        max=None if row[11] is None else StepValue(step=row[11], value=from_pair(row[12], row[13])),
    )


_DATASET_TYPES = {str(kind): kind for kind in DatasetType}  # quicker than calling the enum, row by row
EMPTY_ROW: SummaryRow = (0, 0, 0, 0.0, 0, 0, 0.0, 0, None, None, None, None, None, None)
"""The columns of a series that is being made: only the transaction that fills them ever sees them."""
