"""What a session does with arguments that break a rule: one bad part is left out, named, and takes no other with it."""

import os
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, Generic, NamedTuple, TypeVar

from runstore.errors import InvalidValueError
from runstore.model import MetricPoint
from runstore.series.points import check_points, no_point, several
from runstore.values.checks import shown
from runstore.values.config import ConfigDocument

GoodT = TypeVar("GoodT")


class Refused(NamedTuple):
    """A part that cannot be stored.

    Attributes:
        what: names it, the same for all parts of its kind.
        reason: the rule that it breaks.
    """

    what: str
    reason: str


class SortedOut(NamedTuple, Generic[GoodT]):
    """The parts of one call.

    Attributes:
        good: what can be stored.
        refused: what cannot.
        error: the last refusal; ``None`` where all is good.
    """

    good: GoodT
    refused: list[Refused]
    error: InvalidValueError | None


def check_kind_of_points(points: Iterable[MetricPoint]) -> list[MetricPoint]:
    """The points, read once.

    Raises:
        InvalidValueError: this holds something else than points; says how to make some.
    """
    kept = list(points if type(points) is list else several(points))  # the usual case, a microsecond faster
    for index, point in enumerate(kept):
        if type(point) is not MetricPoint and not isinstance(point, MetricPoint):
            raise no_point(point, index)
    return kept


def sort_points(points: Iterable[MetricPoint]) -> SortedOut[list[MetricPoint]]:
    """The points that can be stored, and those that break a rule; see :func:`runstore.series.check_points`."""
    good: list[MetricPoint] = []
    refused: list[Refused] = []
    last: InvalidValueError | None = None
    for point in points:
        try:
            check_points([point], now_us=0)
        except InvalidValueError as error:
            field, _, reason = str(error).removeprefix("points[0].").partition(" ")
            refused.append(Refused(f"metric {shown(point.name)}, whose {field} breaks a rule,", f"{field} {reason}"))
            last = error
        else:
            good.append(point)
    return SortedOut(good, refused, last)


def sort_config(config: Mapping[str, Any]) -> SortedOut[dict[str, Any]]:
    """The keys that can be stored, with their values as they are now, and those that break a rule.

    Raises:
        InvalidValueError: this is no mapping.
    """
    try:
        return SortedOut(ConfigDocument.checked(config).values, [], None)
    except InvalidValueError as error:
        if not isinstance(config, Mapping):
            raise
        whole = error
    good: dict[str, Any] = {}
    refused: list[Refused] = []
    for key, value in config.items():
        try:
            good |= ConfigDocument.checked({key: value}).values
        except InvalidValueError as error:
            refused.append(Refused(f"config {shown(key)}", str(error)))
    if not refused:  # each is good alone, but not all together
        return SortedOut({}, [Refused("this config", str(whole))], whole)
    return SortedOut(good, refused, whole)


def require_path(path: str | PathLike[str]) -> str | PathLike[str]:
    """The path, if it is a text or a path.

    Raises:
        InvalidValueError: it is something else.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidValueError(
            f"path is {shown(path)} of type {type(path).__name__}; give the path of a file or a folder"
        )
    return path
