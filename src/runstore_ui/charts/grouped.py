"""The mean of runs over steps, with the standard deviation of the sample as a band.

All series of a chart are read on one grid; each of its places is a step: the last that any series has there. A run counts at a
step by its own point, or, where it has none there, by the straight line between its two neighbouring points. It counts
nowhere before its first point and after its last, and not next to a value that is not finite: so how many runs a mean is of may
change along the line, and is told at each point.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from runstore.charts import GridAxis, GridSeries, HistoryGrid
from runstore.protocol import RunReader
from runstore_ui.charts.drawn import Drawn, DrawnSeries, drawn_of
from runstore_ui.charts.places import Place, places_of, point_at
from runstore_ui.charts.smoothing import smoothed, smoothed_at
from runstore_ui.figures import Look, looks
from runstore_ui.means import mean_and_spread
from runstore_ui.reading import runs_of
from runstore_ui.state import ChartState, RunGroup

_MOST_POINTS: Final = 1000


class _Known(Struct, frozen=True):
    """Points of a run that follow each other on the grid, by ascending x: the first and the last of each bucket.

    Attributes:
        buckets: in which each lies.
        without_place: how many have none.
    """

    xs: list[float]
    ys: list[float]
    steps: list[int]
    buckets: list[int]
    without_place: int

    def at(self, x: float) -> tuple[float, bool] | None:
        """The value at x, and whether it lies between two points; ``None`` where the run does not count."""
        place = bisect_left(self.xs, x)
        if place == len(self.xs):
            return None
        if self.xs[place] == x:
            return (self.ys[place], False) if math.isfinite(self.ys[place]) else None
        if place == 0:
            return None
        (low, high), (before, after) = self.xs[place - 1 : place + 1], self.ys[place - 1 : place + 1]
        share = (x - low) / (high - low)
        value = before * (1 - share) + after * share
        return (value, True) if math.isfinite(before) and math.isfinite(after) else None


def means_of(reader: RunReader, state: ChartState) -> Drawn:
    """The chart of groups that the state asks for; their runs as well, where it shows single ones.

    Raises:
        RunNotFoundError: one of the runs is not there.
    """
    runs = {run.id: run for run in runs_of(reader, state.runs)}
    grid = reader.sample_histories(
        [(run_id, state.metric, state.dataset or "validation") for run_id in runs],
        max_points=_MOST_POINTS,
        min_step=state.first,
        max_step=state.last,
        by=str(state.axis),
    )
    where = places_of(reader, runs, state)
    known = {each.run_id: _known(each, where[each.run_id]) for each in grid.series}
    known, how = _smoothed(reader, known, state)
    counts = {each.run_id: sum(each.counts) for each in grid.series}
    places = _places(known.values())
    found = [
        _mean(group, look, known, places, counts, state)
        for group, look in zip(state.groups, looks(len(state.groups)), strict=True)
    ]
    made = [each for each, _ in found if each.x]
    single = _single(reader, state, {each.group: each for each in made}) if state.shows_single else []
    return Drawn(
        by=state.by,
        series=[*made, *single],
        drawn=sum(len(each.x) for each in made),
        total=sum(counts.values()),
        not_finite=sum(1 for each in grid.series for kinds in each.non_finite if kinds),
        without_place=sum(each.without_place for each in known.values()),
        means=_words(grid, len(places), how, is_between=any(is_between for _, is_between in found)),
    )


def _known(series: GridSeries, place: Place) -> _Known:
    points: dict[float, tuple[float, int, int]] = {}
    left = 0
    for position, bucket in enumerate(series.buckets):
        for step, value, at in dict.fromkeys(point_at(columns, position) for columns in (series.first, series.last)):
            x = place(step, at)
            if x is None:
                left += 1
            else:
                points[x] = (value, step, bucket)
    xs = sorted(points)
    return _Known(xs, [points[x][0] for x in xs], [points[x][1] for x in xs], [points[x][2] for x in xs], left)


def _smoothed(reader: RunReader, known: dict[str, _Known], state: ChartState) -> tuple[dict[str, _Known], str]:
    """Each run smoothed by itself, before any mean is made; and over what, in words."""
    if not state.smooth:
        return known, ""
    kind = state.dataset or "validation"
    wanted = {(run_id, state.metric, kind): each.steps for run_id, each in known.items() if each.steps}
    found = smoothed_at(reader, wanted, state.smooth, last=state.last)
    made = {}
    for run_id, each in known.items():
        if found is None:
            values = smoothed(each.ys, state.smooth)
        else:
            curve = found.get((run_id, state.metric, kind), {})
            values = [curve.get(step) for step in each.steps]
        made[run_id] = _Known(
            each.xs,
            [math.nan if value is None else value for value in values],
            each.steps,
            each.buckets,
            each.without_place,
        )
    return made, "drawn" if found is None else "all"


def _places(known: Iterable[_Known]) -> list[tuple[float, int]]:
    """Where means are drawn, and the step of each: in each bucket the furthest point of any run, and the first of all."""
    last: dict[int, tuple[float, int]] = {}
    first = (math.inf, 0)
    for each in known:
        for x, step, bucket in zip(each.xs, each.steps, each.buckets, strict=True):
            last[bucket] = max(last.get(bucket, (x, step)), (x, step))
            first = min(first, (x, step))
    steps = dict([*last.values(), *([first] if last else [])])
    return sorted(steps.items())


def _mean(  # noqa: PLR0913, PLR0917 - what a line is made of
    group: RunGroup,
    look: Look,
    known: Mapping[str, _Known],
    places: Sequence[tuple[float, int]],
    counts: Mapping[str, int],
    state: ChartState,
) -> tuple[DrawnSeries, bool]:
    """The line of a group, and whether a run counts somewhere by what lies between two of its points."""
    members = [known[run_id] for run_id in group.runs if run_id in known]
    x, y, steps, spread, count = [], [], [], [], []
    is_between = False
    for place, step in places:
        values = [found for each in members if (found := each.at(place)) is not None]
        if not values:
            continue
        mean, sd = mean_and_spread([value for value, _ in values])
        is_between = is_between or any(between for _, between in values)
        x.append(place)
        steps.append(step)
        y.append(mean)
        spread.append(sd)
        count.append(len(values))
    most = max(count, default=0)
    fewest = min(count, default=0)
    drawn = DrawnSeries(
        run="",
        label=f"{group.label}, n {most}" if most == fewest else f"{group.label}, n {fewest} to {most}",
        dataset=state.dataset or "validation",
        colour=look.colour,
        dash=look.dash,
        marker=look.marker,
        x=x,
        y=list(y),
        steps=steps,
        marks=[],
        count=sum(counts.get(run_id, 0) for run_id in group.runs),
        spread=spread,
        runs=count,
        group=group.label,
    )
    return drawn, is_between


def _single(reader: RunReader, state: ChartState, means: Mapping[str, DrawnSeries]) -> list[DrawnSeries]:
    """The runs of the groups, each in the look of its group."""
    group_of = {run_id: each.label for each in state.groups for run_id in each.runs}
    drawn = drawn_of(reader, replace(state, groups=()))
    return [
        replace(
            each,
            label=each.label if len(state.runs) > 1 else each.run,
            group=group_of.get(each.run, ""),
            colour=means[group_of[each.run]].colour,
            dash=means[group_of[each.run]].dash,
            marker=None,
            y=each.smooth or each.y,
            smooth=None,
        )
        for each in drawn.series
        if group_of.get(each.run) in means
    ]


def _words(grid: HistoryGrid, places: int, how: str, *, is_between: bool) -> str:
    unit = "times" if grid.by is GridAxis.TIME else "steps"
    is_thinned = any(count > 1 for each in grid.series for count in each.counts)
    words = f"mean ± sd of runs at {places:,} {unit}" if is_thinned else "mean ± sd of runs"
    if how:
        words += f", each smoothed over {'all points' if how == 'all' else 'those drawn'}"
    return words + ("; between its points a run counts by a straight line" if is_between else "")
