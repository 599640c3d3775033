"""Points as stored: three packed columns a document; and how columns are cut and laid over each other.

A packed column is the little-endian 64-bit numbers one after the other: exactly what ``numpy.frombuffer(column, "<i8")``
(steps, times) or ``"<f8"`` (values) reads. Nothing is converted on the way, so every float64 keeps its bits (MET.3).
"""

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Final

from runstore.series import Columns
from runstore_mongo.documents.names import Document

_IS_BIG_ENDIAN: Final = sys.byteorder == "big"


def packed(columns: Columns) -> Document:
    """The fields that hold the columns, and how many points they are."""
    steps, values, times = columns
    if _IS_BIG_ENDIAN:
        steps, values, times = (_swapped(column) for column in columns)
    return {
        "count": len(columns.steps),
        "steps": steps.tobytes(),
        "values": values.tobytes(),
        "times": times.tobytes(),
    }


def packed_over(below: Document, above: Columns) -> Document:
    """As :func:`packed`, of packed points with others laid over them; unpacks only what overlaps."""
    if below["count"] and int.from_bytes(below["steps"][-8:], "little", signed=True) >= above.steps[0]:
        return packed(overlay(unpacked(below), above))
    new = packed(above)
    return {name: below[name] + column for name, column in new.items()}


def unpacked(*documents: Mapping[str, Any]) -> Columns:
    """The columns of stored documents, one after the other."""
    columns = Columns.empty()

    def fill(column: "array[Any]", name: str) -> None:
        column.frombytes(b"".join([document[name] for document in documents]))
        if _IS_BIG_ENDIAN:
            column.byteswap()

    fill(columns.steps, "steps")
    fill(columns.values, "values")
    fill(columns.logged_at_us, "times")
    return columns


def part(columns: Columns, start: int, end: int) -> Columns:
    """The points from one position up to another."""
    steps, values, times = columns
    return Columns(steps[start:end], values[start:end], times[start:end])


def within(columns: Columns, low: int, high: int) -> Columns:
    """The points whose steps lie in an inclusive range."""
    start, end = bisect_left(columns.steps, low), bisect_right(columns.steps, high)
    return columns if (start, end) == (0, len(columns.steps)) else part(columns, start, end)


def overlay(below: Columns, above: Columns) -> Columns:
    """All points of both; where both have a step, the one of ``above``."""
    if not above.steps or not below.steps:
        return below if below.steps else above
    if below.steps[-1] < above.steps[0]:
        return Columns.joined((below, above))
    start, end = bisect_left(below.steps, above.steps[0]), bisect_right(below.steps, above.steps[-1])
    points = {
        step: (value, moment)
        for side in (part(below, start, end), above)
        for step, value, moment in zip(*side, strict=True)
    }
    steps = sorted(points)
    middle = Columns(
        array("q", steps),
        array("d", [points[step][0] for step in steps]),
        array("q", [points[step][1] for step in steps]),
    )
    return Columns.joined((part(below, 0, start), middle, part(below, end, len(below.steps))))


def laid_over(parts: Iterable[Columns]) -> Columns:
    """Parts of a series, each laid over those before it."""
    ordered = [each for each in parts if each.steps]
    if all(left.steps[-1] < right.steps[0] for left, right in pairwise(ordered)):
        return Columns.joined(ordered)
    whole = Columns.empty()
    for each in ordered:
        whole = overlay(whole, each)
    return whole


def _swapped(column: "array[Any]") -> "array[Any]":
    column = column[:]
    column.byteswap()
    return column
