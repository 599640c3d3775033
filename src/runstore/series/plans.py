"""What to read of a series that is rolled up, so that it costs what is asked for and not what is stored.

Below a step, ``rolled``, all points are in packs: at the base level, and at each higher level as far as whole packs lie
below that step. A range is read from the widest cells that fit into its buckets; its two ends, and what no pack covers yet,
from narrower cells, and in the end from the points.
"""

from typing import NamedTuple

from runstore.series.buckets import Buckets, width_bits
from runstore.series.packs import FAN_OUT_BITS, span_bits

Range = tuple[int, int]
"""A first and a last step."""


class PackRange(NamedTuple):
    """Cells to read: those of a level that lie whole between two steps, both included."""

    level: int
    low: int
    high: int

    @property
    def first(self) -> int:
        """The index of the first pack that has such cells."""
        return self.low >> span_bits(self.level)

    @property
    def last(self) -> int:
        """The index of the last pack that has such cells."""
        return self.high >> span_bits(self.level)


class RollUps(NamedTuple):
    """How far a series is rolled up.

    Attributes:
        level: its base level.
        rolled: the first step that no pack covers; a multiple of a base pack's span.
    """

    level: int
    rolled: int


class Plan(NamedTuple):
    """Disjoint ranges of steps that cover the one asked for: from packs, and from points."""

    packs: list[PackRange]
    points: list[Range]


def whole_buckets(ends: Range, asked: Range, buckets: Buckets) -> Range:
    """The range that is read for the points between two steps: as far as the buckets of the first and the last one go.

    Nothing lies before the first and behind the last, so the cells that hold them are read whole. Of a history that was
    thinned only a whole cell tells how many points were logged.

    Args:
        ends: the first and the last step that there are in the range that was asked for.
        asked: that range.
        buckets: of steps.
    """
    first, last = ends
    begin, end = buckets.start(buckets.index(first)), buckets.start(buckets.index(last) + 1) - 1
    return max(asked[0], begin), min(asked[1], end)


def plan(low: int, high: int, buckets: Buckets, rollups: RollUps | None) -> Plan:
    """What to read for the buckets of the steps from low to high."""
    if rollups is None or low >= rollups.rolled:
        return Plan([], [(low, high)])
    found = Plan([], [])
    for first, last, bits in width_bits(buckets, low, high):
        if bits < rollups.level:
            found.points.append((first, last))
        else:
            widest = rollups.level + (bits - rollups.level) // FAN_OUT_BITS * FAN_OUT_BITS
            _add(found, (first, last), widest, rollups)
    return Plan(found.packs, _joined(found.points))


def _add(found: Plan, steps: Range, level: int, rollups: RollUps) -> None:
    low, high = steps
    if low > high:
        return
    if level < rollups.level:
        found.points.append(steps)
        return
    whole_packs = rollups.rolled >> span_bits(level) << span_bits(level)
    begin = -(-low >> level) << level
    end = min((high + 1) >> level << level, whole_packs)
    if begin >= end:
        _add(found, steps, level - FAN_OUT_BITS, rollups)
        return
    found.packs.append(PackRange(level, begin, end - 1))
    _add(found, (low, begin - 1), level - FAN_OUT_BITS, rollups)
    _add(found, (end, high), level - FAN_OUT_BITS, rollups)


def _joined(ranges: list[Range]) -> list[Range]:
    """The same steps in as few ranges as can be."""
    found: list[Range] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], high
        else:
            found.append((low, high))
    return found
