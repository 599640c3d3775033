"""Where the lowest and the highest values of the parts of a series lie: of each cell, as every write that rolls up asks.

A program that trains has numpy loaded nearly always, and then numpy looks; it is not loaded for this, and the answers are
the same without it, to the bit.
"""

import sys
from array import array
from itertools import pairwise
from math import inf, isfinite
from typing import Any, Final, NamedTuple

from runstore.charts import NonFinite

HAS_FINITE: Final = 8
"""The mark of a part in which a finite value occurs."""

_WORTH_NUMPY: Final = 64
"""Values a part from which on numpy is faster: a call of it costs as much as so many in Python."""


class Extremes(NamedTuple):
    """Of each part, by position in the whole.

    Attributes:
        lows: the first of the lowest finite values; where no value is finite, the first one.
        highs: the first of the highest.
        marks: :data:`HAS_FINITE` and the kinds of :class:`NonFinite`.
    """

    lows: list[int]
    highs: list[int]
    marks: "array[int]"


def extremes(values: "array[float]", bounds: list[int]) -> Extremes:
    """The extremes of the parts that begin and end at the bounds."""
    numpy = _loaded_numpy() if len(values) >= _WORTH_NUMPY * len(bounds) else None
    if numpy is not None:
        return _by_numpy(numpy, values, bounds)
    listed = values.tolist()  # each number made an object once: a third of the time
    is_finite = isfinite(sum(listed))
    lows, highs, marks = [], [], array("B")
    for begin, end in pairwise(bounds):
        part = listed[begin:end]
        low, high, mark = (part.index(min(part)), part.index(max(part)), HAS_FINITE) if is_finite else extremes_of(part)
        lows.append(begin + low)
        highs.append(begin + high)
        marks.append(mark)
    return Extremes(lows, highs, marks)


def _by_numpy(numpy: Any, values: "array[float]", bounds: list[int]) -> Extremes:
    low = high = numpy.frombuffer(values)
    parts, width = len(bounds) - 1, bounds[1]
    marks = array("B", [HAS_FINITE]) * parts
    is_finite = numpy.isfinite(low)
    if not is_finite.all():
        kinds = {
            HAS_FINITE: is_finite,
            NonFinite.NAN.value: numpy.isnan(low),
            NonFinite.POSITIVE_INFINITY.value: low == inf,
            NonFinite.NEGATIVE_INFINITY.value: low == -inf,
        }
        any_of_each = [mark * numpy.logical_or.reduceat(found, bounds[:-1]) for mark, found in kinds.items()]
        marks = array("B", sum(any_of_each).tolist())
        low, high = numpy.where(is_finite, low, inf), numpy.where(is_finite, high, -inf)
    if bounds == [*range(0, len(values) + 1, width)]:  # a series without gaps: all cells at once
        table, begins = (parts, width), numpy.arange(0, len(values), width)
        return Extremes(
            (low.reshape(table).argmin(1) + begins).tolist(), (high.reshape(table).argmax(1) + begins).tolist(), marks
        )
    return Extremes(
        [begin + int(low[begin:end].argmin()) for begin, end in pairwise(bounds)],
        [begin + int(high[begin:end].argmax()) for begin, end in pairwise(bounds)],
        marks,
    )


def extremes_of(values: list[float]) -> tuple[int, int, int]:
    """The positions of the lowest and the highest finite value, and the marks."""
    if isfinite(sum(values)):  # then all are, as nearly always: nothing is compared in Python, value by value
        return values.index(min(values)), values.index(max(values)), HAS_FINITE
    low = high = -1
    mark = 0
    for position, value in enumerate(values):
        if isfinite(value):
            mark |= HAS_FINITE
            if low < 0 or value < values[low]:
                low = position
            if high < 0 or value > values[high]:
                high = position
        elif value == inf:
            mark |= NonFinite.POSITIVE_INFINITY.value
        else:
            mark |= NonFinite.NEGATIVE_INFINITY.value if value == -inf else NonFinite.NAN.value
    return max(low, 0), max(high, 0), mark


def rises(times: "array[int]") -> bool:
    """Whether no time is lower than the one before it."""
    data = times.tobytes()
    if data == data[: times.itemsize] * len(times):  # logged by one call, as most points of a cell or of a batch
        return True
    numpy = _loaded_numpy() if len(times) >= _WORTH_NUMPY else None
    if numpy is not None:
        view = numpy.frombuffer(data, "q")
        return bool((view[1:] >= view[:-1]).all())
    listed = times.tolist()
    return listed == sorted(listed)


def _loaded_numpy() -> Any:
    """The numpy that this program uses; ``None`` without one, and while another thread is still loading it."""
    numpy = sys.modules.get("numpy")
    spec = getattr(numpy, "__spec__", None)
    return None if spec is None or getattr(spec, "_initializing", False) else numpy
