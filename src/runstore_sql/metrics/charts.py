"""Samples and grids: what roll-ups say of a series, and its points where there are none (MET.12, MET.14)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, Final

from runstore.backend import StepRange
from runstore.charts import GridAxis, HistoryGrid
from runstore.series import (
    Buckets,
    Cells,
    Columns,
    GridRequest,
    PackRange,
    Plan,
    Series,
    SeriesKey,
    cells_of,
    grid_of,
    grid_of_points,
    kept_of,
    merged,
    plan,
    sample,
    sample_buckets,
    unpacked,
)
from runstore_sql.metrics.history import HistoryReader, SeriesExtent
from runstore_sql.metrics.rollup_tables import RollupTables
from runstore_sql.metrics.rollups import LEAST_POINTS

_SHORT: Final = 8 * LEAST_POINTS
"""Of a series of no more points so much is read as of a long one."""


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
            found = plan(*ends, buckets, extent.state.rollups)
            is_whole = ends == (extent.first, extent.last)
            if not found.packs or (is_whole and extent.points <= max_points):
                columns = histories.within(cursor, extent, within)
                # Of a history that was thinned fewer points are there than the series stands for.
                return sample(columns, max_points), extent.points if is_whole else len(columns.steps)
            cells = self._cells(cursor, {key: (extent, found)}, buckets)[key]
            count = extent.points if is_whole else sum(cells.counts)
            if count <= max_points:
                return histories.within(cursor, extent, within), count
            return kept_of(cells), count

    def grid(self, connection: Any, asked: GridRequest, steps: StepRange) -> HistoryGrid:
        """Series on one grid."""
        histories = self._histories
        with histories.snapshot(connection) as cursor:
            extents = histories.extents(cursor, asked.keys)
            if asked.by is GridAxis.TIME:
                points = {key: histories.within(cursor, extent, steps) for key, extent in extents.items()}
                return grid_of_points(asked, points, {key.run_id: each.start_us for key, each in extents.items()})
            ends = {key: found for key, each in extents.items() if (found := histories.ends(cursor, each, steps))}
            if not ends:
                return grid_of(asked, None, {}, is_bounded=True)
            buckets = asked.cut(min(first for first, _ in ends.values()), max(last for _, last in ends.values()))
            plans = {
                key: (extents[key], plan(*found, buckets, extents[key].state.rollups)) for key, found in ends.items()
            }
            cells = self._cells(cursor, plans, buckets)
        return grid_of(asked, buckets, cells, is_bounded=all(_is_bounded(extents[key]) for key in ends))

    def _cells(
        self, cursor: Any, plans: Mapping[SeriesKey, tuple[SeriesExtent, Plan]], buckets: Buckets
    ) -> dict[SeriesKey, Cells]:
        """A cell for each bucket that holds points of each series."""
        wanted = [(extent.pk, each) for extent, found in plans.values() for each in found.packs]
        packs = self._tables.packs_of_many(cursor, wanted)
        cells = {}
        for key, (extent, found) in plans.items():
            parts = list(_whole(packs, extent.pk, found.packs))
            for low, high in found.points:
                columns = self._histories.within(cursor, extent, StepRange(low, high))
                parts.append(cells_of(columns, buckets))
            held = sorted((part for part in parts if part.indices), key=lambda part: part.first.steps[0])
            cells[key] = merged(Cells.joined(held), buckets)
        return cells


def _whole(packs: Mapping[tuple[int, PackRange], list[bytes]], pk: int, wanted: Iterable[PackRange]) -> Iterable[Cells]:
    """The cells of packs that lie whole between the steps of their ranges."""
    for each in wanted:
        first, last = each.low >> each.level, each.high >> each.level
        for data in packs.get((pk, each), ()):
            cells = unpacked(data)
            begin, end = bisect_left(cells.indices, first), bisect_right(cells.indices, last)
            yield cells if end - begin == len(cells.indices) else cells.between(begin, end)


def _is_bounded(extent: SeriesExtent) -> bool:
    return extent.state.rollups is not None or extent.points <= _SHORT
