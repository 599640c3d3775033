"""What a filter and an ordering mean (READ.1-3), evaluated in Python.

The memory store answers with these functions; a backend without a query language of its own may do the same. Backends
that translate the tree are compared with them by the conformance kit.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any, Final

from runstore.model import Run, SeriesSummary, to_microseconds
from runstore.query.patterns import like_matcher
from runstore.query.tree import (
    MAX_SORTED_LENGTH,
    And,
    ArtifactName,
    Attribute,
    Compare,
    ConfigKey,
    Field,
    In,
    Like,
    Literal,
    Metric,
    Node,
    Not,
    Or,
    Order,
    Present,
    Rank,
    Tag,
)
from runstore.values.config import ConfigDocument


class Odd(Enum):
    """Values that no literal equals."""

    MISSING = "missing"
    NULL = "null"
    OTHER = "list or empty mapping"


Value = bool | float | str | int | Odd | frozenset[str]
"""A field's value in one run; a set for the names of its artifacts."""
Lookup = Callable[[Field], Value]


def lookup_in(
    run: Run,
    config: ConfigDocument,
    summaries: Iterable[SeriesSummary],
    *,
    experiment: str,
    artifacts: Iterable[str],
) -> Lookup:
    """A function from a field to this run's value of it.

    Args:
        run: with the status that it has now.
        config: the run's.
        summaries: of the run's series.
        experiment: the name of the run's experiment.
        artifacts: the names of the run's artifacts.
    """
    leaves: dict[str, Value] = {}
    series: dict[tuple[str, str], SeriesSummary] = {}

    def lookup(field: Field) -> Value:
        match field:
            case Attribute("experiment"):
                return experiment
            case Attribute(name):
                return _attribute(run, name)
            case ArtifactName():
                return frozenset(artifacts)
            case Tag(key):
                return run.tags.get(key, Odd.MISSING)
            case ConfigKey(key):
                if not leaves:
                    leaves.update((leaf.key, leaf_value(leaf.kind, leaf.number, leaf.text)) for leaf in config.leaves)
                return leaves.get(key, Odd.MISSING)
            case Metric(dataset_type, name, stat):
                if not series:
                    series.update(((each.name, str(each.dataset_type)), each) for each in summaries)
                return _statistic(series.get((name, dataset_type)), stat)

    return lookup


def leaf_value(kind: str, number: float | None, text: str) -> Value:
    """The value of a :class:`~runstore.values.config.ConfigLeaf` as filters see it."""
    match kind:
        case "str":
            return text
        case "bool":
            return bool(number)
        case "int" | "float" if number is not None:
            return number
        case "null":
            return Odd.NULL
        case _:
            return Odd.OTHER


def matches(node: Node | None, lookup: Lookup) -> bool:  # noqa: PLR0911 - one return a kind of node
    """Whether a run matches a filter."""
    match node:
        case None:
            return True
        case And(items):
            return all(matches(item, lookup) for item in items)
        case Or(items):
            return any(matches(item, lookup) for item in items)
        case Not(item):
            return not matches(item, lookup)
        case Present(field, negated):
            return (lookup(field) in {Odd.MISSING, Odd.NULL, _NO_NAMES}) == negated
        case Compare(field=ArtifactName()) | In(field=ArtifactName()) | Like(field=ArtifactName()):
            names = lookup(node.field)
            return isinstance(names, frozenset) and any(_holds(node, name) for name in names)
        case Compare() | In() | Like():
            return _holds(node, lookup(node.field))


def _holds(test: Compare | In | Like, value: Value) -> bool:
    match test:
        case Compare(op=op, value=literal):
            return _compares(value, op, literal)
        case In(values=literals, negated=negated):
            same_kind = any(_is_comparable(value, literal) for literal in literals)
            return same_kind and any(_compares(value, "=", literal) for literal in literals) != negated
        case Like(pattern=pattern, negated=negated):
            return isinstance(value, str) and like_matcher(pattern)(value) != negated


def sort_key(orders: Sequence[Order], lookup: Lookup, *, start_us: int, run_id: str) -> list[tuple[int, Any]]:
    """A run's place in an ordering, one ``(rank, value)`` pair a term (:class:`runstore.query.Rank`); compare with :func:`precedes`.

    The last two pairs, start time and id, make the order total. All values are JSON values, fit for a cursor.
    """
    pairs = [_ranked(lookup(order.field)) for order in orders]
    return [*pairs, (Rank.NUMBER, start_us), (Rank.TEXT, run_id)]


def precedes(left: Sequence[Any], right: Sequence[Any], orders: Sequence[Order]) -> bool:
    """Whether one place stands strictly before another: ranks ascend always, values as the order says."""
    directions = [order.descending for order in orders] + [False, False]
    for (left_rank, left_value), (right_rank, right_value), descending in zip(left, right, directions, strict=True):
        if left_rank != right_rank:
            return bool(left_rank < right_rank)
        if left_value != right_value:
            return bool((left_value > right_value) if descending else (left_value < right_value))
    return False


_NO_NAMES: Final[frozenset[str]] = frozenset()


def _attribute(run: Run, name: str) -> Value:
    if name == "archived":
        return run.archived_at is not None
    if name == "duration":
        seconds = run.duration_s
        return Odd.MISSING if seconds is None else seconds
    value = getattr(run, name)
    if value is None:
        return Odd.MISSING
    if name in {"start_time", "end_time"}:
        return to_microseconds(value)
    return float(value) if name == "attempt" else str(value)


def _statistic(summary: SeriesSummary | None, stat: str) -> Value:
    if summary is None:
        return Odd.MISSING
    if stat == "count":
        return float(summary.count)
    point = getattr(summary, stat)
    return Odd.MISSING if point is None else float(point.value)


def _kind(value: Value) -> str:
    if isinstance(value, Odd):
        return value.value
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"


def _is_comparable(value: Value, literal: Literal) -> bool:
    is_nan = isinstance(value, float) and math.isnan(value)
    return _kind(value) == _kind(literal) and not is_nan


def _compares(value: Any, op: str, literal: Any) -> bool:
    if not _is_comparable(value, literal):
        return False
    return bool(
        {
            "=": value == literal,
            "!=": value != literal,
            "<": value < literal,
            "<=": value <= literal,
            ">": value > literal,
            ">=": value >= literal,
        }[op]
    )


def _ranked(value: Value) -> tuple[int, Any]:
    if value is Odd.MISSING:
        return Rank.MISSING, 0
    if isinstance(value, Odd):
        return Rank.OTHER, 0
    if isinstance(value, bool):
        return Rank.BOOLEAN, value
    if isinstance(value, str):
        return Rank.TEXT, value[:MAX_SORTED_LENGTH]
    if isinstance(value, float) and not math.isfinite(value):
        return Rank.NON_FINITE, 0
    return Rank.NUMBER, value
