"""Searching runs: one aggregation pipeline over ``runs`` for a filter, an ordering and a place to go on from."""

import math
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from runstore.model import RunStatus
from runstore.query.searches import Place, RunQuery
from runstore.query.tree import MAX_SORTED_LENGTH, And, Attribute, ConfigKey, Metric, Node, Order, Rank, Tag
from runstore_mongo.conditions import Conditions, fields_of, uses_metrics
from runstore_mongo.documents import NOW_US, SERIES, copy_key

Document = dict[str, Any]
Pipeline = list[Document]

_NEVER_NULL: Final = {
    "id": ("_id", Rank.TEXT),
    "start_time": ("start_time", Rank.NUMBER),
    "experiment_id": ("experiment_id", Rank.TEXT),
    "training_mode": ("training_mode", Rank.TEXT),
    "attempt": ("attempt", Rank.NUMBER),
}
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

    def __init__(self, asked: RunQuery, *, joins: bool = False) -> None:
        """Compiles.

        Args:
            asked: the question.
            joins: look the statistics of wide runs up in ``run_series``: right for all, and many times slower.
        """
        self._conditions = Conditions(joins=joins)
        self._joins = joins
        self._node = asked.node
        self._after = asked.after
        self._limit = asked.limit + 1  # one more, to know whether a page follows
        scope = {"experiment_id": asked.experiment_id, "parent_run_id": asked.parent_run_id}
        self._scope = {field: {"$eq": value} for field, value in scope.items() if value is not None}
        self._terms = [self._term(index, order) for index, order in enumerate(asked.orders)]
        self._terms += [("start_time", Rank.NUMBER, False, {}), ("_id", Rank.TEXT, False, {})]

    def pipeline(self) -> Pipeline:
        """The stages that give the runs of a page in order, and one more."""
        early, late = self._split()
        is_plain = all(not computed for *_, computed in self._terms)
        behind = [] if self._after is None else [self._behind(self._after)]
        conditions = [self._conditions.of(item) for item in early]
        stages: Pipeline = [_match([self._scope, *conditions, *(behind if is_plain else [])])]
        if late:
            # Look up what the filter needs, drop what it drops, and only then look up what the ordering needs.
            wanted = {
                (field.dataset_type, field.name)
                for item in late
                for field in fields_of(item)
                if isinstance(field, Metric)
            }
            conditions = [self._conditions.of(item) for item in late]
            stages += [*self._lookups(wanted), _match(conditions)]
            stages += self._lookups(self._conditions.joined.keys() - wanted)
        else:
            stages += self._lookups(self._conditions.joined.keys())
        for *_, computed in self._terms:
            stages += [{"$set": fields} for fields in computed.get("stages", [])]
        if not is_plain:
            stages += [_match(behind)] if behind else []
            # A sort holds whole documents, up to 100 MB of them in memory.
            stages.append({"$unset": ["config", "metrics"]})
        stages += [{"$sort": self._sort()}, {"$limit": self._limit}, {"$project": {**RUN_PROJECTION, **self._keys()}}]
        return stages

    def finite_pipeline(self) -> Pipeline | None:
        """The same for those runs alone in which the statistic that is ordered by first is finite; ``None`` without one.

        They come before all others, for nothing is ordered by before it. All that follows has to be of a kind that no
        run lacks. Such a statistic is sorted by as it is stored, where the whole order has to compute ranks for every
        run that passes the filter, which takes twice as long.
        """
        (*_, first), *others = self._terms
        if self._joins or "path" not in first or any(computed for *_, computed in others):
            return None
        if self._after is not None and self._after[0][0] != Rank.NUMBER:
            return None
        path = str(first["path"])
        conditions = [] if self._node is None else [self._conditions.of(self._node)]
        behind = [] if self._after is None else [self._behind(self._after, is_finite=True)]
        return [
            _match([self._scope, *conditions, {path: {"$gt": -math.inf, "$lt": math.inf}}, *behind]),
            {"$sort": {name: direction for name, direction, _, _ in self._sort_keys(is_finite=True)}},
            {"$limit": self._limit},
            {"$project": {**RUN_PROJECTION, "_v0": f"${path}", "_r0": {"$literal": int(Rank.NUMBER)}}},
        ]

    def place_of(self, document: Document) -> Place:
        """The place of a run that the pipeline gave."""
        place: list[tuple[int, Any]] = []
        for index, (path, rank, _, computed) in enumerate(self._terms):
            if computed:
                value = document[f"_v{index}"]
                found_rank = int(document[f"_r{index}"])
            else:
                value, found_rank = document[path], rank
            place.append((found_rank, value))
        return place

    def _split(self) -> tuple[list[Node], list[Node]]:
        """The conjuncts that the stored run answers, and those that need a look-up."""
        if self._node is None:
            return [], []
        items = self._node.items if isinstance(self._node, And) else (self._node,)
        late = [item for item in items if self._joins and uses_metrics(item)]
        return [item for item in items if item not in late], late

    # --- order --------------------------------------------------------------------------------------------------

    def _term(self, index: int, order: Order) -> tuple[str, int, bool, Document]:
        """A sort key: a stored path with its rank, or what must be computed (``stages`` of ``$set``)."""
        field = order.field
        if isinstance(field, Attribute) and field.name in _NEVER_NULL:
            path, rank = _NEVER_NULL[field.name]
            return path, rank, order.descending, {}
        source = f"_x{index}"
        expression: Any = None
        match field:
            case Attribute("status"):
                expression = _DERIVED_STATUS
            case Attribute(name):
                source = name
            case Tag(key):
                expression = {"$first": {"$map": {"input": _by_key("$tags", key), "in": "$$this.v"}}}
            case ConfigKey(key):
                expression = {"$first": _by_key("$config", key)}
            case Metric():
                source = self._conditions.path_of(field)
        ranked = _ranked_leaf if isinstance(field, ConfigKey) else _ranked_value
        rank_of, value_of = ranked(f"${source}")
        stages = [] if expression is None else [{source: expression}]
        computed: Document = {"stages": [*stages, {f"_r{index}": rank_of, f"_v{index}": value_of}]}
        if isinstance(field, Metric):
            computed["path"] = source
        return f"_v{index}", 0, order.descending, computed

    def _sort_keys(self, *, is_finite: bool = False) -> Iterator[tuple[str, int, int, int]]:
        """Path, direction, term and part (0 rank, 1 value) of each sort key, each path once."""
        seen = set()
        for index, (key, _, descending, computed) in enumerate(self._terms):
            path = computed["path"] if computed and is_finite else key
            parts = [(f"_r{index}", 1, 0)] if computed and not is_finite else []
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

    def _behind(self, place: Place, *, is_finite: bool = False) -> Document:
        """That a run stands strictly after a place."""
        # From the last key to the first: beyond it, or level with it and behind in the keys that follow. So each value
        # stands in the command twice, and a long text does not fill it up.
        behind: Document = {}
        first: Document = {}
        for name, direction, index, part in reversed(list(self._sort_keys(is_finite=is_finite))):
            rank, value = place[index]
            if part == 0:
                value = rank
            elif rank == Rank.BOOLEAN:
                value = float(value)  # as a leaf holds it
            operator = "$gt" if direction > 0 else "$lt"
            beyond = {name: {operator: value}}
            behind = {"$or": [beyond, {"$and": [{name: {"$eq": value}}, behind]}]} if behind else beyond
            first = {name: {f"{operator}e": value}}  # implied by all of it; it bounds the scan of an index
        return {"$and": [first, behind]}

    def _lookups(self, wanted: AbstractSet[tuple[str, str]]) -> Pipeline:
        """Joins series' summaries by their key: one index look-up a run."""
        stages: Pipeline = []
        for (dataset_type, name), number in self._conditions.joined.items():
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
                {
                    "$set": {
                        joined: {
                            "$cond": [
                                {"$eq": ["$has_more_series", True]},
                                {"$first": f"${joined}"},
                                f"$metrics.{copy_key(name, dataset_type)}",
                            ]
                        }
                    }
                },
            ]
        return stages


_DERIVED_STATUS: Final[Document] = {
    "$cond": [
        {"$and": [{"$eq": ["$status", str(RunStatus.IN_PROGRESS)]}, {"$gt": [NOW_US, "$expires_at"]}]},
        str(RunStatus.LOST),
        "$status",
    ]
}


def _match(conditions: Sequence[Document]) -> Document:
    conditions = [condition for condition in conditions if condition]
    if len(conditions) == 1:
        return {"$match": conditions[0]}
    return {"$match": {"$and": conditions} if conditions else {}}


def _by_key(array: str, key: str) -> Document:
    return {"$filter": {"input": array, "cond": {"$eq": ["$$this.k", {"$literal": key}]}}}


def _is_finite(value: str) -> Document:
    return {"$and": [{"$gt": [value, -math.inf]}, {"$lt": [value, math.inf]}]}  # NaN is below everything here


def _ranked_value(value: str) -> tuple[Document, Document]:
    """The rank of an attribute, a tag or a statistic, and the value that counts within it."""
    is_text = {"$eq": [{"$type": value}, "string"]}
    rank = _first_of(
        (_is_finite(value), Rank.NUMBER),
        ({"$lte": [value, None]}, Rank.MISSING),  # null or missing
        (is_text, Rank.TEXT),
        otherwise=Rank.NON_FINITE,
    )
    return rank, {"$cond": [{"$or": [_is_finite(value), is_text]}, value, 0]}


def _ranked_leaf(leaf: str) -> tuple[Document, Document]:
    """The rank of a config leaf, and the value that counts within it."""
    kind, number = f"{leaf}.kind", f"{leaf}.n"
    is_number = {"$and": [{"$in": [kind, ["int", "float"]]}, _is_finite(number)]}
    is_text, is_boolean = {"$eq": [kind, "str"]}, {"$eq": [kind, "bool"]}
    rank = _first_of(
        (is_number, Rank.NUMBER),
        (is_text, Rank.TEXT),
        (is_boolean, Rank.BOOLEAN),
        ({"$lte": [leaf, None]}, Rank.MISSING),
        ({"$in": [kind, ["int", "float"]]}, Rank.NON_FINITE),
        otherwise=Rank.OTHER,
    )
    text = f"{leaf}.s"
    is_short = {"$lte": [{"$strLenBytes": text}, MAX_SORTED_LENGTH]}
    sorted_text = {"$cond": [is_short, text, {"$substrCP": [text, 0, MAX_SORTED_LENGTH]}]}
    return rank, _first_of((is_text, sorted_text), ({"$or": [is_number, is_boolean]}, number), otherwise=0)


def _first_of(*cases: tuple[Document, Any], otherwise: Any) -> Document:
    branches = [{"case": case, "then": int(then) if isinstance(then, Rank) else then} for case, then in cases]
    return {"$switch": {"branches": branches, "default": int(otherwise) if isinstance(otherwise, Rank) else otherwise}}
