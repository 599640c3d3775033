"""Series on a grid of time (MET.14), from the cells of roll-ups and from points.

Roll-ups are by steps, and an edge of time falls within a cell of each run. So that the points of all these cells need not
be read, a series is cut into *pieces*, aligned ranges of steps, twice as many as there may be buckets. A piece stands as a
whole in the bucket of its first point, unless it reaches over several edges: then it is halved. Where times fall, a piece
says nothing of them, and each of its points stands in its own bucket.

What the pieces are follows from the points alone: not from how a series is stored, nor how far it is rolled up.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from runstore.charts import HistoryGrid
from runstore.series.buckets import Buckets, EqualBuckets
from runstore.series.cells import FALLS, Cells, cells_at, cells_of, merged
from runstore.series.columns import Columns
from runstore.series.grids import GridRequest, SeriesKey, grid_of
from runstore.series.packs import FAN_OUT_BITS
from runstore.series.plans import PackRange, Plan, Range

_PIECES_A_BUCKET: Final = 2

_EACH: Final = EqualBuckets(0)


class Held(NamedTuple):
    """What was read of a series.

    Attributes:
        cells: parts of one level each, with the level.
        points: ranges of points.
    """

    cells: list[tuple[int, Cells]]
    points: list[Columns]

    @property
    def represents(self) -> int:
        """How many points it stands for."""
        return sum(sum(part.counts) for _, part in self.cells) + sum(len(part.steps) for part in self.points)


class Timed(NamedTuple):
    """A series that goes on a grid of time.

    Attributes:
        start_us: when its run began.
        ends: the first and the last step in the range that was asked for.
        pieces: the widest pieces: :func:`pieces_between`.
        level: the base level of the cells that may be looked into.
        held: what was read of it: cells that are no wider than a piece, and points.
    """

    start_us: int
    ends: Range
    pieces: EqualBuckets
    level: int
    held: Held


Look = Callable[[Mapping[SeriesKey, Plan]], Mapping[SeriesKey, Held]]
"""Reads cells and points of series."""


def pieces_between(ends: Range, asked: GridRequest) -> EqualBuckets:
    """The widest pieces of a series, by its first and its last step."""
    return EqualBuckets.within(*ends, _PIECES_A_BUCKET * asked.buckets)


def grid_of_time(
    asked: GridRequest, found: Mapping[SeriesKey, Timed], look: Look, *, is_bounded: bool = True
) -> HistoryGrid:
    """The grid of some series, each of which has points.

    Args:
        asked: the request.
        found: the series.
        look: reads more of them, where that is needed.
        is_bounded: whether what was read is bounded by the size of the grid.
    """
    pieces = {key: _pieces(each.held, each.pieces) for key, each in found.items()}
    falling = {key: _falling(each, found[key]) for key, each in pieces.items() if any(map(FALLS.__and__, each.marks))}
    points = {
        key: each.points for key, each in look({key: Plan([], ranges) for key, ranges in falling.items()}).items()
    }
    rising = {
        key: each.at([at for at, mark in enumerate(each.marks) if not mark & FALLS]) if key in falling else each
        for key, each in pieces.items()
    }
    starts, ends = [], []
    for key, each in rising.items():
        firsts, lasts = [each.first.logged_at_us], [each.last.logged_at_us]
        columns = [part.logged_at_us for part in points.get(key, ())]
        starts.append(min(min(times) for times in firsts + columns if times) - found[key].start_us)
        ends.append(max(max(times) for times in lasts + columns if times) - found[key].start_us)
    buckets = asked.cut(min(starts), max(ends))
    settled = _settled(found, rising, look, buckets)
    is_exact = all(_is_exact(each, found[key].start_us, buckets) for key, each in settled.items())
    cells = {}
    for key, each in settled.items():
        start_us = found[key].start_us
        apart = [_by_time(columns, start_us, buckets) for columns in points.get(key, ())]
        cells[key] = _placed(Cells.joined([each, *apart]), start_us, buckets)
    return grid_of(
        asked,
        buckets,
        cells,
        is_bounded=is_bounded and not falling,
        is_exact=is_exact,
        last=buckets.index(max(ends)),
    )


def in_order(parts: Iterable[Cells]) -> Cells:
    """The cells of all parts, in the order of their steps."""
    held = sorted((part for part in parts if part.indices), key=lambda part: part.first.steps[0])
    return Cells.joined(held).in_order()


def _pieces(held: Held, cut: EqualBuckets) -> Cells:
    """What is held of a series, as pieces."""
    whole = [part for level, part in held.cells if level == cut.bits]  # each of these cells is a piece
    parts = [part for level, part in held.cells if level != cut.bits]
    parts.append(cells_of(Columns.joined(sorted(held.points, key=_first_step)), cut))
    return in_order([*whole, merged(in_order(parts), cut)])


def _first_step(columns: Columns) -> int:
    return columns.steps[0] if columns.steps else 0


def _falling(pieces: Cells, series: Timed) -> list[Range]:
    """The steps of the pieces whose times fall."""
    bits, ranges = series.pieces.bits, list[Range]()
    for index in (index for index, mark in zip(pieces.indices, pieces.marks, strict=True) if mark & FALLS):
        low, high = max(index << bits, series.ends[0]), min(((index + 1) << bits) - 1, series.ends[1])
        if ranges and ranges[-1][1] == low - 1:
            ranges[-1] = ranges[-1][0], high
        else:
            ranges.append((low, high))
    return ranges


def _settled(
    found: Mapping[SeriesKey, Timed], pieces: Mapping[SeriesKey, Cells], look: Look, buckets: Buckets
) -> dict[SeriesKey, Cells]:
    """The pieces that reach over one edge at most, halved as often as that takes."""
    done: dict[SeriesKey, list[Cells]] = {key: [] for key in found}
    bits = {key: each.pieces.bits for key, each in found.items()}
    held = {key: each.held for key, each in found.items()}
    unsettled = dict(pieces)
    while unsettled:
        halves: dict[SeriesKey, Held] = {}
        wanted: dict[SeriesKey, Plan] = {}
        for key, each in unsettled.items():
            short, long = _by_reach(each, found[key].start_us, buckets)
            done[key].append(each.at(short) if long else each)
            if long:
                part = _part(held[key], {each.indices[at] for at in long}, bits[key])
                bits[key] -= 1
                halves[key], plan = _narrower(part, bits[key], found[key].level)
                if plan.packs or plan.points:
                    wanted[key] = plan
        for key, more in (look(wanted) if wanted else {}).items():
            halves[key] = Held(halves[key].cells + more.cells, halves[key].points + more.points)
        held = halves
        unsettled = {key: _pieces(each, EqualBuckets(bits[key])) for key, each in halves.items()}
    return {key: Cells.joined(parts) for key, parts in done.items()}


def _by_reach(pieces: Cells, start_us: int, buckets: Buckets) -> tuple[list[int], list[int]]:
    """The positions of the pieces that reach over one edge at most, and of the others."""
    index = buckets.index
    ends = zip(pieces.first.logged_at_us, pieces.last.logged_at_us, strict=True)
    reaches = [index(last - start_us) - index(first - start_us) for first, last in ends]
    short = [at for at, reach in enumerate(reaches) if reach <= 1]
    return short, [] if len(short) == len(reaches) else [at for at, reach in enumerate(reaches) if reach > 1]


def _part(held: Held, indices: set[int], bits: int) -> Held:
    """What is held of some pieces."""
    cells = []
    for level, part in held.cells:
        positions = [at for at, index in enumerate(part.indices) if index >> (bits - level) in indices]
        if positions:
            cells.append((level, part.at(positions)))
    points, order = [], sorted(indices)
    for columns in (columns for columns in held.points if columns.steps):
        first, last = columns.steps[0] >> bits, columns.steps[-1] >> bits
        for index in order[bisect_left(order, first) : bisect_right(order, last)]:
            inside = columns.inside(index << bits, ((index + 1) << bits) - 1)
            if inside.steps:
                points.append(inside)
    return Held(cells, points)


def _narrower(held: Held, bits: int, base: int) -> tuple[Held, Plan]:
    """What of it serves for pieces of ``2**bits`` steps, and what is to be read instead of the other."""
    plan, points = Plan([], []), list[Range]()
    for level, part in held.cells:
        if level > bits:
            ranges = [(index << level, ((index + 1) << level) - 1) for index in part.indices]
            if level - FAN_OUT_BITS >= base:
                plan.packs.extend(PackRange(level - FAN_OUT_BITS, *each) for each in _joined(ranges))
            else:
                points += ranges
    plan.points.extend(_joined(sorted(points)))
    return Held([each for each in held.cells if each[0] <= bits], held.points), plan


def _joined(ranges: Sequence[Range]) -> list[Range]:
    """Ranges in order, those that follow one another as one."""
    breaks = [at for at, (left, right) in enumerate(pairwise(ranges), 1) if left[1] + 1 != right[0]]
    return (
        [(ranges[begin][0], ranges[end - 1][1]) for begin, end in pairwise([0, *breaks, len(ranges)])] if ranges else []
    )


def _is_exact(pieces: Cells, start_us: int, buckets: Buckets) -> bool:
    ends = zip(pieces.first.logged_at_us, pieces.last.logged_at_us, strict=True)
    return all(buckets.index(first - start_us) == buckets.index(last - start_us) for first, last in ends)


def _by_time(columns: Columns, start_us: int, buckets: Buckets) -> Cells:
    """A cell for each bucket of time, of points whose times fall."""
    groups: dict[int, list[int]] = {}
    for position, time in enumerate(columns.logged_at_us):
        groups.setdefault(buckets.index(time - start_us), []).append(position)
    return cells_at(columns, dict(sorted(groups.items())))


def _placed(pieces: Cells, start_us: int, buckets: Buckets) -> Cells:
    """A cell for each bucket, from the pieces whose first point lies in it."""
    steps = pieces.first.steps
    numbers = [buckets.index(time - start_us) for time in pieces.first.logged_at_us]
    order = sorted(range(len(numbers)), key=lambda at: (numbers[at], steps[at]))
    return merged(pieces.at(order), _EACH, by=array("q", [numbers[at] for at in order]))
