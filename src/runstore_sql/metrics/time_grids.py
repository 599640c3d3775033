"""Series on a grid of time (MET.14).

Roll-ups are by steps. Where the times of a series rise with its steps, a bucket of time is a range of steps all the same: it
is found by looking into those cells alone that reach from one bucket into the next, level by level, down to the points.
Where times do not rise, each point is looked at.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from runstore.backend import StepRange
from runstore.charts import HistoryGrid
from runstore.series import (
    FALLS,
    FAN_OUT_BITS,
    Buckets,
    Cells,
    Columns,
    EqualBuckets,
    GridRequest,
    PackRange,
    SeriesKey,
    by_time,
    cells_of,
    grid_of,
    merged,
    plan,
    since,
    split_by_time,
    whole_buckets,
)
from runstore_sql.metrics.history import HistoryReader, Range, SeriesExtent
from runstore_sql.metrics.packs import whole_cells
from runstore_sql.metrics.rollup_tables import RollupTables

_WORTH_WHILE: Final = 512
"""Points a bucket from which on it costs less to look into cells than to read all points."""

_ALL: Final = EqualBuckets(63)
"""One bucket that holds all steps."""


class _Found(NamedTuple):
    """What is known of a series: cells by their level, and points."""

    cells: dict[int, list[Cells]]
    points: list[Columns]

    def sorted_cells(self) -> Cells:
        """All of it as cells, in the order of steps."""
        parts = [part for some in self.cells.values() for part in some]
        parts += [cells_of(columns, _ALL) for columns in self.points]
        return Cells.joined(sorted((part for part in parts if part.indices), key=lambda part: part.first.steps[0]))


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
        found = self._coarse(asked, extents, ends, steps)
        whole = {key: merged(each.sorted_cells(), _ALL) for key, each in found.items()}
        falling = {
            key: self._histories.within(self._cursor, extents[key], StepRange(*ends[key]))
            for key, each in whole.items()
            if each.marks[0] & FALLS
        }
        spans = []
        for key, each in whole.items():
            times = (
                falling[key].logged_at_us if key in falling else [each.first.logged_at_us[0], each.last.logged_at_us[0]]
            )
            spans += [min(times) - extents[key].start_us, max(times) - extents[key].start_us]
        buckets = asked.cut(min(spans), max(spans))
        rising = {key: each for key, each in found.items() if key not in falling}
        cells = self._refined(rising, extents, buckets)
        for key, columns in falling.items():
            cells[key] = by_time(columns, extents[key].start_us, buckets)
        return grid_of(asked, buckets, cells, is_bounded=not falling and all(extents[key].is_bounded for key in ends))

    def _coarse(
        self,
        asked: GridRequest,
        extents: Mapping[SeriesKey, SeriesExtent],
        ends: Mapping[SeriesKey, Range],
        steps: StepRange,
    ) -> dict[SeriesKey, _Found]:
        """As many cells of each series as a grid of steps would take."""
        plans = {}
        for key, (first, last) in ends.items():
            most = min(extents[key].points, last - first + 1)
            # Of a series that was thinned only the cells tell how many points were logged.
            is_short = most <= asked.buckets * _WORTH_WHILE and extents[key].state.closed < 0
            rollups = None if is_short else extents[key].state.rollups
            buckets = EqualBuckets.within(first, last, asked.buckets)
            plans[key] = plan(*whole_buckets((first, last), (steps.low, steps.high), buckets), buckets, rollups)
        packs = self._tables.packs_of_many(
            self._cursor, [(extents[key].pk, each) for key, found in plans.items() for each in found.packs]
        )
        return {
            key: _Found(
                _by_level(packs, extents[key].pk, each.packs),
                self._histories.in_ranges(self._cursor, extents[key], each.points),
            )
            for key, each in plans.items()
        }

    def _refined(
        self, found: Mapping[SeriesKey, _Found], extents: Mapping[SeriesKey, SeriesExtent], buckets: Buckets
    ) -> dict[SeriesKey, Cells]:
        """A cell for each bucket of time."""
        done: dict[SeriesKey, list[Cells]] = {key: [] for key in found}
        points = {key: list(each.points) for key, each in found.items()}
        open_cells = {key: dict(each.cells) for key, each in found.items()}
        while True:
            wanted: dict[SeriesKey, list[PackRange]] = {}
            for key, by_level in open_cells.items():
                extent, raw = extents[key], list[Range]()
                for level, parts in by_level.items():
                    for part in parts:
                        lies_in_one, ranges = split_by_time(part, level, extent.start_us, buckets)
                        done[key].append(lies_in_one)
                        if extent.state.rollups is not None and level - FAN_OUT_BITS >= extent.state.rollups.level:
                            wanted.setdefault(key, []).extend(PackRange(level - FAN_OUT_BITS, *each) for each in ranges)
                        else:
                            raw += ranges
                points[key] += self._histories.in_ranges(self._cursor, extent, sorted(raw))
            if not wanted:
                break
            packs = self._tables.packs_of_many(
                self._cursor, [(extents[key].pk, each) for key, some in wanted.items() for each in some]
            )
            open_cells = {key: _by_level(packs, extents[key].pk, some) for key, some in wanted.items()}
        cells = {}
        for key, parts in done.items():
            start_us = extents[key].start_us
            parts += [cells_of(columns, buckets, by=since(columns.logged_at_us, start_us)) for columns in points[key]]
            joined = Cells.joined(parts).in_order()
            cells[key] = merged(joined, buckets, by=since(joined.first.logged_at_us, start_us))
        return cells


def _by_level(
    packs: Mapping[tuple[int, PackRange], list[bytes]], pk: int, wanted: list[PackRange]
) -> dict[int, list[Cells]]:
    found: dict[int, list[Cells]] = {}
    for each in wanted:
        found.setdefault(each.level, []).extend(whole_cells(packs.get((pk, each), ()), each))
    return found
