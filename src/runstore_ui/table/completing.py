"""What may stand at a place in a filter: fields in use, their values, and the words between them."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from runstore.errors import QueryError
from runstore.protocol import RunReader
from runstore.query import ATTRIBUTES, Metric, parse_field, parse_filter
from runstore_ui.keys import Keys

_MOST: Final = 20
_TEXT: Final = r"'(?:[^']|'')*+'"
"""A text in a filter. What it has taken it does not give back: else each pair of quotes would double the ways to read it."""
_FIELD: Final = r"(?P<field>[^\W\d]\w*(?:\.(?:[\w/@:%+-]+|\"(?:[^\"]|\"\")*+\"))*)"
_VALUE: Final = re.compile(
    rf"{_FIELD}\s*(?:=|!=|<=|>=|<|>|\s(?:not\s+)?like\b|\s(?:not\s+)?in\s*\((?:[^()']|{_TEXT})*?)\s*"
    r"(?P<typed>'(?:[^']|'')*+|[\w.+-]*)$",
    re.IGNORECASE,
)
_AFTER_FIELD: Final = re.compile(rf"(?:^|[\s(]){_FIELD}\s+(?P<typed>[=!<>a-z]*)$", re.IGNORECASE)
_WORD: Final = re.compile(r"[\w./@:%+\"-]*$")
_OPERATORS: Final = ("=", "!=", "<", "<=", ">", ">=", "in (", "like '", "is null", "is not null")
_WORDS: Final = frozenset({"and", "or", "not", "in", "like", "is", "null", "true", "false"})


class Offer(Struct, frozen=True, kw_only=True):
    """What may stand there.

    Attributes:
        text: it.
        note: what it is, or how many runs have it.
    """

    text: str
    note: str = ""


class Completion(Struct, frozen=True, kw_only=True):
    """What may stand in place of the text from ``start`` up to where the caret is."""

    start: int
    offers: Sequence[Offer]


def complete(reader: RunReader, keys: Keys, text: str, *, experiment_id: str | None) -> Completion:
    """What may come at the end of a text.

    Args:
        reader: the store.
        keys: its keys.
        text: the filter up to the caret.
        experiment_id: only what runs of this experiment have.
    """
    if text.count("'") % 2 == 0 and text.rstrip() != text and _is_whole(text):
        return Completion(start=len(text), offers=[Offer(text="and "), Offer(text="or ")])
    value = _VALUE.search(text)
    if value is not None and value["field"].lower() not in _WORDS:
        return Completion(
            start=value.start("typed"), offers=_values(reader, value["field"], value["typed"], experiment_id)
        )
    after = _AFTER_FIELD.search(text)
    if after is not None and after["field"].lower() not in _WORDS and _is_field(after["field"]):
        typed = after["typed"].lower()
        offers = [
            Offer(text=f"{each} " if each[-1] not in "('l" else each) for each in _OPERATORS if each.startswith(typed)
        ]
        return Completion(start=after.start("typed"), offers=offers)
    word = _WORD.search(text)
    start = len(text) if word is None else word.start()
    return Completion(start=start, offers=_fields(keys, text[start:], experiment_id))


def _fields(keys: Keys, typed: str, experiment_id: str | None) -> list[Offer]:
    attributes = [Offer(text=f"{name} ", note="of each run") for name in ATTRIBUTES if name.startswith(typed.lower())]
    stem, statistic = _without_statistic(typed)
    found = keys.find(stem, experiment_id=experiment_id, limit=_MOST).keys
    texts = {
        f"{key.field}.{stat} " if stat else f"{key.field} ": key.runs
        for key in found
        for stat in (_statistics(statistic) if isinstance(parse_field(key.field, "a key"), Metric) else ("",))
    }
    offers = [Offer(text=text, note=f"{runs:,} run{'' if runs == 1 else 's'}") for text, runs in texts.items()]
    return [*attributes, *offers][:_MOST] if typed else [*attributes[:6], *offers][:_MOST]


def _without_statistic(typed: str) -> tuple[str, str]:
    """``metric.validation.auroc.ma`` is a metric's field and the beginning of a statistic."""
    stem, dot, last = typed.rpartition(".")
    is_statistic = typed.startswith("metric.") and stem.count(".") > 1 and any(_statistics(last)) and dot
    return (stem, last) if is_statistic else (typed, "")


def _statistics(typed: str) -> tuple[str, ...]:
    return tuple(each for each in ("max", "min", "last", "first", "count") if each.startswith(typed.lower()))


def _values(reader: RunReader, field: str, typed: str, experiment_id: str | None) -> list[Offer]:
    prefix = typed[1:].replace("''", "'") if typed.startswith("'") else None
    try:
        values = reader.list_values(field, experiment_id=experiment_id, prefix=prefix, limit=_MOST)
    except QueryError:  # nearly every run has a value of its own, or the field is none
        return []
    return [
        Offer(text=f"{each.literal} ", note=f"{each.runs:,} run{'' if each.runs == 1 else 's'}")
        for each in values
        if typed.startswith("'") or each.literal.lower().lstrip("'").startswith(typed.lower())
    ]


def _is_field(text: str) -> bool:
    try:
        parse_field(text, "a field")
    except QueryError:
        return False
    return True


def _is_whole(text: str) -> bool:
    try:
        return parse_filter(text) is not None
    except QueryError:
        return False
