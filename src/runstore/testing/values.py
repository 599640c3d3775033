"""Configs and summaries as plain values that compare bit for bit; they call nothing that a store calls."""

import math
from typing import Any

from runstore.model import SeriesSummary

Facts = tuple[int, tuple[int, str], tuple[int, str], tuple[int, str] | None, tuple[int, str] | None, int]
"""Count, first, last, min, max, and how many are not finite."""


def plain(value: Any) -> Any:
    """A config as values that are equal only if types and bits are: ``1``, ``1.0`` and ``True`` differ, NaN does not."""
    match value:
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case float():
            return ("float", "nan" if math.isnan(value) else value.hex())
        case _:
            return (type(value).__name__, value)


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """``new`` laid over ``old``, mappings key by key."""
    result = dict(old)
    for key, value in new.items():
        nested = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if nested else value
    return result


def facts_of(summary: SeriesSummary) -> Facts:
    """A summary as plain values that compare bit for bit."""
    return (
        summary.count,
        (summary.first.step, summary.first.value.hex()),
        (summary.last.step, summary.last.value.hex()),
        None if summary.min is None else (summary.min.step, summary.min.value.hex()),
        None if summary.max is None else (summary.max.step, summary.max.value.hex()),
        summary.non_finite_count,
    )


def expected_facts(points: list[tuple[int, float]]) -> Facts:
    """The same of points in step order, worked out the slow way."""
    finite = [(step, value) for step, value in points if math.isfinite(value)]
    least = min((value for _, value in finite), default=None)
    greatest = max((value for _, value in finite), default=None)
    return (
        len(points),
        (points[0][0], points[0][1].hex()),
        (points[-1][0], points[-1][1].hex()),
        next(((step, value.hex()) for step, value in finite if value == least), None),
        next(((step, value.hex()) for step, value in finite if value == greatest), None),
        len(points) - len(finite),
    )
