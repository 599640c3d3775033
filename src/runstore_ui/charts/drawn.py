"""What a browser draws: points of each series, their extremes kept, on the grid that the store gives.

Values that are not finite are gaps, and a mark each; JSON has no word for them.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from runstore.charts import GridAxis, GridSeries, HistoryGrid, NonFinite
from runstore.model import Run
from runstore.protocol import RunReader
from runstore_ui.charts.places import SECOND, Place, places_of, point_at, points_of
from runstore_ui.charts.smoothing import Key, smoothed, smoothed_at
from runstore_ui.figures import COLOURS, Look, looks_of
from runstore_ui.reading import runs_of
from runstore_ui.state import ChartState

_MOST_POINTS: Final = 1000
_KINDS: Final = {"validation": None, "train": "6 3", "test": "2 2", "other": None}
_WORDS: Final = (
    (NonFinite.NAN, "NaN"),
    (NonFinite.POSITIVE_INFINITY, "∞"),
    (NonFinite.NEGATIVE_INFINITY, "-∞"),
)


class Mark(Struct, frozen=True, kw_only=True):
    """Where a value is not finite: the beginning of its bucket, or its own place where that is known."""

    x: float
    word: str


class DrawnSeries(Struct, frozen=True, kw_only=True):
    """A line.

    Attributes:
        label: the dataset type, or the run's name where there are several runs.
        x: where each point lies, strictly ascending: its step, its epoch, or seconds since the start of the run.
        y: its value; ``None`` for one that is not finite.
        smooth: its smoothed value, where the curve is smoothed.
        steps: its step.
        marks: where values are not finite.
        count: how many points it stands for.
        marker: the path of a shape that stands on the line now and then; ``None`` for none.
        spread: of a mean of several runs, the standard deviation at each point; ``None`` for one run.
        runs: of how many runs each point is the mean; none where the line is a run's own.
        group: the group whose line it is, or that its run belongs to; empty for none.
    """

    run: str
    label: str
    dataset: str
    colour: str
    dash: str | None
    x: list[float]
    y: list[float | None]
    smooth: list[float | None] | None = None
    steps: list[int]
    marks: list[Mark]
    count: int
    marker: str | None = None
    spread: list[float | None] | None = None
    runs: list[int] | None = None
    group: str = ""


class Drawn(Struct, frozen=True, kw_only=True):
    """A chart.

    Attributes:
        by: what lies along it: ``step``, ``epoch``, ``time`` or ``log``.
        drawn: how many points are drawn.
        total: how many there are in the range.
        not_finite: how many places have values that are not finite.
        without_place: how many points have no place: those of step 0 on a logarithmic axis, and those without an epoch.
        smoothed: what was smoothed: ``all`` points, or the ``drawn`` ones; empty where nothing was.
        means: how the means of groups were made, in words; empty where there is none.
    """

    by: str
    series: list[DrawnSeries]
    drawn: int
    total: int
    not_finite: int
    without_place: int
    smoothed: str = ""
    means: str = ""


def drawn_of(reader: RunReader, state: ChartState, *, most: int = _MOST_POINTS) -> Drawn:
    """The chart that the state asks for.

    Args:
        reader: the store.
        state: which chart.
        most: as many points of each series are asked for; its extremes are there in any case.

    Raises:
        RunNotFoundError: one of the runs is not there.
    """
    runs = {run.id: run for run in runs_of(reader, state.runs)}
    kinds = [state.dataset] if state.dataset else list(_KINDS)
    grid = reader.sample_histories(
        [(run_id, state.metric, kind) for run_id in runs for kind in kinds],
        max_points=most,
        min_step=state.first,
        max_step=state.last,
        by=str(state.axis),
    )
    places = places_of(reader, runs, state)
    looks = dict(zip(runs, looks_of(list(runs)), strict=True)) if len(runs) > 1 else {}
    made = [_series(each, grid, runs[each.run_id], places[each.run_id], looks.get(each.run_id)) for each in grid.series]
    series, how = _smoothed(reader, [each for each, _ in made], state)
    return Drawn(
        by=state.by,
        series=series,
        drawn=sum(len(each.x) for each in series),
        total=sum(each.count for each in series),
        not_finite=sum(len(each.marks) for each in series),
        without_place=sum(left for _, left in made),
        smoothed=how,
    )


def _series(
    series: GridSeries, grid: HistoryGrid, run: Run, place: Place, look: Look | None
) -> tuple[DrawnSeries, int]:
    """The line, and how many of its points have no place; a run alone has a look for each dataset type."""
    kind = str(series.dataset_type)
    points = {step: (place(step, at), value) for step, value, at in points_of(series)}
    placed = sorted((where, step, value) for step, (where, value) in points.items() if where is not None)
    xs: list[float] = []
    ys: list[float | None] = []
    for where, _, value in placed:
        # Points of one call are often all of one time: each still has a place of its own, a little further.
        xs.append(where if not xs or where > xs[-1] else xs[-1] + 1 / SECOND)
        ys.append(value if math.isfinite(value) else None)
    made = DrawnSeries(
        run=run.id,
        label=kind if look is None else run.name or run.id,
        dataset=kind,
        colour=COLOURS[0] if look is None else look.colour,
        dash=_KINDS[kind] if look is None else look.dash,
        x=xs,
        y=ys,
        steps=[step for _, step, _ in placed],
        marks=list(_marks(series, grid, place)),
        count=sum(series.counts),
        marker=None if look is None else look.marker,
    )
    # Where nothing of a series has a place, that is so for all the points it stands for.
    return made, len(points) - len(xs) if xs else made.count


def _smoothed(reader: RunReader, series: list[DrawnSeries], state: ChartState) -> tuple[list[DrawnSeries], str]:
    if not state.smooth:
        return series, ""
    wanted: dict[Key, Sequence[int]] = {(each.run, state.metric, each.dataset): each.steps for each in series if each.x}
    found = smoothed_at(reader, wanted, state.smooth, last=state.last)
    if found is None:
        values = ([math.nan if value is None else value for value in each.y] for each in series)
        curves = [smoothed(each, state.smooth) for each in values]
    else:
        by_series = [found.get((each.run, state.metric, each.dataset), {}) for each in series]
        curves = [[of.get(step) for step in each.steps] for each, of in zip(series, by_series, strict=True)]
    made = [replace(each, smooth=curve) for each, curve in zip(series, curves, strict=True)]
    return made, "drawn" if found is None else "all"


def _marks(series: GridSeries, grid: HistoryGrid, place: Place) -> Iterator[Mark]:
    for position, bucket in enumerate(series.buckets):
        kinds = series.non_finite_in(position)
        if not kinds:
            continue
        ends = [point_at(columns, position) for columns in (series.first, series.last)]
        known = [(step, at) for step, value, at in ends if not math.isfinite(value)]
        edge = max(grid.edges[bucket], 0)
        if known:
            where = place(*known[0])
        elif grid.by is GridAxis.TIME:
            where = edge / SECOND
        else:
            where = place(edge, 0)
        for kind, word in _WORDS:
            if kinds & kind and where is not None:
                yield Mark(x=where, word=word)
