"""Series on a grid of time (MET.14).

Roll-ups are by steps. Where the times of a series rise with its steps, a bucket of time is a range of steps all the same: it
is found by looking into those cells alone that reach from one bucket into the next, level by level, down to the points.
Where times do not rise, each point is looked at.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

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
    since,
    split_by_time,
    whole_buckets,
)
from runstore_mongo.points.chart_reader import ChartReader, Extent, Range, Reading, in_order, reading_of

_ALL: Final = EqualBuckets(63)
"""One bucket that holds all steps."""


class _Held(NamedTuple):
    """What was read of a series: cells, each part of one level, and points."""

    cells: list[tuple[int, Cells]]
    points: list[Columns]


def read_time_grid(  # noqa: PLR0913 - what is asked for, and what is known of its series
    reader: ChartReader,
    asked: GridRequest,
    extents: Mapping[SeriesKey, Extent],
    ends: Mapping[SeriesKey, Range],
    starts_us: Mapping[str, int],
    *,
    steps: StepRange,
) -> HistoryGrid:
    """The grid of those series that have points between their ends, of a range of steps."""
    readings = {}
    for key, span in ends.items():
        coarse = EqualBuckets.within(*span, asked.buckets)
        read = whole_buckets(span, (steps.low, steps.high), coarse)
        readings[key] = extents[key], reading_of(extents[key], read, coarse)
    held = _read(reader, readings)
    whole = {key: merged(in_order([*_cells(each), *_of_points(each.points)]), _ALL) for key, each in held.items()}
    falling = {key: (extents[key], [ends[key]]) for key, each in whole.items() if each.marks[0] & FALLS}
    points = {key: parts[0] for key, parts in reader.points(falling).items()}
    spans = []
    for key, each in whole.items():
        times = points[key].logged_at_us if key in points else [each.first.logged_at_us[0], each.last.logged_at_us[0]]
        spans += [min(times) - starts_us[key.run_id], max(times) - starts_us[key.run_id]]
    buckets = asked.cut(min(spans), max(spans))
    rising = {key: each for key, each in held.items() if key not in points}
    cells = _refined(reader, rising, extents, starts_us, buckets)
    cells |= {key: by_time(columns, starts_us[key.run_id], buckets) for key, columns in points.items()}
    is_bounded = not points and all(extents[key].is_bounded for key in ends)
    return grid_of(asked, buckets, cells, is_bounded=is_bounded)


def _read(reader: ChartReader, readings: Mapping[SeriesKey, tuple[Extent, Reading]]) -> dict[SeriesKey, _Held]:
    packs = reader.packs(readings)
    points = reader.points({key: (extent, reading.points) for key, (extent, reading) in readings.items()})
    return {key: _Held(packs[key], points[key]) for key in readings}


def _refined(
    reader: ChartReader,
    held: Mapping[SeriesKey, _Held],
    extents: Mapping[SeriesKey, Extent],
    starts_us: Mapping[str, int],
    buckets: Buckets,
) -> dict[SeriesKey, Cells]:
    """A cell for each bucket of time, of series whose times rise."""
    done: dict[SeriesKey, list[Cells]] = {key: [] for key in held}
    points = {key: list(each.points) for key, each in held.items()}
    unsplit = dict(held)
    while unsplit:
        readings: dict[SeriesKey, tuple[Extent, Reading]] = {}
        for key, each in unsplit.items():
            extent, reading = extents[key], Reading([], [])
            for level, part in each.cells:
                whole, ranges = split_by_time(part, level, starts_us[key.run_id], buckets)
                done[key].append(whole)
                if extent.rollups is not None and level - FAN_OUT_BITS >= extent.rollups.level:
                    reading.packs.extend(PackRange(level - FAN_OUT_BITS, *span) for span in ranges)
                else:
                    reading.points.extend(ranges)
            if reading.packs or reading.points:
                readings[key] = extent, reading
        unsplit = _read(reader, readings) if readings else {}
        for key, each in unsplit.items():
            points[key] += each.points
    cells = {}
    for key, parts in done.items():
        start_us = starts_us[key.run_id]
        parts.append(_cut(points[key], start_us, buckets))
        joined = in_order(parts)
        cells[key] = merged(joined, buckets, by=since(joined.first.logged_at_us, start_us))
    return cells


def _cells(held: _Held) -> list[Cells]:
    return [part for _, part in held.cells]


def _of_points(points: Sequence[Columns]) -> list[Cells]:
    return [cells_of(columns, _ALL) for columns in points]


class _Cuts(Struct, frozen=True):
    """Buckets of positions that begin where they are told to.

    Attributes:
        starts: where each begins; and the end of the last.
    """

    starts: Sequence[int]

    def index(self, number: int) -> int:
        return bisect_right(self.starts, number) - 1

    def start(self, index: int) -> int:
        return self.starts[index]


def _cut(ranges: Sequence[Columns], start_us: int, buckets: Buckets) -> Cells:
    """A cell for each bucket of time in each range of points whose times rise: all at once, for there are very many."""
    starts: list[int] = []
    behind = 0
    for columns in ranges:
        times = columns.logged_at_us
        begin = 0
        while begin < len(times):
            starts.append(behind + begin)
            edge = buckets.start(buckets.index(times[begin] - start_us) + 1) + start_us
            begin = bisect_left(times, edge, begin + 1)
        behind += len(times)
    return cells_of(Columns.joined(ranges), _Cuts([*starts, behind]), by=array("q", range(behind)))
