"""Points as three packed columns, and how columns are laid over each other.

A column is the little-endian 64-bit numbers one after the other: exactly what ``numpy.frombuffer(column, "<i8")``
(steps, times) or ``"<f8"`` (values) reads. Nothing is converted on the way, so every float64 keeps its bits (MET.3).
"""

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from runstore.series.batches import Batch

_IS_BIG_ENDIAN: Final = sys.byteorder == "big"


class Columns(NamedTuple):
    """Points of one series in step order."""

    steps: "array[int]"
    values: "array[float]"
    times: "array[int]"

    def within(self, low: int, high: int) -> "Columns":
        """The points whose steps lie in an inclusive range."""
        start, end = bisect_left(self.steps, low), bisect_right(self.steps, high)
        return self if (start, end) == (0, len(self.steps)) else self.part(start, end)

    def part(self, start: int, end: int) -> "Columns":
        """The points from one position up to another."""
        return Columns(self.steps[start:end], self.values[start:end], self.times[start:end])

    def to_document(self) -> dict[str, Any]:
        """As stored."""
        return {"steps": _packed(self.steps), "values": _packed(self.values), "times": _packed(self.times)}


def empty() -> Columns:
    """No points."""
    return Columns(array("q"), array("d"), array("q"))


def of_batch(batch: Batch) -> Columns:
    """The columns of the points of one call."""
    return Columns(array("q", batch.steps), array("d", batch.values), array("q", batch.moments_us))


def of_points(points: Mapping[int, tuple[float, int]]) -> Columns:
    """The columns of ``step → (value, time)``, given in step order."""
    return Columns(
        array("q", points),
        array("d", [value for value, _ in points.values()]),
        array("q", [moment for _, moment in points.values()]),
    )


def of_documents(documents: Iterable[Mapping[str, Any]]) -> Columns:
    """The columns of stored documents, one after the other."""
    documents = list(documents)

    def joined(column: "array[Any]", name: str) -> "array[Any]":
        column.frombytes(b"".join([document[name] for document in documents]))
        if _IS_BIG_ENDIAN:
            column.byteswap()
        return column

    return Columns(joined(array("q"), "steps"), joined(array("d"), "values"), joined(array("q"), "times"))


def overlay(below: Columns, above: Columns) -> Columns:
    """All points of both; where both have a step, the one of ``above``."""
    if not above.steps or not below.steps:
        return below if below.steps else above
    if below.steps[-1] < above.steps[0]:
        return Columns(below.steps + above.steps, below.values + above.values, below.times + above.times)
    start, end = bisect_left(below.steps, above.steps[0]), bisect_right(below.steps, above.steps[-1])
    points = {
        step: (value, moment)
        for part in (below.part(start, end), above)
        for step, value, moment in zip(*part, strict=True)
    }
    middle = of_points(dict(sorted(points.items())))
    head, tail = below.part(0, start), below.part(end, len(below.steps))
    return Columns(
        head.steps + middle.steps + tail.steps,
        head.values + middle.values + tail.values,
        head.times + middle.times + tail.times,
    )


def _packed(column: "array[Any]") -> bytes:
    if _IS_BIG_ENDIAN:
        column = column[:]
        column.byteswap()
    return column.tobytes()
