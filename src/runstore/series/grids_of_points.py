"""Grids that are made of all points of their series: what every backend's grids agree with (MET.14)."""

from collections.abc import Mapping

from runstore.charts import GridAxis, HistoryGrid
from runstore.series.cells import cells_of
from runstore.series.columns import Columns
from runstore.series.grids import GridRequest, SeriesKey, grid_of
from runstore.series.plans import Plan
from runstore.series.times import Held, Timed, grid_of_time, pieces_between


def grid_of_points(
    asked: GridRequest, found: Mapping[SeriesKey, Columns | None], starts_us: Mapping[str, int]
) -> HistoryGrid:
    """A grid from all points of its series.

    Args:
        asked: the request.
        found: the points of the series, as far as there are any.
        starts_us: when each run began; only asked for where the grid is by time.
    """
    held = {key: columns for key in asked.keys if (columns := found.get(key)) is not None and columns.steps}
    if not held:
        return grid_of(asked, None, {}, is_bounded=True)
    if asked.by is GridAxis.TIME:
        return _by_time(asked, held, starts_us)
    first, last = (min(each.steps[0] for each in held.values()), max(each.steps[-1] for each in held.values()))
    buckets = asked.cut(first, last)
    cells = {key: cells_of(columns, buckets) for key, columns in held.items()}
    return grid_of(asked, buckets, cells, is_bounded=False)


def _by_time(asked: GridRequest, held: Mapping[SeriesKey, Columns], starts_us: Mapping[str, int]) -> HistoryGrid:
    def look(wanted: Mapping[SeriesKey, Plan]) -> dict[SeriesKey, Held]:
        return {key: Held([], [held[key].inside(*steps) for steps in each.points]) for key, each in wanted.items()}

    found = {}
    for key, columns in held.items():
        ends = columns.steps[0], columns.steps[-1]
        found[key] = Timed(starts_us[key.run_id], ends, pieces_between(ends, asked), 0, Held([], [columns]))
    return grid_of_time(asked, found, look, is_bounded=False)
