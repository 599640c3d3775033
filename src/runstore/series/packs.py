"""Roll-ups as they are stored: 32 neighbouring cells of one series in a row of bytes, a pack.

Cells of the base level hold some 128 points each; a cell of each higher level is eight of the level below it. A pack, once
written by a release, is read by all later ones: its first byte says how it is laid out.
"""

import struct
import sys
from array import array
from collections.abc import Iterable
from typing import Any, Final

from runstore.series.buckets import EqualBuckets
from runstore.series.cells import Cells, cells_of, merged
from runstore.series.columns import Columns

PACK_BITS: Final = 5
"""A pack has the cells of ``2**PACK_BITS`` neighbouring ranges, as far as they hold points."""

FAN_OUT_BITS: Final = 3
"""Each level's cells are ``2**FAN_OUT_BITS`` times as wide as those of the level below."""

MAX_LEVEL: Final = 63 - PACK_BITS
"""The level whose single pack holds all steps."""

_POINTS_A_CELL: Final = 112
_LAYOUT: Final = 1
_HEAD: Final = struct.Struct("<BBccBxxxqq")
"""Layout, level, types of step offsets and of time offsets, number of cells, index of the pack, earliest time."""
_STEP_CODES: Final = (("H", 16), ("I", 32), ("Q", 64))


def level_for(count: int, first: int, last: int) -> int:
    """The base level of a series by its density: ``2**level`` steps hold 112 to 224 points on average.

    So those of a series without gaps hold 128.
    """
    wanted = -(-_POINTS_A_CELL * (last - first + 1) // count)
    return min((wanted - 1).bit_length(), MAX_LEVEL)


def span_bits(level: int) -> int:
    """A pack of a level spans ``2**span_bits`` steps."""
    return level + PACK_BITS


def packed(cells: Cells, level: int) -> list[tuple[int, bytes]]:
    """The packs of cells of one level, each with its index: the steps it spans, shifted by :func:`span_bits`."""
    packs = []
    begin = 0
    numbers = [index >> PACK_BITS for index in cells.indices]
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] != numbers[begin]:
            packs.append((numbers[begin], _pack(cells.between(begin, end), level, numbers[begin])))
            begin = end
    return packs


def packs_of_points(columns: Columns, level: int) -> list[tuple[int, bytes]]:
    """The packs of a base level; the points of each pack are all of those that its range holds."""
    return packed(cells_of(columns, EqualBuckets(level)), level)


def packs_of_packs(lower: Iterable[bytes], level: int) -> list[tuple[int, bytes]]:
    """The packs of a higher level from those of the level below, given in the order of their indices."""
    return packed(merged(Cells.joined(map(unpacked, lower)), EqualBuckets(level)), level)


def _pack(cells: Cells, level: int, number: int) -> bytes:
    base = number << span_bits(level)
    step_code = next(code for code, bits in _STEP_CODES if span_bits(level) < bits)
    earliest = min(min(times) for _, _, times in cells.points)
    latest = max(max(times) for _, _, times in cells.points)
    time_code = "I" if latest - earliest < 1 << 32 else "Q"
    parts = [
        _HEAD.pack(_LAYOUT, level, step_code.encode(), time_code.encode(), len(cells.indices), number, earliest),
        bytes([index - (number << PACK_BITS) for index in cells.indices]),
        cells.marks.tobytes(),
        _bytes(array(step_code, cells.counts)),
    ]
    for steps, _, _ in cells.points:
        parts.append(_bytes(array(step_code, [step - base for step in steps])))
    for _, _, times in cells.points:
        parts.append(_bytes(array(time_code, [time - earliest for time in times])))
    parts += [_bytes(values[:]) for _, values, _ in cells.points]
    return b"".join(parts)


def unpacked(data: bytes | memoryview) -> Cells:
    """The cells of a pack."""
    _, level, step_letter, time_letter, count, number, earliest = _HEAD.unpack_from(data)
    base, first = number << span_bits(level), number << PACK_BITS
    view = memoryview(data)[_HEAD.size :]
    indices = array("q", [first + offset for offset in view[:count]])
    marks = array("B", view[count : 2 * count])
    step_code, time_code = step_letter.decode(), time_letter.decode()
    offset = 2 * count

    def column(code: str) -> "array[Any]":
        nonlocal offset
        taken: array[Any] = array(code)
        end = offset + count * taken.itemsize
        taken.frombytes(view[offset:end])
        if sys.byteorder != "little":
            taken.byteswap()
        offset = end
        return taken

    counts = array("q", column(step_code))
    steps = [array("q", [base + step for step in column(step_code)]) for _ in range(4)]
    times = [array("q", [earliest + time for time in column(time_code)]) for _ in range(4)]
    points = (Columns(*each) for each in zip(steps, [column("d") for _ in range(4)], times, strict=True))
    return Cells(indices, counts, marks, *points)


def _bytes(column: "array[int] | array[float]") -> bytes:
    if sys.byteorder != "little":
        column.byteswap()
    return column.tobytes()
