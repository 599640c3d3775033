"""Samples and grids: what roll-ups say of a series, and its points where there are none (MET.12, MET.14)."""

from collections.abc import Mapping
from typing import Any

from runstore.backend import StepRange
from runstore.charts import GridAxis, HistoryGrid
from runstore.series import (
    Buckets,
    Cells,
    Columns,
    GridRequest,
    Plan,
    Series,
    SeriesKey,
    cells_of,
    grid_of,
    kept_of,
    merged,
    plan,
    sample,
    sample_buckets,
    whole_buckets,
)
from runstore_sql.metrics.history import HistoryReader, SeriesExtent
from runstore_sql.metrics.packs import whole_cells
from runstore_sql.metrics.rollup_tables import RollupTables
from runstore_sql.metrics.time_grids import TimeGridReader


class ChartReader:
    """Reads for one dialect, on a connection of its driver."""

    def __init__(self, histories: HistoryReader[Any], tables: RollupTables[Any]) -> None:
        self._histories = histories
        self._tables = tables

    def sample(
        self, connection: Any, run_id: str, series: Series, max_points: int, steps: StepRange
    ) -> tuple[Columns, int] | None:
        """The points that a sample keeps, and how many they stand for; ``None`` where there is no such series."""
        key, histories = SeriesKey(run_id, *series), self._histories
        with histories.snapshot(connection) as cursor:
            extent = histories.extents(cursor, [key]).get(key)
            if extent is None:
                return None
            ends = histories.ends(cursor, extent, steps)
            if ends is None:
                return Columns.empty(), 0
            within = StepRange(*ends)
            buckets = sample_buckets(*ends, max_points)
            found = plan(*whole_buckets(ends, (steps.low, steps.high), buckets), buckets, extent.state.rollups)
            is_whole = ends == (extent.first, extent.last)
            if not found.packs or (is_whole and extent.points <= max_points):
                columns = histories.within(cursor, extent, within)
                # Of a history that was thinned fewer points are there than the series stands for.
                return sample(columns, max_points), extent.points if is_whole else len(columns.steps)
            cells = self._cells(cursor, {key: (extent, found)}, buckets)[key]
            if is_whole and extent.is_untrue(sum(cells.counts)):
                return sample(histories.within(cursor, extent, within), max_points), extent.points
            count = extent.points if is_whole else sum(cells.counts)
            if count <= max_points:
                return histories.within(cursor, extent, within), count
            return kept_of(cells), count

    def grid(self, connection: Any, asked: GridRequest, steps: StepRange) -> HistoryGrid:
        """Series on one grid."""
        histories = self._histories
        with histories.snapshot(connection) as cursor:
            extents = histories.extents(cursor, asked.keys)
            ends = {key: found for key, each in extents.items() if (found := histories.ends(cursor, each, steps))}
            if not ends:
                return grid_of(asked, None, {}, is_bounded=True)
            if asked.by is GridAxis.TIME:
                return TimeGridReader(cursor, histories, self._tables).read(asked, extents, ends, steps)
            buckets = asked.cut(min(first for first, _ in ends.values()), max(last for _, last in ends.values()))
            plans = {
                key: (
                    extents[key],
                    plan(*whole_buckets(found, (steps.low, steps.high), buckets), buckets, extents[key].state.rollups),
                )
                for key, found in ends.items()
            }
            cells = self._cells(cursor, plans, buckets)
            is_bounded = all(extents[key].is_bounded for key in ends)
            for key, (extent, _) in plans.items():
                if ends[key] == (extent.first, extent.last) and extent.is_untrue(sum(cells[key].counts)):
                    cells[key] = cells_of(histories.within(cursor, extent, StepRange(*ends[key])), buckets)
                    is_bounded = False
        return grid_of(asked, buckets, cells, is_bounded=is_bounded)

    def _cells(
        self, cursor: Any, plans: Mapping[SeriesKey, tuple[SeriesExtent, Plan]], buckets: Buckets
    ) -> dict[SeriesKey, Cells]:
        """A cell for each bucket that holds points of each series."""
        wanted = [(extent.pk, each) for extent, found in plans.values() for each in found.packs]
        packs = self._tables.packs_of_many(cursor, wanted)
        cells = {}
        for key, (extent, found) in plans.items():
            parts = [cells for each in found.packs for cells in whole_cells(packs.get((extent.pk, each), ()), each)]
            columns = self._histories.in_ranges(cursor, extent, found.points)
            parts += [cells_of(each, buckets) for each in columns]
            held = sorted((part for part in parts if part.indices), key=lambda part: part.first.steps[0])
            cells[key] = merged(Cells.joined(held), buckets)
        return cells
