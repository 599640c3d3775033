"""From the filter tree to an aggregation pipeline over ``runs``.

What :mod:`runstore.query_reference` says in Python is said here in the server's language. User text only ever stands
where the server expects a value: on the right of ``$eq`` and its like, inside ``$literal``, or escaped in a regular
expression (READ.5).
"""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from runstore.checks import shown
from runstore.errors import QueryError
from runstore.model import TERMINAL_STATUSES, RunStatus
from runstore.query import (
    And,
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
    Tag,
    Wildcard,
    like_tokens,
)
from runstore_mongo.documents import NOW_US, PREFIX_LENGTH, SERIES, copy_key

Document = dict[str, Any]
Pipeline = list[Document]
Place = list[list[Any]]
"""Where a run stands in an ordering: a ``[rank, value]`` pair for each term, for the start time and for the id."""

_OPERATORS: Final = {"=": "$eq", "!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_NEVER_NULL: Final = {
    "id": ("_id", 2),
    "start_time": ("start_time", 0),
    "experiment_id": ("experiment_id", 2),
    "training_mode": ("training_mode", 2),
    "attempt": ("attempt", 0),
}
_NOTHING: Final[Document] = {"$nor": [{}]}
_CONFIG_KINDS: Final = {"number": ["int", "float"], "text": ["str"], "boolean": ["bool"]}
_SHOWN_FIELDS: Final = (
    "experiment_id",
    "name",
    "status",
    "training_mode",
    "parent_run_id",
    "client_id",
    "attempt",
    "start_time",
    "end_time",
    "heartbeat_at",
    "expires_at",
    "lease_s",
    "source_path",
    "tags",
    "provenance",
    "failure",
)

RUN_PROJECTION: Final[Document] = {**dict.fromkeys(_SHOWN_FIELDS, 1), "now": NOW_US}
"""A run without its config, and the server's clock."""


class Search:
    """One search: its pipeline, and the place of a run that came out of it."""

    def __init__(self, node: Node | None, orders: Sequence[Order], *, scope: Document, joins: bool = False) -> None:
        """Compiles.

        Args:
            node: the filter.
            orders: the ordering, without the final ties.
            scope: plain conditions on ``runs`` that always hold, such as an experiment.
            joins: look each statistic up in ``run_series``: right for runs, too, that carry no copy of all of them,
                and many times slower.
        """
        self._joins = joins
        self._metrics: dict[tuple[str, str], int] = {}
        self._node = node
        self._scope = scope
        self._terms = [self._term(index, order) for index, order in enumerate(orders)]
        self._terms += [("start_time", 0, False, {}), ("_id", 2, False, {})]

    def pipeline(self, *, after: Place | None, limit: int) -> Pipeline:
        """The stages that give up to ``limit`` runs after a place, in order."""
        early, late = self._split()
        is_plain = all(not computed for *_, computed in self._terms)
        behind = [] if after is None else [self._behind(after)]
        stages: Pipeline = [_match([self._scope, *early, *(behind if is_plain else [])])]
        if late and not self._joins:
            stages += [{"$set": {"_status": _DERIVED_STATUS}}, _match([self._condition(item) for item in late])]
        elif late:
            used: set[tuple[str, str]] = set()
            for condition_node in late:
                used |= {
                    (field.dataset_type, field.name) for field in _fields(condition_node) if isinstance(field, Metric)
                }
            stages += self._lookups(used)
            if any(field == Attribute("status") for item in late for field in _fields(item)):
                stages.append({"$set": {"_status": _DERIVED_STATUS}})
            stages.append(_match([self._condition(item) for item in late]))
            stages += self._lookups(set(self._metrics) - used)
        else:
            stages += self._lookups(set(self._metrics) if self._joins else set())
        for *_, computed in self._terms:
            stages += [{"$set": fields} for fields in computed.get("stages", [])]
        if not is_plain:
            stages += [_match(behind)] if behind else []
        stages += [{"$sort": self._sort()}, {"$limit": limit}, {"$project": {**RUN_PROJECTION, **self._keys()}}]
        return stages

    def place_of(self, document: Document) -> Place:
        """The place of a run that the pipeline gave."""
        place = []
        for index, (path, rank, _, computed) in enumerate(self._terms):
            if computed:
                value = document[f"_v{index}"]
                found_rank = int(document[f"_r{index}"])
            else:
                value, found_rank = document[path], rank
            if isinstance(value, int) and not isinstance(value, bool):
                value = int(value)
            place.append([found_rank, value])
        return place

    def check_place(self, place: Any) -> Place:
        """A place that came back in a cursor.

        Raises:
            QueryError: it is not one of this search.
        """
        is_good = (
            isinstance(place, list)
            and len(place) == len(self._terms)
            and all(
                isinstance(pair, list)
                and len(pair) == 2  # noqa: PLR2004 - rank and value
                and isinstance(pair[0], int)
                and 0 <= pair[0] <= 5  # noqa: PLR2004 - the ranks
                and isinstance(pair[1], (bool, int, float, str))
                and not (isinstance(pair[1], int) and abs(pair[1]) >= 2**63)
                for pair in place
            )
        )
        if not is_good:
            raise QueryError(f"the cursor's place {shown(place)} is none of this query; pass next_cursor unchanged")
        checked: Place = place
        return checked

    # --- conditions ---------------------------------------------------------------------------------------------

    def _split(self) -> tuple[list[Document], list[Node]]:
        """The conjuncts that need only the stored run, as conditions, and the nodes that need a lookup or a clock."""
        if self._node is None:
            return [], []
        items = self._node.items if isinstance(self._node, And) else (self._node,)
        for item in items:
            for field in _fields(item):
                if isinstance(field, Metric):
                    self._metrics.setdefault((field.dataset_type, field.name), len(self._metrics))
        late = [item for item in items if _needs_clock(item) or (self._joins and uses_metrics(item))]
        return [self._condition(item) for item in items if item not in late], late

    def _condition(self, node: Node) -> Document:  # noqa: PLR0911 - one return a kind of node
        match node:
            case And(items):
                return {"$and": [self._condition(item) for item in items]}
            case Or(items):
                return {"$or": [self._condition(item) for item in items]}
            case Not(item):
                return {"$nor": [self._condition(item)]}
            case Compare(field, op, literal):
                return self._compared(field, op, literal)
            case In(field, literals, negated):
                return self._contained(field, literals, negated=negated)
            case Like(field, pattern, negated):
                regex = {"$regex": _regex(pattern)}
                return self._holds(field, "text", {"$not": regex} if negated else regex)
            case Present(field, negated):
                present = self._present(field)
                return {"$nor": [present]} if negated else present

    def _compared(self, field: Field, op: str, literal: Literal) -> Document:
        kind = _kind(literal)
        if field == Attribute("status") and op == "=" and _is_terminal(literal):
            return {"status": {"$eq": literal}}
        condition: Document = {_OPERATORS[op]: _stored(literal)}
        if op == "=" and kind == "text" and isinstance(field, ConfigKey):
            return self._holds(field, kind, condition, prefix=str(literal)[:PREFIX_LENGTH])
        return self._holds(field, kind, condition)

    def _contained(self, field: Field, literals: tuple[Literal, ...], *, negated: bool) -> Document:
        by_kind: dict[str, list[Any]] = {}
        for literal in literals:
            by_kind.setdefault(_kind(literal), []).append(_stored(literal))
        operator = "$nin" if negated else "$in"
        return {"$or": [self._holds(field, kind, {operator: values}) for kind, values in by_kind.items()]}

    def _holds(self, field: Field, kind: str, condition: Document, *, prefix: str | None = None) -> Document:
        """That a field's value is of a kind, is not NaN, and meets a condition."""
        # Two entries may not share an operator, so what guards the kind stands beside the condition in an $and.
        guards: list[Document] = [condition, {"$type": "string" if kind == "text" else "number"}]
        if kind == "number":
            guards.append({"$ne": math.nan})
        match field:
            case Attribute():
                return {"$and": [{self._path(field): guard} for guard in guards]}
            case Metric():
                return {"$and": [{self._path(field): guard} for guard in guards]}
            case Tag(key):
                return {"tags": {"$elemMatch": {"k": {"$eq": key}, "$and": [{"v": guard} for guard in guards]}}}
            case ConfigKey(key):
                indexed = {"n": None, "p": {"$eq": prefix}} if prefix is not None else {}
                path = "s" if kind == "text" else "n"
                return {
                    "config": {
                        "$elemMatch": {
                            "k": {"$eq": key},
                            **indexed,
                            "kind": {"$in": _CONFIG_KINDS[kind]},
                            "$and": [{path: guard} for guard in guards],
                        }
                    }
                }

    def _present(self, field: Field) -> Document:
        match field:
            case Attribute() | Metric():
                return {self._path(field): {"$ne": None}}
            case Tag(key):
                return {"tags": {"$elemMatch": {"k": {"$eq": key}}}}
            case ConfigKey(key):
                return {"config": {"$elemMatch": {"k": {"$eq": key}, "kind": {"$ne": "null"}}}}

    def _path(self, field: Attribute | Metric) -> str:
        if isinstance(field, Metric):
            return self._statistic(field)
        return {"id": "_id", "status": "_status"}.get(field.name, field.name)

    def _statistic(self, field: Metric) -> str:
        if not self._joins:
            return f"metrics.{copy_key(field.name, field.dataset_type)}.{field.stat}"
        number = self._metrics.setdefault((field.dataset_type, field.name), len(self._metrics))
        return f"_m{number}.{field.stat}"

    # --- order --------------------------------------------------------------------------------------------------

    def _term(self, index: int, order: Order) -> tuple[str, int, bool, Document]:
        """A sort key: a stored path with its rank, or what must be computed (``stages`` of ``$set``)."""
        field = order.field
        if isinstance(field, Attribute) and field.name in _NEVER_NULL:
            path, rank = _NEVER_NULL[field.name]
            return path, rank, order.descending, {}
        rank_at, value_at, source = f"_r{index}", f"_v{index}", f"_x{index}"
        match field:
            case Attribute("status"):
                value: Any = _DERIVED_STATUS
            case Attribute(name):
                value = f"${name}"
            case Tag(key):
                value = {"$first": {"$map": {"input": _by_key("$tags", key), "in": "$$this.v"}}}
            case ConfigKey(key):
                value = {"$first": _by_key("$config", key)}
            case Metric():
                value = f"${self._statistic(field)}"
        ranked = _ranked_leaf(source) if isinstance(field, ConfigKey) else _ranked_value(source)
        stages = [{source: value}, {rank_at: ranked[0]}, {value_at: ranked[1](rank_at)}]
        return value_at, 0, order.descending, {"stages": stages}

    def _sort_keys(self) -> Iterator[tuple[str, int, int, int]]:
        """Path, direction, term and part (0 rank, 1 value) of each sort key, each path once."""
        seen = set()
        for index, (path, _, descending, computed) in enumerate(self._terms):
            parts = [(f"_r{index}", 1, 0)] if computed else []
            for name, direction, part in [*parts, (path, -1 if descending else 1, 1)]:
                if name not in seen:
                    seen.add(name)
                    yield name, direction, index, part

    def _sort(self) -> dict[str, int]:
        return {name: direction for name, direction, _, _ in self._sort_keys()}

    def _keys(self) -> Document:
        return {
            name: 1
            for index, (*_, computed) in enumerate(self._terms)
            if computed
            for name in (f"_r{index}", f"_v{index}")
        }

    def _behind(self, place: Place) -> Document:
        """That a run stands strictly after a place."""
        equal: list[Document] = []
        ways: list[Document] = []
        first: Document = {}
        for name, direction, index, part in self._sort_keys():
            value = place[index][part]
            operator = "$gt" if direction > 0 else "$lt"
            if not ways:
                first = {name: {f"{operator}e": value}}  # implied by the ways; it bounds the scan of an index
            ways.append({"$and": [*equal, {name: {operator: value}}]})
            equal.append({name: {"$eq": value}})
        return {"$and": [first, {"$or": ways}]}

    def _lookups(self, wanted: set[tuple[str, str]]) -> Pipeline:
        """Joins series' summaries by their key: one index look-up a run."""
        stages: Pipeline = []
        for (dataset_type, name), number in self._metrics.items():
            if (dataset_type, name) not in wanted:
                continue
            key, joined = f"_k{number}", f"_m{number}"
            stages += [
                {"$set": {key: {"$concat": ["$_id", {"$literal": f"\n{dataset_type}\n{name}"}]}}},
                {
                    "$lookup": {
                        "from": SERIES,
                        "localField": key,
                        "foreignField": "_id",
                        "pipeline": [{"$project": {"_id": 0, "last": 1, "first": 1, "min": 1, "max": 1, "count": 1}}],
                        "as": joined,
                    }
                },
                {"$set": {joined: {"$first": f"${joined}"}}},
            ]
        return stages


_DERIVED_STATUS: Final[Document] = {
    "$cond": [
        {"$and": [{"$eq": ["$status", str(RunStatus.IN_PROGRESS)]}, {"$gt": [NOW_US, "$expires_at"]}]},
        str(RunStatus.LOST),
        "$status",
    ]
}


def uses_metrics(node: Node) -> bool:
    """Whether a filter needs the statistics of a series."""
    return any(isinstance(field, Metric) for field in _fields(node))


def _needs_clock(node: Node) -> bool:
    return not _is_direct(node) and any(field == Attribute("status") for field in _fields(node))


def _is_direct(node: Node) -> bool:
    return isinstance(node, Compare) and node.op == "=" and _is_terminal(node.value)


def _is_terminal(literal: Literal) -> bool:
    return isinstance(literal, str) and literal in TERMINAL_STATUSES


def _fields(node: Node) -> Iterator[Field]:
    match node:
        case And(items) | Or(items):
            for item in items:
                yield from _fields(item)
        case Not(item):
            yield from _fields(item)
        case Compare(field=field) | In(field=field) | Like(field=field) | Present(field=field):
            yield field


def _match(conditions: Sequence[Document]) -> Document:
    conditions = [condition for condition in conditions if condition]
    if len(conditions) == 1:
        return {"$match": conditions[0]}
    return {"$match": {"$and": conditions} if conditions else {}}


def _kind(literal: Literal) -> str:
    if isinstance(literal, bool):
        return "boolean"
    return "text" if isinstance(literal, str) else "number"


def _stored(literal: Literal) -> Any:
    """A literal as the documents hold it: a boolean leaf is the number 0 or 1 beside its kind."""
    return float(literal) if isinstance(literal, bool) else literal


def _by_key(array: str, key: str) -> Document:
    return {"$filter": {"input": array, "cond": {"$eq": ["$$this.k", {"$literal": key}]}}}


def _is_finite(value: str) -> Document:
    return {"$and": [{"$gt": [value, -math.inf]}, {"$lt": [value, math.inf]}]}  # NaN is below everything here


def _ranked_value(source: str) -> tuple[Document, Any]:
    value = f"${source}"
    rank = {
        "$switch": {
            "branches": [
                {"case": {"$lte": [value, None]}, "then": 5},  # null or missing
                {"case": {"$eq": [{"$type": value}, "string"]}, "then": 2},
                {"case": _is_finite(value), "then": 0},
            ],
            "default": 1,
        }
    }
    return rank, lambda rank_at: {"$cond": [{"$in": [f"${rank_at}", [0, 2]]}, value, 0]}


def _ranked_leaf(source: str) -> tuple[Document, Any]:
    kind, number = f"${source}.kind", f"${source}.n"
    rank = {
        "$switch": {
            "branches": [
                {"case": {"$lte": [f"${source}", None]}, "then": 5},
                {"case": {"$eq": [kind, "str"]}, "then": 2},
                {"case": {"$eq": [kind, "bool"]}, "then": 3},
                {"case": {"$not": {"$in": [kind, ["int", "float"]]}}, "then": 4},
                {"case": _is_finite(number), "then": 0},
            ],
            "default": 1,
        }
    }
    return rank, lambda rank_at: {
        "$switch": {
            "branches": [
                {"case": {"$eq": [f"${rank_at}", 2]}, "then": f"${source}.s"},
                {"case": {"$in": [f"${rank_at}", [0, 3]]}, "then": number},
            ],
            "default": 0,
        }
    }


def _regex(pattern: str) -> str:
    r"""A pattern as a regular expression that spans line ends; ``\A`` and ``\z`` because ``$`` stops before a newline."""
    spelled = {Wildcard.ANY: "(?s:.*)", Wildcard.ONE: "(?s:.)"}
    parts = [
        spelled[token] if isinstance(token, Wildcard) else re.escape(token).replace("\x00", "\\x00")
        for token in like_tokens(pattern)
    ]
    return "".join(["\\A", *parts, "\\z"])
