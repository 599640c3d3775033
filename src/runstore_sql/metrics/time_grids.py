"""Series on a grid of time (MET.14): what is read of them."""

from collections.abc import Mapping
from typing import Any

from runstore.backend import StepRange
from runstore.charts import HistoryGrid
from runstore.series import (
    Cells,
    GridRequest,
    Held,
    Plan,
    SeriesKey,
    Timed,
    grid_of_time,
    pieces_between,
    plan,
    whole_buckets,
)
from runstore_sql.metrics.history import HistoryReader, Range, SeriesExtent
from runstore_sql.metrics.packs import whole_cells
from runstore_sql.metrics.rollup_tables import RollupTables


class TimeGridReader:
    """Reads a grid of time with a cursor inside a transaction."""

    def __init__(self, cursor: Any, histories: HistoryReader[Any], tables: RollupTables[Any]) -> None:
        self._cursor = cursor
        self._histories = histories
        self._tables = tables

    def read(
        self,
        asked: GridRequest,
        extents: Mapping[SeriesKey, SeriesExtent],
        ends: Mapping[SeriesKey, Range],
        steps: StepRange,
    ) -> HistoryGrid:
        """The grid of those series that have points between their ends, of a range of steps."""
        plans = {}
        for key, found in ends.items():
            pieces = pieces_between(found, asked)
            read = whole_buckets(found, (steps.low, steps.high), pieces)
            plans[key] = plan(*read, pieces, extents[key].state.rollups)

        def look(wanted: Mapping[SeriesKey, Plan]) -> dict[SeriesKey, Held]:
            return self._look(extents, wanted)

        held = look(plans)
        is_bounded = all(extents[key].is_bounded for key in ends)
        for key, each in held.items():
            if ends[key] == (extents[key].first, extents[key].last) and extents[key].is_untrue(each.represents):
                held[key] = Held([], [self._histories.within(self._cursor, extents[key], StepRange(*ends[key]))])
                is_bounded = False
        timed = {
            key: Timed(extents[key].start_us, found, pieces_between(found, asked), _base_level(extents[key]), held[key])
            for key, found in ends.items()
        }
        return grid_of_time(asked, timed, look, is_bounded=is_bounded)

    def _look(
        self, extents: Mapping[SeriesKey, SeriesExtent], wanted: Mapping[SeriesKey, Plan]
    ) -> dict[SeriesKey, Held]:
        packs = self._tables.packs_of_many(
            self._cursor, [(extents[key].pk, each) for key, found in wanted.items() for each in found.packs]
        )
        held = {}
        for key, found in wanted.items():
            extent, by_level = extents[key], dict[int, list[Cells]]()
            for each in found.packs:
                by_level.setdefault(each.level, []).extend(whole_cells(packs.get((extent.pk, each), ()), each))
            held[key] = Held(
                [(level, Cells.joined(parts).in_order()) for level, parts in by_level.items()],
                self._histories.in_ranges(self._cursor, extent, found.points),
            )
        return held


def _base_level(extent: SeriesExtent) -> int:
    rollups = extent.state.rollups
    return 0 if rollups is None else rollups.level
