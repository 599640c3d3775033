"""Generated runs and filters, each filter as text and as a plain Python judgement of what it must find.

The judgement looks at the plain facts a run was made from; it calls neither the parser nor the reference evaluation.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from runstore.protocol import BackendStore
from runstore.testing.bench import point

START: Final = datetime(2026, 7, 1, tzinfo=UTC)
MISSING: Final = object()
"""What a run has not. ``None`` is a config's null, which is something else."""

KEYS: Final = {
    "lr": "config.lr",
    "depth": "config.depth",
    "a.b": 'config."a.b"',
    "$set": 'config."$set"',
    "opt.name": "config.opt.name",
}
SERIES: Final = {("auroc", "validation"): "metric.validation.auroc", ("odd/na me", "train"): 'metric.train."odd/na me"'}
TEXTS: Final = ("Adam", "adam", "A%", "a_b", "", "18", "true", "ä", "x'y", "\\", "null")
NUMBERS: Final = (0, -0.0, 1, 1.0, 18, 0.1, 1e-3, -5, 2**53 + 1, 1e300, math.nan, math.inf, -math.inf)
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Facts(NamedTuple):
    """What one run is made from."""

    name: str | None
    mode: str
    start_minute: int
    tags: dict[str, str]
    config: dict[str, Any]
    points: dict[tuple[str, str], list[tuple[int, float]]]
    status: str | None


class Expression(NamedTuple):
    """A filter as text, and whether a run must be found by it."""

    text: str
    holds: Callable[[Facts], bool]


class Term(NamedTuple):
    """A field as text, and a run's value of it."""

    text: str
    of: Callable[[Facts], Any]
    kind: str


# Runs


def facts() -> st.SearchStrategy[Facts]:
    """Runs whose values meet, in kind and in number."""
    value: st.SearchStrategy[Any] = (
        st.sampled_from(TEXTS) | st.sampled_from(NUMBERS) | st.booleans() | st.none() | st.just([1]) | st.just({})
    )
    history = st.dictionaries(st.integers(0, 5), st.sampled_from(NUMBERS).map(float), max_size=4)
    return st.builds(
        Facts,
        name=st.none() | st.sampled_from([text for text in TEXTS if text]),
        mode=st.sampled_from(["centralized", "federated"]),
        start_minute=st.integers(0, 3),
        tags=st.dictionaries(st.sampled_from(["owner", "$a.b"]), st.sampled_from(TEXTS), max_size=2),
        config=st.dictionaries(st.sampled_from(sorted(KEYS)), value, max_size=4),
        points=st.fixed_dictionaries({series: history.map(lambda points: sorted(points.items())) for series in SERIES}),
        status=st.sampled_from([None, "completed", "failed", "interrupted"]),
    )


def write(store: BackendStore, experiment_id: str, run_id: str, run: Facts) -> None:
    """Makes the run in a store."""
    store.ensure_run(
        experiment_id,
        run_id=run_id,
        name=run.name,
        training_mode=run.mode,
        tags=run.tags,
        start_time=START + timedelta(minutes=run.start_minute),
    )
    config = {key: value for key, value in run.config.items() if key != "opt.name"}
    if "opt.name" in run.config:
        config["opt"] = {"name": run.config["opt.name"]}
    store.log_config(run_id, config)
    for (name, kind), points in run.points.items():
        store.log_metrics(run_id, [point(name, step, value, kind) for step, value in points])
    if run.status is not None:
        store.finalize(run_id, run.status)


# Filters


def expressions() -> st.SearchStrategy[Expression]:
    """Filters of every form, nested."""
    return st.recursive(comparisons(), _combined, max_leaves=5)


@cache
def comparisons() -> st.SearchStrategy[Expression]:
    """Filters of one test."""
    return terms().flatmap(
        lambda term: st.one_of(
            st.builds(_compare, st.just(term), st.sampled_from(sorted(_OPERATORS)), literals(term.kind)),
            st.builds(_among, st.just(term), st.lists(literals(term.kind), min_size=1, max_size=3), st.booleans()),
            st.builds(_present, st.just(term), st.booleans()),
            *(
                [st.builds(_like, st.just(term), patterns(), st.booleans())]
                if term.kind in {"text", "status", "any"}
                else []
            ),
        )
    )


@cache
def terms() -> st.SearchStrategy[Term]:
    """Fields of every kind."""
    configs = [Term(text, partial(_config_value, key=key), "any") for key, text in KEYS.items()]
    metrics = [
        Term(
            f"{text}{stat and '.'}{stat}",
            partial(_series_value, series=series, stat=stat),
            "number",
        )
        for series, text in SERIES.items()
        for stat in ("", "last", "first", "min", "max", "count")
    ]
    attributes = [
        Term("name", lambda run: MISSING if run.name is None else run.name, "text"),
        Term("training_mode", lambda run: run.mode, "text"),
        Term("status", lambda run: run.status or "in_progress", "status"),
        Term("client_id", lambda _: MISSING, "text"),
        Term("tag.owner", lambda run: run.tags.get("owner", MISSING), "text"),
        Term('tag."$a.b"', lambda run: run.tags.get("$a.b", MISSING), "text"),
        Term("start_time", lambda run: START + timedelta(minutes=run.start_minute), "time"),
        Term("attempt", lambda _: 1, "number"),
    ]
    return st.sampled_from(configs) | st.sampled_from(metrics) | st.sampled_from(attributes)


@cache
def literals(kind: str) -> st.SearchStrategy[tuple[str, Any]]:
    """A literal's text and value."""
    texts = st.sampled_from((*TEXTS, "centralized")).map(lambda text: (_quoted(text), text))
    finite = [number for number in NUMBERS if math.isfinite(number)]
    numbers = st.sampled_from(finite).map(lambda number: (repr(number), float(number)))
    times = (
        st.integers(-1, 4)
        .map(lambda minute: START + timedelta(minutes=minute))
        .map(lambda at: (_quoted(at.isoformat()), at))
    )
    booleans = st.booleans().map(lambda value: (str(value).lower(), value))
    statuses = st.sampled_from(("completed", "failed", "in_progress", "lost")).map(lambda text: (_quoted(text), text))
    kinds = {"text": texts, "number": numbers, "time": times, "status": statuses, "any": texts | numbers | booleans}
    return kinds[kind]


@cache
def patterns() -> st.SearchStrategy[list[tuple[str, str]]]:
    """A pattern in parts: how each is written, and as a regular expression."""
    special = [("%", ".*"), ("_", "."), ("\\%", "%"), ("\\_", "_"), ("\\\\", "\\\\")]
    plain = [(character, re.escape(character)) for character in "Aadmxyä1."]
    return st.lists(st.sampled_from(special + plain), max_size=4)


def orders() -> st.SearchStrategy[list[str]]:
    """Orderings of up to two fields."""
    order = st.builds(lambda term, direction: term.text + direction, terms(), st.sampled_from(["", " asc", " desc"]))
    return st.lists(order, max_size=2)


# Meaning


def _compare(term: Term, symbol: str, literal: tuple[str, Any]) -> Expression:
    written, wanted = literal
    return Expression(
        f"{term.text} {symbol} {written}",
        lambda run: _is_same_kind(term.of(run), wanted) and bool(_OPERATORS[symbol](term.of(run), wanted)),
    )


def _among(term: Term, wanted: list[tuple[str, Any]], is_negated: bool) -> Expression:  # noqa: FBT001 - drawn
    word = "not in" if is_negated else "in"

    def holds(run: Facts) -> bool:
        value = term.of(run)
        comparable = [each for _, each in wanted if _is_same_kind(value, each)]
        return bool(comparable) and (value in comparable) != is_negated

    return Expression(f"{term.text} {word} ({', '.join(written for written, _ in wanted)})", holds)


def _present(term: Term, is_negated: bool) -> Expression:  # noqa: FBT001 - drawn
    def is_null(run: Facts) -> bool:
        value = term.of(run)
        return value is MISSING or value is None

    return Expression(f"{term.text} is {'not ' if is_negated else ''}null", lambda run: is_null(run) != is_negated)


def _like(term: Term, parts: list[tuple[str, str]], is_negated: bool) -> Expression:  # noqa: FBT001 - drawn
    matcher = re.compile("".join(regex for _, regex in parts), re.DOTALL)

    def holds(run: Facts) -> bool:
        value = term.of(run)
        return isinstance(value, str) and bool(matcher.fullmatch(value)) != is_negated

    pattern = _quoted("".join(written for written, _ in parts))
    return Expression(f"{term.text} {'not ' if is_negated else ''}like {pattern}", holds)


def _combined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    negated = inner.map(lambda each: Expression(f"not ({each.text})", lambda run: not each.holds(run)))
    several = st.lists(inner, min_size=2, max_size=3)
    both = several.map(
        lambda items: Expression(
            " and ".join(f"({each.text})" for each in items), lambda run: all(each.holds(run) for each in items)
        )
    )
    either = several.map(
        lambda items: Expression(
            " or ".join(f"({each.text})" for each in items), lambda run: any(each.holds(run) for each in items)
        )
    )
    return negated | both | either


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


def _config_value(run: Facts, *, key: str) -> Any:
    return _leaf(run.config.get(key, MISSING))


def _series_value(run: Facts, *, series: tuple[str, str], stat: str) -> Any:
    return _statistic(run.points[series], stat)


def _leaf(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


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
