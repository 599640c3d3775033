"""Texts of others within Markdown, and values as people read them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pneumo_train.words import on_one_line

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")
_LONGEST = 2000


def plain(value: Any) -> str:
    """A value as Markdown that shows it and does nothing else: one line, no markup, not too long."""
    text = "not in the store" if value is None else on_one_line(spelled(value))
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    return _SPECIAL.sub(r"\\\1", text)


def spelled(value: Any) -> str:
    """Numbers with four digits, counts in thousands, lists by commas."""
    match value:
        case None:
            text = "none"
        case bool():
            text = "yes" if value else "no"
        case int():
            text = f"{value:,}"
        case float():
            text = f"{value:.4g}"
        case Mapping():
            text = ", ".join(f"{key} {spelled(each)}" for key, each in value.items())
        case list() | tuple():
            text = ", ".join(map(spelled, value))
        case _:
            text = str(value)
    return text


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; its cells are Markdown already."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]


def score(found: Mapping[str, float | None]) -> str:
    """``0.981 (0.972 to 0.989)``; without the interval where there is none."""
    value, low, high = (found.get(key) for key in ("value", "low", "high"))
    if value is None:
        return "no value"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f} to {high:.3f})"
