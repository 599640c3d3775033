"""Metrics of a run, a row a series, from its summaries."""

from collections.abc import Sequence

from msgspec import Struct

from runstore.model import SeriesSummary, StepValue
from runstore.texts import best_of, best_point, leading_series, number_text


class MetricRow(Struct, frozen=True, kw_only=True):
    """A series.

    Attributes:
        best: its best value and where it stands; empty where no value is known to be best.
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


def metric_rows(summaries: Sequence[SeriesSummary]) -> list[MetricRow]:
    """A row for each series, in their order."""
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
            )
        )
    return rows


def leading_rows(summaries: Sequence[SeriesSummary], *, limit: int = 4) -> list[MetricRow]:
    """The rows that are said first: of each metric the one that tells how good the run was."""
    found = {(each.name, str(each.dataset_type)): each for each in summaries}
    return metric_rows([found[key] for key in leading_series([found], limit=limit, each_once=True)])


def _step(point: StepValue | None) -> str:
    return "" if point is None else f"at step {point.step:,}"
