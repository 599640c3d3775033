"""The points of one call, checked and put in order: one batch of parallel columns for each series.

Nearly every point comes as the right types, so a quick loop takes those in; the first that does not sends the whole call
through :mod:`runstore.values.checks`, whose errors name the place and which turns numpy scalars and the like into numbers.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from runstore.model import DatasetType, MetricPoint, to_microseconds
from runstore.series.checked import Series, check_points, group_points, many_points
from runstore.values.checks import MAX_NAME_LENGTH, MAX_STEP


class Batch(NamedTuple):
    """Points of one series, their steps strictly ascending."""

    steps: list[int]
    values: list[float]
    moments_us: list[int]


Batches = dict[Series, Batch]
"""Batches in the order of name and dataset type, in which every writer takes its locks."""

_DATASET_TYPES = {str(kind): str(kind) for kind in DatasetType}


def batches_of(points: Iterable[MetricPoint], *, now_us: int) -> Batches:
    """The points of one call; within it, too, the last write of a step wins (MET.1).

    Raises:
        InvalidValueError: names the index and the field, as in ``points[3].value``.
    """
    if not isinstance(points, (list, tuple)):
        points = list(many_points(points))
    alone = _alone(points[0], now_us) if len(points) == 1 else None
    if alone is not None:
        return alone
    found = _quickly(points, now_us)
    if found is None:
        grouped = group_points(check_points(points, now_us=now_us))
        return {
            identity: Batch(list(stored), [value for value, _ in stored.values()], [us for _, us in stored.values()])
            for identity, stored in grouped.items()
        }
    return {identity: _in_order(found[identity]) for identity in sorted(found)}


def _alone(point: MetricPoint, now_us: int) -> Batches | None:
    """As :func:`_quickly`, for a call of one point, which is what most trainers make."""
    if not (
        type(point) is MetricPoint
        and type(point.step) is int
        and 0 <= point.step <= MAX_STEP
        and type(point.value) is float
        and point.logged_at is None
        and type(point.name) is str
        and is_plain_name(point.name)
        and isinstance(point.dataset_type, str)
        and point.dataset_type in _DATASET_TYPES
    ):
        return None
    return {(point.name, _DATASET_TYPES[point.dataset_type]): Batch([point.step], [point.value], [now_us])}


def _quickly(points: Sequence[MetricPoint], now_us: int) -> Batches | None:
    """The batches of points whose fields are of the plain types, as they came; ``None`` when one is not.

    Column by column, for the interpreter runs a comprehension and ``map`` several times as fast as a loop of statements.
    """
    steps, values = [], []
    if {MetricPoint}.issuperset(map(type, points)):
        steps, values = [point.step for point in points], [point.value for point in points]
    if not (len(steps) == len(points) and {int}.issuperset(map(type, steps)) and {float}.issuperset(map(type, values))):
        return None
    if steps and not 0 <= min(steps) <= max(steps) <= MAX_STEP:
        return None
    moments_us = _moments_of(points, now_us)
    identities = [(point.name, point.dataset_type) for point in points]
    try:
        known = {identity: (identity[0], _DATASET_TYPES[identity[1]]) for identity in set(identities)}
    except (KeyError, TypeError):  # unknown, or what cannot be hashed
        return None
    if moments_us is None or not all(type(name) is str and is_plain_name(name) for name, _ in known):
        return None
    period = len(known)
    if period and identities == identities[:period] * (len(identities) // period):  # in turn, as a loop logs them
        return {
            known[identity]: Batch(steps[place::period], values[place::period], moments_us[place::period])
            for place, identity in enumerate(identities[:period])
        }
    rows: dict[tuple[str, str], list[tuple[int, float, int]]] = {identity: [] for identity in known}
    for identity, row in zip(identities, zip(steps, values, moments_us, strict=True), strict=True):
        rows[identity].append(row)
    return {known[identity]: Batch(*map(list, zip(*found, strict=True))) for identity, found in rows.items()}


def _moments_of(points: Sequence[MetricPoint], now_us: int) -> list[int] | None:
    moments = [point.logged_at for point in points]
    if moments.count(None) == len(moments):
        return [now_us] * len(moments)
    if not all(moment is None or (type(moment) is datetime and moment.tzinfo is UTC) for moment in moments):
        return None
    return [now_us if moment is None else to_microseconds(moment) for moment in moments]


def is_plain_name(name: str) -> bool:
    """Whether a name keeps the rule without a closer look; any other is looked at by :mod:`runstore.values.checks`."""
    return name.isascii() and name.isprintable() and 0 < len(name) <= MAX_NAME_LENGTH


def _in_order(batch: Batch) -> Batch:
    steps = batch.steps
    if all(map(int.__lt__, steps, steps[1:])):
        return batch
    last_of_step = {step: place for place, step in enumerate(steps)}
    places = [last_of_step[step] for step in sorted(last_of_step)]
    return Batch(
        [steps[place] for place in places],
        [batch.values[place] for place in places],
        [batch.moments_us[place] for place in places],
    )
