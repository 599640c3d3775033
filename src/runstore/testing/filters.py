"""Random filters, each as text and as a plain Python judgement of what it must find.

The judgement looks at the plain facts a run was made from; it calls neither the parser nor the reference evaluation.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final, NamedTuple

from runstore.testing.examples import (
    ARTIFACTS,
    KEYS,
    MISSING,
    NUMBERS,
    SERIES,
    START,
    TEXTS,
    Facts,
    duration_of,
    end_of,
)

STATISTICS: Final = ("", "last", "first", "min", "max", "count")
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Expression(NamedTuple):
    """A filter as text, whether it holds for a run, and whether it names ``archived``."""

    text: str
    holds: Callable[[Facts], bool]
    names_archived: bool = False

    def finds(self, run: Facts) -> bool:
        """Whether a search must find a run: what is deleted never, what is archived if that is asked for."""
        return self.holds(run) and not run.is_deleted and (self.names_archived or not run.is_archived)


class Term(NamedTuple):
    """A field as text, and a run's value of it."""

    text: str
    of: Callable[[Facts], Any]
    kind: str


# Filters


def some_filter(chance: Random, runs: Sequence[Facts], depth: int = 0) -> Expression:
    """A filter of any form; the deeper, the sooner it ends. Often it is none, which leaves more to put in order."""
    if not depth and chance.random() < 0.4:
        return Expression("", lambda _: True)
    form = chance.choice(("test", "test", "not", "and", "or")) if depth < 3 else "test"
    if form == "test":
        return _some_test(chance, runs)
    if form == "not":
        inner = some_filter(chance, runs, depth + 1)
        return Expression(f"not ({inner.text})", lambda run: not inner.holds(run), inner.names_archived)
    items = [some_filter(chance, runs, depth + 1) for _ in range(chance.choice((2, 2, 3)))]
    text = f" {form} ".join(f"({each.text})" for each in items)
    joined = all if form == "and" else any
    names_archived = any(each.names_archived for each in items)
    return Expression(text, lambda run: joined(each.holds(run) for each in items), names_archived)


def _some_test(chance: Random, runs: Sequence[Facts]) -> Expression:
    if chance.random() < 0.08:
        return _some_test_of_artifacts(chance)
    term = chance.choice(chance.choice((CONFIGS, METRICS, TEXT_TERMS, OTHER_TERMS)))
    forms = ["compare", "compare", "in", "null", *(["like", "like"] if term.kind in {"text", "status", "any"} else [])]
    match chance.choice(forms):
        case "compare":
            operators = ["!=", "="] if term.kind in {"boolean", "id"} else sorted(_OPERATORS)
            return _compare(term, chance.choice(operators), _some_literal(chance, term, runs))
        case "in":
            wanted = [_some_literal(chance, term, runs) for _ in range(chance.choice((1, 2, 3, 30)))]
            return _among(term, wanted, is_negated=chance.random() < 0.5)
        case "like":
            return _like(term, _some_pattern(chance, term, runs), is_negated=chance.random() < 0.5)
        case _:
            return _present(term, is_negated=chance.random() < 0.5)


def _some_test_of_artifacts(chance: Random) -> Expression:
    """A test that holds when it holds for one name; there is no negated one."""
    wanted = chance.sample(ARTIFACTS, chance.choice((1, 1, 3)))
    match chance.choice(("=", "in", "like", "null")):
        case "=":
            return Expression(f"artifact = {_quoted(wanted[0])}", lambda run: wanted[0] in run.artifacts)
        case "in":
            listed = ", ".join(map(_quoted, wanted))
            return Expression(f"artifact in ({listed})", lambda run: not run.artifacts.isdisjoint(wanted))
        case "like":
            parts = chance.choice(([*_exactly(wanted[0][:-3]), ("%", "%")], [("%", "%"), *_exactly(wanted[0][-4:])]))
            signs = [meant for _, meant in parts]
            pattern = _quoted("".join(written for written, _ in parts))
            return Expression(
                f"artifact like {pattern}", lambda run: any(_is_matched(name, signs) for name in run.artifacts)
            )
        case _:
            word = chance.choice(("", "not "))
            return Expression(f"artifact is {word}null", lambda run: bool(run.artifacts) == bool(word))


def some_order(chance: Random) -> list[str]:
    """An ordering of up to ten terms: often one with many equal values, which lets the next one decide."""
    if chance.random() < 0.3:
        terms = [chance.choice(OTHER_TERMS), chance.choice(METRICS + CONFIGS)]
    else:
        count = chance.choice((0, 1, 1, 1, 2, 2, 3, 10))
        terms = [chance.choice(chance.choice((CONFIGS, METRICS, TEXT_TERMS, OTHER_TERMS))) for _ in range(count)]
    return [term.text + chance.choice(("", " asc", " desc")) for term in terms]


def _some_literal(chance: Random, term: Term, runs: Sequence[Facts]) -> tuple[str, Any]:
    """A literal's text and value: mostly one that a run has."""
    found = [value for value in map(term.of, runs) if _is_literal(value)]
    match term.kind:
        case "time":
            value = chance.choice([*found, *found, START + timedelta(microseconds=chance.randint(-1, 2))])
        case "id":
            value = chance.choice([*found, "⟨9⟩"])
        case "boolean":
            value = chance.random() < 0.5
        case "status":
            value = chance.choice(("completed", "failed", "in_progress", "lost"))
        case "text":
            value = chance.choice([*found, *found, chance.choice(TEXTS)])
        case "number":
            value = chance.choice([*found, *found, chance.choice(_literals_among(NUMBERS))])
        case _:
            other = (chance.choice(TEXTS), chance.choice(_literals_among(NUMBERS)), chance.random() < 0.5)
            value = chance.choice([*found, *found, *other])
    return _written(value), value


def _is_literal(value: Any) -> bool:
    """Whether a value can be written in a filter; a text of the longest does not fit in."""
    if isinstance(value, str):
        return len(value) < 3000
    return isinstance(value, (bool, datetime)) or bool(_literals_among([value] if isinstance(value, float) else []))


def _literals_among(numbers: Sequence[float]) -> list[float]:
    return [float(number) for number in numbers if abs(number) <= 1.7976931348623157e308]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, datetime)):
        return _quoted(value if isinstance(value, str) else value.isoformat())
    return repr(value)


PatternParts = list[tuple[str, str]]
"""How each part is written, and what it is: ``%``, ``_`` or ``=`` and a character."""


def _some_pattern(chance: Random, term: Term, runs: Sequence[Facts]) -> PatternParts:
    """A pattern made from a text that a run has, so that it matches now and then; or one that asks for much trying."""
    found = [value for value in map(term.of, runs) if isinstance(value, str)]
    text = chance.choice([*found, chance.choice(TEXTS)])
    if len(text) > 40:
        shown = [("%", "%"), *_exactly(text[0])] * chance.choice((1, 5, 300))
        return [*shown, *chance.choice(([("%", "%")], [("%", "%"), *_exactly(text[-1])], _exactly("b")))]
    parts = []
    for written in _exactly(text):
        parts += chance.choices(
            ([written], [("_", "_")], [("%", "%")], [("%", "%"), written], [("%%_", "_%")]), weights=(8, 2, 1, 1, 1)
        )[0]
    return parts


def _exactly(text: str) -> PatternParts:
    return [(f"\\{character}" if character in "%_\\" else character, f"={character}") for character in text]


def _config_value(run: Facts, *, key: str) -> Any:
    value = run.config.get(key, MISSING)
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _series_value(run: Facts, *, series: tuple[str, str], stat: str) -> Any:
    return _statistic(run.points[series], stat)


CONFIGS: Final = tuple(Term(text, partial(_config_value, key=key), "any") for key, text in KEYS.items())
METRICS: Final = tuple(
    Term(f"{text}{stat and '.'}{stat}", partial(_series_value, series=series, stat=stat), "number")
    for series, text in SERIES.items()
    for stat in STATISTICS
)
TEXT_TERMS: Final = (
    Term("name", lambda run: MISSING if run.name is None else run.name, "text"),
    Term("source_path", lambda run: MISSING if run.path is None else run.path, "text"),
    Term("tag.owner", lambda run: run.tags.get("owner", MISSING), "text"),
    Term('tag."$a.b"', lambda run: run.tags.get("$a.b", MISSING), "text"),
    Term("note", lambda run: MISSING if run.note is None else run.note, "text"),
    Term("experiment", lambda run: run.experiment, "text"),
)
OTHER_TERMS: Final = (
    Term("training_mode", lambda run: run.mode, "text"),
    Term("status", lambda run: run.status, "status"),
    Term("client_id", lambda run: MISSING if run.client is None else run.client, "text"),
    Term("start_time", lambda run: run.start, "time"),
    Term("end_time", end_of, "time"),
    Term("attempt", lambda run: float(run.attempt), "number"),
    Term("duration", duration_of, "number"),
    Term("archived", lambda run: run.is_archived, "boolean"),
    Term("parent", lambda run: MISSING if run.parent is None else run.parent, "id"),
)


# Meaning


def _compare(term: Term, symbol: str, literal: tuple[str, Any]) -> Expression:
    written, wanted = literal
    return Expression(
        f"{term.text} {symbol} {written}",
        lambda run: _is_same_kind(term.of(run), wanted) and bool(_OPERATORS[symbol](term.of(run), wanted)),
        term.text == "archived",
    )


def _among(term: Term, wanted: list[tuple[str, Any]], *, is_negated: bool) -> Expression:
    word = "not in" if is_negated else "in"

    def holds(run: Facts) -> bool:
        value = term.of(run)
        comparable = [each for _, each in wanted if _is_same_kind(value, each)]
        return bool(comparable) and (value in comparable) != is_negated

    short = [each for each in wanted if len(each[0]) < 300] or wanted[:1]
    wanted = short
    text = f"{term.text} {word} ({', '.join(written for written, _ in wanted)})"
    return Expression(text, holds, term.text == "archived")


def _present(term: Term, *, is_negated: bool) -> Expression:
    def is_null(run: Facts) -> bool:
        value = term.of(run)
        return value is MISSING or value is None

    text = f"{term.text} is {'not ' if is_negated else ''}null"
    return Expression(text, lambda run: is_null(run) != is_negated, term.text == "archived")


def _like(term: Term, parts: PatternParts, *, is_negated: bool) -> Expression:
    signs = [sign for _, meant in parts for sign in (meant if meant[0] != "=" else [meant])]

    def holds(run: Facts) -> bool:
        value = term.of(run)
        return isinstance(value, str) and _is_matched(value, signs) != is_negated

    pattern = _quoted("".join(written for written, _ in parts))
    return Expression(f"{term.text} {'not ' if is_negated else ''}like {pattern}", holds)


def _is_matched(text: str, signs: Sequence[str]) -> bool:
    """Whether a text matches, by the table of which beginnings of the pattern fit which beginnings of the text."""
    fits = [True] + [False] * len(text)
    for sign in signs:
        if sign == "%":
            seen = False
            fits = [seen := seen or fit for fit in fits]
        else:
            fits = [
                False,
                *(fit and sign in {"_", f"={character}"} for fit, character in zip(fits, text, strict=False)),
            ]
    return fits[-1]


def _is_same_kind(value: Any, literal: Any) -> bool:
    if isinstance(value, float) and math.isnan(value):
        return False
    return _kind(value) == _kind(literal) and _kind(value) != "odd"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    for kinds, word in (((int, float), "number"), (str, "text"), (datetime, "time")):
        if isinstance(value, kinds):
            return word
    return "odd"


def _statistic(points: list[tuple[int, float]], stat: str) -> Any:
    if not points:
        return MISSING
    values = [value for _, value in points]
    finite = [value for value in values if math.isfinite(value)]
    match stat:
        case "count":
            return float(len(values))
        case "first":
            return values[0]
        case "min":
            return min(finite, default=MISSING)
        case "max":
            return max(finite, default=MISSING)
        case _:
            return values[-1]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
