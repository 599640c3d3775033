"""Points as a call gives them, checked (MET.4-6)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from runstore.errors import InvalidValueError
from runstore.model import DatasetType, MetricPoint, to_microseconds
from runstore.values.checks import MAX_STEP, check_dataset_type, check_name, check_number, check_step, check_time, shown

_DATASET_TYPES = {str(kind): str(kind) for kind in DatasetType}


class CheckedPoint(NamedTuple):
    """A point whose every field is canonical: what a backend stores."""

    name: str
    dataset_type: str
    step: int
    value: float
    logged_at_us: int


class CheckedPoints(list[CheckedPoint]):
    """Points that were checked when a recorder accepted them: :func:`check_points` gives them back as they are.

    To be read by position only: the recorder fills it with plain tuples, which are made in half the time.
    """


Series = tuple[str, str]
"""``(name, dataset_type)``."""

StoredValue = tuple[float, int]
"""``(value, logged_at_us)``."""


def check_points(points: Iterable[MetricPoint], *, now_us: int) -> list[CheckedPoint]:
    """The points of one call in canonical form, in the order given (MET.4-6).

    Args:
        points: any iterable; it is read once.
        now_us: stands in for a ``logged_at`` of ``None``.

    Raises:
        InvalidValueError: names the index and the field, as in ``points[3].value``.
    """
    if isinstance(points, CheckedPoints):
        return points
    checked: list[CheckedPoint] = []
    seen: set[str] = set()
    for index, point in enumerate(many_points(points)):
        if not isinstance(point, MetricPoint):
            raise InvalidValueError(
                f"points[{index}] is {shown(point)} of type {type(point).__name__}; give a MetricPoint: "
                "MetricPoint(name='loss', value=0.5, step=3)"
            )
        name, value, step, kind, moment = point.name, point.value, point.step, point.dataset_type, point.logged_at
        if type(name) is not str or name not in seen:
            name = check_name(name, f"points[{index}].name")
            seen.add(name)
        if type(value) is not float:
            value = check_number(value, f"points[{index}].value")
        if type(step) is not int or not 0 <= step <= MAX_STEP:
            step = check_step(step, f"points[{index}].step")
        known = _DATASET_TYPES.get(kind) if isinstance(kind, str) else None
        if known is None:
            known = check_dataset_type(kind, f"points[{index}].dataset_type")
        if moment is None:
            moment_us = now_us
        elif type(moment) is datetime and moment.tzinfo is UTC:  # the usual case, several times as fast
            moment_us = to_microseconds(moment)
        else:
            moment_us = check_time(moment, f"points[{index}].logged_at")
        checked.append(CheckedPoint(name, known, step, value, moment_us))
    return checked


def many_points(points: Iterable[MetricPoint]) -> Iterable[MetricPoint]:
    """The points, if they are several; if not, an error that says how to give them."""
    if type(points) is list:  # the usual case
        return points
    if isinstance(points, MetricPoint):
        raise InvalidValueError("points is one MetricPoint; give a list, though it holds one point: [point]")
    found = f"points is {shown(points)} of type {type(points).__name__}"
    if isinstance(points, Mapping):
        raise InvalidValueError(
            f"{found}; give a list with a MetricPoint for each name: "
            "[MetricPoint(name=name, value=value, step=step) for name, value in metrics.items()]"
        )
    if isinstance(points, str) or not isinstance(points, Iterable):
        raise InvalidValueError(f"{found}; give a list of MetricPoint")
    return points


def group_points(points: Iterable[CheckedPoint]) -> dict[Series, dict[int, StoredValue]]:
    """The points by series and step; within one call, too, the last write wins (MET.1).

    Series come in order of their name and dataset type and steps ascend, so that every writer takes its locks in the
    same order and appends run forward.
    """
    groups: dict[Series, dict[int, StoredValue]] = {}
    for name, kind, step, value, moment in points:
        groups.setdefault((name, kind), {})[step] = (value, moment)
    return {series: dict(sorted(groups[series].items())) for series in sorted(groups)}
