"""What a browser draws: points of each series, their extremes kept, on the grid that the store gives.

Values that are not finite are gaps, and a mark each; JSON has no word for them.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from runstore.charts import GridAxis, GridSeries, HistoryGrid, NonFinite, PointColumns
from runstore.model import Run, to_microseconds
from runstore.protocol import RunReader
from runstore_ui.figures import COLOURS, look_of
from runstore_ui.state import ChartState

_MOST_POINTS: Final = 1000
_KINDS: Final = {"validation": None, "train": "6 3", "test": "2 2", "other": None}
_WORDS: Final = (
    (NonFinite.NAN, "NaN"),
    (NonFinite.POSITIVE_INFINITY, "∞"),
    (NonFinite.NEGATIVE_INFINITY, "-∞"),
)
_SECOND: Final = 1_000_000


class Mark(Struct, frozen=True, kw_only=True):
    """Where a value is not finite: the beginning of its bucket, or its own place where that is known."""

    x: float
    word: str


class DrawnSeries(Struct, frozen=True, kw_only=True):
    """A line.

    Attributes:
        label: the dataset type, or the run's name where there are several runs.
        x: where each point lies, strictly ascending: its step, or seconds since the start of the run.
        y: its value; ``None`` for one that is not finite.
        steps: its step.
        marks: where values are not finite.
        count: how many points it stands for.
    """

    run: str
    label: str
    dataset: str
    colour: str
    dash: str | None
    x: list[float]
    y: list[float | None]
    steps: list[int]
    marks: list[Mark]
    count: int


class Drawn(Struct, frozen=True, kw_only=True):
    """A chart.

    Attributes:
        by: what lies along it: ``step``, ``time`` or ``log``.
        drawn: how many points are drawn.
        total: how many there are in the range.
        not_finite: how many places have values that are not finite.
        without_place: how many points have no place on a logarithmic axis: those of step 0.
    """

    by: str
    series: list[DrawnSeries]
    drawn: int
    total: int
    not_finite: int
    without_place: int


def drawn_of(reader: RunReader, state: ChartState) -> Drawn:
    """The chart that the state asks for.

    Raises:
        RunNotFoundError: one of the runs is not there.
    """
    runs = {run_id: reader.get_run(run_id) for run_id in state.runs}
    kinds = [state.dataset] if state.dataset else list(_KINDS)
    grid = reader.sample_histories(
        [(run_id, state.metric, kind) for run_id in runs for kind in kinds],
        max_points=_MOST_POINTS,
        min_step=state.first,
        max_step=state.last,
        by=str(state.axis),
    )
    made = [_series(each, grid, runs) for each in grid.series]
    return Drawn(
        by=state.by,
        series=[each for each, _ in made],
        drawn=sum(len(each.x) for each, _ in made),
        total=sum(each.count for each, _ in made),
        not_finite=sum(len(each.marks) for each, _ in made),
        without_place=sum(left for _, left in made),
    )


def _series(series: GridSeries, grid: HistoryGrid, runs: Mapping[str, Run]) -> tuple[DrawnSeries, int]:
    run, kind = runs[series.run_id], str(series.dataset_type)
    start = to_microseconds(run.start_time)
    points = {step: (value, at) for step, value, at in _points(series)}
    placed = sorted((_place(grid.by, step, at - start), step, value) for step, (value, at) in points.items())
    xs: list[float] = []
    ys: list[float | None] = []
    steps: list[int] = []
    for place, step, value in placed:
        if grid.by is GridAxis.LOG_STEP and step == 0:
            continue
        # Points of one call are often all of one time: each still has a place of its own, a microsecond further.
        xs.append(place if not xs or place > xs[-1] else xs[-1] + 1 / _SECOND)
        ys.append(value if math.isfinite(value) else None)
        steps.append(step)
    look = look_of(run.id)
    made = DrawnSeries(
        run=run.id,
        label=kind if len(runs) == 1 else run.name or run.id,
        dataset=kind,
        colour=COLOURS[0] if len(runs) == 1 else look.colour,
        dash=_KINDS[kind] if len(runs) == 1 else look.dash,
        x=xs,
        y=ys,
        steps=steps,
        marks=list(_marks(series, grid, start)),
        count=sum(series.counts),
    )
    return made, len(placed) - len(xs)


def _points(series: GridSeries) -> Iterator[tuple[int, float, int]]:
    for columns in (series.first, series.low, series.high, series.last):
        yield from zip(columns.steps, columns.values, columns.logged_at_us, strict=True)


def _place(by: GridAxis, step: int, since_us: int) -> float:
    return since_us / _SECOND if by is GridAxis.TIME else step


def _marks(series: GridSeries, grid: HistoryGrid, start: int) -> Iterator[Mark]:
    for position, bucket in enumerate(series.buckets):
        kinds = series.non_finite_in(position)
        if not kinds:
            continue
        ends = [_point(columns, position) for columns in (series.first, series.last)]
        known = [(step, at) for step, value, at in ends if not math.isfinite(value)]
        if known:
            place = _place(grid.by, known[0][0], known[0][1] - start)
        else:
            edge = max(grid.edges[bucket], 0)
            place = edge / _SECOND if grid.by is GridAxis.TIME else edge
        for kind, word in _WORDS:
            if kinds & kind:
                yield Mark(x=place, word=word)


def _point(columns: PointColumns, position: int) -> tuple[int, float, int]:
    return columns.steps[position], columns.values[position], columns.logged_at_us[position]
