"""Metrics of a run, a row a series, from its summaries."""

from collections.abc import Sequence

from msgspec import Struct

from runstore.model import SeriesSummary, StepValue
from runstore.texts import best_of, best_point, leading_series, number_text


class MetricRow(Struct, frozen=True, kw_only=True):
    """A series.

    Attributes:
        best: its best value and where it stands; empty where no value is known to be best.
        is_leading: whether it is among those that are said first.
    """

    name: str
    dataset_type: str
    best: str
    best_step: str
    last: str
    lowest: str
    highest: str
    count: int
    non_finite: int
    is_leading: bool


def metric_rows(summaries: Sequence[SeriesSummary], *, leading: int = 4) -> list[MetricRow]:
    """A row for each series, in the order of their names."""
    first = leading_series([[(each.name, str(each.dataset_type)) for each in summaries]], limit=leading)
    rows = []
    for each in summaries:
        best = best_point(each, best_of(each.name))
        rows.append(
            MetricRow(
                name=each.name,
                dataset_type=str(each.dataset_type),
                best=number_text(best),
                best_step=_step(best),
                last=number_text(each.last),
                lowest=number_text(each.min),
                highest=number_text(each.max),
                count=each.count,
                non_finite=each.non_finite_count,
                is_leading=(each.name, str(each.dataset_type)) in first,
            )
        )
    return rows


def _step(point: StepValue | None) -> str:
    return "" if point is None else f"at step {point.step:,}"
