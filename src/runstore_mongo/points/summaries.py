"""A series' summary once more points are written: from the summary so far wherever that is enough.

:func:`runstore.series.summarize` says what a summary is. This gives what it would give for all the points, without
reading them again, unless an extreme was overwritten by something less extreme.
"""

import math

from msgspec.structs import replace

from runstore.model import SeriesSummary, StepValue
from runstore.series import Columns, Series, merge_summaries, summarize
from runstore_mongo.documents.packed import overlay, within


def reaches_back(summary: SeriesSummary | None, batch: Columns) -> bool:
    """Whether new points may overwrite stored ones."""
    return summary is not None and bool(batch.steps) and batch.steps[0] <= summary.last.step


def loses_extreme(summary: SeriesSummary | None, batch: Columns) -> bool:
    """Whether a point that is the series' minimum or maximum may be overwritten: then only the history tells."""
    if summary is None or not batch.steps or batch.steps[0] > summary.last.step:
        return False
    new = dict(zip(batch.steps, batch.values, strict=True))
    low, high = summary.min, summary.max
    # Written as "not still as extreme", so that NaN counts as lost; the same value again does not.
    return (low is not None and low.step in new and not -math.inf < new[low.step] <= low.value) or (
        high is not None and high.step in new and not math.inf > new[high.step] >= high.value
    )


def summary_after(series: Series, before: SeriesSummary | None, batch: Columns, known: Columns) -> SeriesSummary:
    """The summary once a batch is written: by adding where its steps are new, from the points where they are not.

    Args:
        series: the name and dataset type.
        before: the summary so far.
        batch: the new points.
        known: the stored points in the batch's range of steps, and all of them where it :func:`loses_extreme`. Not
            needed where the batch begins after the last step.
    """
    new = summarize(*series, batch.steps, batch.values)
    if before is None:
        return new
    if batch.steps[0] > before.last.step:
        return merge_summaries(before, new)
    old = within(known, batch.steps[0], batch.steps[-1])
    steps = set(batch.steps)
    replaced = [index for index, step in enumerate(old.steps) if step in steps]
    if not replaced:
        return merge_summaries(before, new)
    after = _without(before, old, replaced, series, batch)
    if loses_extreme(before, batch):
        whole = overlay(known, batch)
        found = summarize(*series, whole.steps, whole.values)
        # Of a history that was thinned fewer points are there than were counted; both extremes of those are among them.
        return replace(after, min=found.min, max=found.max)
    return after


def _without(before: SeriesSummary, old: Columns, replaced: list[int], series: Series, batch: Columns) -> SeriesSummary:
    """The summary after some points were overwritten by the batch's; its extremes, if by nothing less extreme."""
    gone = summarize(*series, [old.steps[index] for index in replaced], [old.values[index] for index in replaced])
    merged = merge_summaries(before, summarize(*series, batch.steps, batch.values))
    new = dict(zip(batch.steps, batch.values, strict=True))

    def now(point: StepValue) -> StepValue:
        # An extreme, too, may have been overwritten: by its equal, which is 0.0 for -0.0 and not the same bits.
        return StepValue(step=point.step, value=new.get(point.step, point.value))

    return SeriesSummary(
        name=merged.name,
        dataset_type=merged.dataset_type,
        count=merged.count - gone.count,
        first=now(merged.first),
        last=now(merged.last),
        min=None if merged.min is None else now(merged.min),
        max=None if merged.max is None else now(merged.max),
        non_finite_count=merged.non_finite_count - gone.non_finite_count,
    )
