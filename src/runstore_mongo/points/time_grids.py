"""Series on a grid of time (MET.14).

Roll-ups are by steps. Where the times of a series rise with its steps, a bucket of time is a range of steps all the same: it
is found by looking into those cells alone that reach from one bucket into the next, level by level, down to the points.
Where times do not rise, each point is looked at.
"""

from array import array
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

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
    cells_at,
    cells_of,
    grid_of,
    merged,
)
from runstore_mongo.points.chart_reader import ChartReader, Extent, Range, Reading, reading_of

_ALL: Final = EqualBuckets(63)
"""One bucket that holds all steps."""


class _Held(NamedTuple):
    """What was read of a series: cells, each part of one level, and points."""

    cells: list[tuple[int, Cells]]
    points: list[Columns]


def read_time_grid(
    reader: ChartReader,
    asked: GridRequest,
    extents: Mapping[SeriesKey, Extent],
    ends: Mapping[SeriesKey, Range],
    starts_us: Mapping[str, int],
) -> HistoryGrid:
    """The grid of those series that have points between their ends."""
    readings = {
        key: (extents[key], reading_of(extents[key], each, EqualBuckets.within(*each, asked.buckets)))
        for key, each in ends.items()
    }
    held = _read(reader, readings)
    whole = {key: merged(_in_order([*_cells(each), *_of_points(each.points)]), _ALL) for key, each in held.items()}
    falling = {key: (extents[key], [ends[key]]) for key, each in whole.items() if each.marks[0] & FALLS}
    points = {key: parts[0] for key, parts in reader.points(falling).items()}
    spans = []
    for key, each in whole.items():
        times = points[key].logged_at_us if key in points else [each.first.logged_at_us[0], each.last.logged_at_us[0]]
        spans += [min(times) - starts_us[key.run_id], max(times) - starts_us[key.run_id]]
    buckets = asked.cut(min(spans), max(spans))
    rising = {key: each for key, each in held.items() if key not in points}
    cells = _refined(reader, rising, extents, starts_us, buckets)
    cells |= {key: _by_time(columns, starts_us[key.run_id], buckets) for key, columns in points.items()}
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
                ranges = _split(part, level, starts_us[key.run_id], buckets, done[key])
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
        parts += [_by_time(columns, start_us, buckets) for columns in points[key]]
        joined = _in_order(parts)
        cells[key] = merged(joined, buckets, by=_since(joined.first.logged_at_us, start_us))
    return cells


def _split(part: Cells, level: int, start_us: int, buckets: Buckets, done: list[Cells]) -> list[Range]:
    """Moves the cells that lie in one bucket each to those that are done; gives the steps of the others."""
    ranges: list[Range] = []
    after = 0
    for position, (begin, end) in enumerate(zip(part.first.logged_at_us, part.last.logged_at_us, strict=True)):
        if buckets.index(begin - start_us) == buckets.index(end - start_us):
            continue
        if position > after:
            done.append(part.between(after, position))
        low, high = part.indices[position] << level, ((part.indices[position] + 1) << level) - 1
        if ranges and ranges[-1][1] == low - 1:
            ranges[-1] = ranges[-1][0], high
        else:
            ranges.append((low, high))
        after = position + 1
    if after < len(part.indices):
        done.append(part.between(after, len(part.indices)))
    return ranges


def _cells(held: _Held) -> list[Cells]:
    return [part for _, part in held.cells]


def _of_points(points: Sequence[Columns]) -> list[Cells]:
    return [cells_of(columns, _ALL) for columns in points]


def _in_order(parts: Sequence[Cells]) -> Cells:
    return Cells.joined(sorted((part for part in parts if part.indices), key=lambda part: part.first.steps[0]))


def _since(times: "array[int]", start_us: int) -> "array[int]":
    return array("q", [time - start_us for time in times])


def _by_time(columns: Columns, start_us: int, buckets: Buckets) -> Cells:
    """A cell for each bucket of time."""
    groups: dict[int, list[int]] = {}
    for position, time in enumerate(columns.logged_at_us):
        groups.setdefault(buckets.index(time - start_us), []).append(position)
    return cells_at(columns, dict(sorted(groups.items())))
