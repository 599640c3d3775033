"""A series' summary as flat fields: in the series' own document, and as *statistics* in its run."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, Final

from bson.int64 import Int64

from runstore.model import DATASET_TYPES, DatasetType, SeriesSummary, StepValue
from runstore.series import Series
from runstore_mongo.documents.names import Document, copy_key, series_of

MOST_COPIED: Final = 1_000
"""Series of a run whose summaries are kept in the run; one with more is *wide*, and they are looked up."""

WITHOUT_TAIL: Final[Document] = {"tail": 0}
"""The projection of a series without its newest points."""

STATISTICS_FIELDS: Final = (
    *("version", "count", "non_finite_count"),
    *(f"{stat}{part}" for stat in ("first", "last", "min", "max") for part in ("", "_step")),
)
"""What :func:`statistics` writes of a series into its run, in this order."""


def summary_fields(summary: SeriesSummary, step: type[int] = Int64) -> Document:
    """A summary as flat fields, so that filters and people can use them as they are."""
    first, last, low, high = summary.first, summary.last, summary.min, summary.max
    return {
        "count": summary.count,
        "non_finite_count": summary.non_finite_count,
        "first": first.value,
        "first_step": step(first.step),
        "last": last.value,
        "last_step": step(last.step),
        "min": None if low is None else low.value,
        "min_step": None if low is None else step(low.step),
        "max": None if high is None else high.value,
        "max_step": None if high is None else step(high.step),
    }


def statistics(version: int, summary: SeriesSummary) -> Document:
    """A summary as a run holds it. Steps are plain integers: small ones take four bytes, and read back twice as fast."""
    return {"version": version, **summary_fields(summary, step=int)}


def copy_stage(summaries: Iterable[tuple[int, SeriesSummary]]) -> Document:
    """The stage that renews the statistics of series in a run that holds them; an older version never replaces one.

    Args:
        summaries: each with its series' version.
    """
    fields: Document = {}
    for version, summary in summaries:
        path = f"metrics.{copy_key((summary.name, summary.dataset_type))}"
        is_newer = {"$lt": [f"${path}.version", version]}
        fields[path] = {"$cond": [is_newer, {"$literal": statistics(version, summary)}, f"${path}"]}
    return {"$set": fields}


def versions_and_summaries(metrics: Document) -> dict[Series, tuple[int, SeriesSummary]]:
    """The summaries that a run holds, each with the version of its series."""
    return {series_of(copy): (int(held["version"]), _summary(series_of(copy), held)) for copy, held in metrics.items()}


def sorted_summaries(metrics: Document) -> tuple[SeriesSummary, ...]:
    """The summaries that a run holds, in the order of name and dataset type."""
    ordered = sorted([(series_of(copy), held) for copy, held in metrics.items()], key=itemgetter(0))
    return tuple([_summary(series, held) for series, held in ordered])


def summary_of(document: Document) -> SeriesSummary:
    """The summary of a series as stored in its own document."""
    return _summary((document["metric_name"], document["dataset_type"]), document)


def _summary(series: Series, held: Document) -> SeriesSummary:
    name, dataset_type = series
    values = [held[field] for field in STATISTICS_FIELDS]
    plain: list[Any] = [int(value) if type(value) is Int64 else value for value in values]
    return summary_of_values(name, DATASET_TYPES[dataset_type], *plain)


def summary_of_values(  # noqa: PLR0913, PLR0917 - one for each field: lists call it 50,000 times, and keywords would cost
    name: str,
    dataset_type: DatasetType,
    _version: int,
    count: int,
    non_finite_count: int,
    first: float,
    first_step: int,
    last: float,
    last_step: int,
    low: float | None,
    low_step: Any,
    high: float | None,
    high_step: Any,
) -> SeriesSummary:
    """The summary of a series from :data:`STATISTICS_FIELDS`."""
    first_point = last_point = lowest = highest = StepValue(step=first_step, value=first)
    if count > 1:  # not for a final result, as a table of runs has many
        last_point = StepValue(step=last_step, value=last)
        if low is not None and high is not None:
            lowest, highest = StepValue(step=low_step, value=low), StepValue(step=high_step, value=high)
    return SeriesSummary(
        name=name,
        dataset_type=dataset_type,
        count=count,
        first=first_point,
        last=last_point,
        min=None if low is None else lowest,
        max=None if high is None else highest,
        non_finite_count=non_finite_count,
    )
