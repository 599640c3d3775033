"""The points of one call, checked (MET.4-6): side by side as the call gave them, and by series.

Nearly every point comes as the right types, so a quick look takes those in; the first that does not sends the whole
call through :mod:`runstore.values`, whose errors name the place and which turns numpy scalars and the like into numbers.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from runstore.errors import InvalidValueError
from runstore.model import MetricPoint, to_microseconds
from runstore.series.columns import Columns, Series, SeriesColumns
from runstore.values.checks import (
    MAX_STEP,
    check_dataset_type,
    check_name,
    check_number,
    check_step,
    check_time,
    shown,
)

_MOST_KNOWN: Final = 20_000
_known: dict[tuple[str, str], Series] = {}
"""Series whose names were checked, by what callers gave: a program logs the same few again and again."""


class Points(Struct, frozen=True, gc=False):
    """Checked points in the order of a call, as parallel columns.

    Attributes:
        series: the name and the dataset type of each point.
        steps: from 0 to 2**63 - 1.
        values: float64.
        logged_at_us: microseconds since 1970 UTC, of each point; or the one moment of all, which is that of the call.
    """

    series: list[Series]
    steps: list[int]
    values: list[float]
    logged_at_us: int | list[int]

    @property
    def moments(self) -> list[int]:
        """When each point was logged."""
        given = self.logged_at_us
        return [given] * len(self.steps) if isinstance(given, int) else given

    def part(self, start: int, stop: int) -> "Points":
        """The points from one place in the order to another."""
        return Points(
            self.series[start:stop], self.steps[start:stop], self.values[start:stop], self.moments[start:stop]
        )

    def by_series(self) -> SeriesColumns:
        """The points of each series in the order of their steps; of a step that comes twice the last counts (MET.1)."""
        if len(self.series) == 1:
            return {self.series[0]: Columns(array("q", self.steps), array("d", self.values), array("q", self.moments))}
        distinct = dict.fromkeys(self.series)
        turn = len(distinct)
        is_in_turn = turn > 0 and self.series == [*distinct] * (len(self.series) // turn)  # as a loop logs them
        if is_in_turn and all(map(int.__lt__, self.steps, self.steps[turn:])):
            return self._of_turns(distinct)
        found: dict[Series, list[int]] = {one: [] for one in sorted(distinct)}
        for index, one in enumerate(self.series):
            found[one].append(index)
        moments = self.moments
        return {one: self._at(indices, moments) for one, indices in found.items()}

    def _of_turns(self, distinct: Iterable[Series]) -> SeriesColumns:
        """As :meth:`by_series`, where each series comes once in every turn, and its steps ascend."""
        steps, values, given = array("q", self.steps), array("d", self.values), self.logged_at_us
        moments = array("q", [given]) * len(steps) if isinstance(given, int) else array("q", given)
        order = sorted((one, first) for first, one in enumerate(distinct))
        turn = len(order)
        return {one: Columns(steps[first::turn], values[first::turn], moments[first::turn]) for one, first in order}

    def _at(self, indices: list[int], moments: list[int]) -> Columns:
        steps = list(map(self.steps.__getitem__, indices))
        if not all(map(int.__lt__, steps, steps[1:])):
            last = dict(zip(steps, indices, strict=True))
            steps = sorted(last)
            indices = [last[step] for step in steps]
        values = list(map(self.values.__getitem__, indices))
        return Columns(array("q", steps), array("d", values), array("q", list(map(moments.__getitem__, indices))))


def check_points(points: Iterable[MetricPoint], *, now_us: int) -> Points:
    """The points of one call.

    Args:
        points: any iterable; it is read once.
        now_us: stands in for a ``logged_at`` of ``None``.

    Raises:
        InvalidValueError: names the index and the field, as in ``points[3].value``.
    """
    given = points if type(points) is list else list(several(points))
    known, last = _known, MAX_STEP
    try:
        if len(given) == 1:  # what most trainers log: without lists to fill
            point = given[0]
            if (
                type(point) is MetricPoint
                and type(value := point.value) is float
                and type(step := point.step) is int
                and 0 <= step <= last
                and point.logged_at is None
            ):
                return Points([known[point.name, point.dataset_type]], [step], [value], now_us)
        series, steps, values = [], [], []
        for point in given:
            if (
                type(point) is not MetricPoint
                or type(value := point.value) is not float
                or type(step := point.step) is not int
                or not 0 <= step <= last
                or point.logged_at is not None
            ):
                return _checked(given, now_us)
            series.append(known[point.name, point.dataset_type])
            steps.append(step)
            values.append(value)
    except (KeyError, TypeError):  # a name not seen before, or something that is no name
        return _checked(given, now_us)
    return Points(series, steps, values, now_us)


def _checked(given: Sequence[MetricPoint], now_us: int) -> Points:
    series: list[Series] = []
    steps: list[int] = []
    values: list[float] = []
    moments: list[int] = []
    for index, point in enumerate(given):
        if not isinstance(point, MetricPoint):
            raise no_point(point, index)
        series.append(_series_of(point, index))
        step, value = point.step, point.value
        if type(step) is not int or not 0 <= step <= MAX_STEP:  # a text that names the place costs more than to look
            step = check_step(step, f"points[{index}].step")
        if type(value) is not float:
            value = check_number(value, f"points[{index}].value")
        steps.append(step)
        values.append(value)
        moments.append(_moment_of(point, index, now_us))
    return Points(series, steps, values, moments)


def _series_of(point: MetricPoint, index: int) -> Series:
    name, kind = point.name, point.dataset_type
    if type(name) is str and isinstance(kind, str) and (known := _known.get((name, kind))) is not None:
        return known
    series = (check_name(name, f"points[{index}].name"), check_dataset_type(kind, f"points[{index}].dataset_type"))
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    return _known.setdefault(series, series)


def _moment_of(point: MetricPoint, index: int, now_us: int) -> int:
    moment = point.logged_at
    if moment is None:
        return now_us
    if type(moment) is datetime and moment.tzinfo is UTC:  # the usual case, several times as fast
        return to_microseconds(moment)
    return check_time(moment, f"points[{index}].logged_at")


def several(points: Iterable[MetricPoint]) -> Iterable[MetricPoint]:
    """The points, if they are several; if not, an error that says how to give them."""
    if isinstance(points, MetricPoint):
        raise InvalidValueError("points is one MetricPoint; give a list, though it holds one point: [point]")
    found = f"points is {shown(points)} of type {type(points).__name__}"
    if isinstance(points, Mapping):
        raise InvalidValueError(
            f"{found}; give a list with a MetricPoint for each name: "
            "[MetricPoint(name=name, value=value, step=step) for name, value in metrics.items()]"
        )
    try:
        if not isinstance(points, str):
            return iter(points)
    except TypeError:  # also an array without a dimension, which says that it can be gone through
        pass
    raise InvalidValueError(f"{found}; give a list of MetricPoint")


def no_point(found: object, index: int) -> InvalidValueError:
    """The error for what is no point."""
    return InvalidValueError(
        f"points[{index}] is {shown(found)} of type {type(found).__name__}; give a MetricPoint: "
        "MetricPoint(name='loss', value=0.5, step=3)"
    )
