"""Searching runs: one aggregation pipeline over ``runs`` for a filter, an ordering and a place to go on from."""

import math
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from runstore.checks import shown
from runstore.errors import QueryError
from runstore.model import RunStatus
from runstore.query import And, Attribute, ConfigKey, Metric, Node, Order, Tag
from runstore_mongo.conditions import Conditions, fields_of, uses_metrics
from runstore_mongo.documents import NOW_US, SERIES, copy_key

Document = dict[str, Any]
Pipeline = list[Document]
Place = list[list[Any]]
"""Where a run stands in an ordering: a ``[rank, value]`` pair for each term, for the start time and for the id."""

_NEVER_NULL: Final = {
    "id": ("_id", 2),
    "start_time": ("start_time", 0),
    "experiment_id": ("experiment_id", 2),
    "training_mode": ("training_mode", 2),
    "attempt": ("attempt", 0),
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

    def __init__(self, node: Node | None, orders: Sequence[Order], *, scope: Document, joins: bool = False) -> None:
        """Compiles.

        Args:
            node: the filter.
            orders: the ordering, without the final ties.
            scope: plain conditions on ``runs`` that always hold, such as an experiment.
            joins: look the statistics of wide runs up in ``run_series``: right for all, and many times slower.
        """
        self._conditions = Conditions(joins=joins)
        self._joins = joins
        self._node = node
        self._scope = scope
        self._terms = [self._term(index, order) for index, order in enumerate(orders)]
        self._terms += [("start_time", 0, False, {}), ("_id", 2, False, {})]

    def pipeline(self, *, after: Place | None, limit: int) -> Pipeline:
        """The stages that give up to ``limit`` runs after a place, in order."""
        early, late = self._split()
        is_plain = all(not computed for *_, computed in self._terms)
        behind = [] if after is None else [self._behind(after)]
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
        stages += [{"$sort": self._sort()}, {"$limit": limit}, {"$project": {**RUN_PROJECTION, **self._keys()}}]
        return stages

    def finite_pipeline(self, *, after: Place | None, limit: int) -> Pipeline | None:
        """The same for runs alone whose ordered statistics are all finite; ``None`` if that does not apply.

        They come before all others. Their statistics are sorted by as they are stored, while the server fetches the
        runs, where the whole order has to compute ranks for every run that passes the filter: half of the time.
        """
        paths = {index: computed.get("path") for index, (*_, computed) in enumerate(self._terms) if computed}
        if self._joins or not paths or None in paths.values():
            return None
        if after is not None and any(after[index][0] for index in paths):
            return None
        conditions = [] if self._node is None else [self._conditions.of(self._node)]
        finite = [{str(path): {"$gt": -math.inf, "$lt": math.inf}} for path in paths.values()]
        behind = [] if after is None else [self._behind(after, is_finite=True)]
        values = {f"_v{index}": f"${path}" for index, path in paths.items()}
        ranks = {f"_r{index}": {"$literal": 0} for index in paths}
        return [
            _match([self._scope, *conditions, *finite, *behind]),
            {"$sort": {name: direction for name, direction, _, _ in self._sort_keys(is_finite=True)}},
            {"$limit": limit},
            {"$project": {**RUN_PROJECTION, **values, **ranks}},
        ]

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
        equal: list[Document] = []
        ways: list[Document] = []
        first: Document = {}
        for name, direction, index, part in self._sort_keys(is_finite=is_finite):
            value = place[index][part]
            operator = "$gt" if direction > 0 else "$lt"
            if not ways:
                first = {name: {f"{operator}e": value}}  # implied by the ways; it bounds the scan of an index
            ways.append({"$and": [*equal, {name: {operator: value}}]})
            equal.append({name: {"$eq": value}})
        return {"$and": [first, {"$or": ways}]}

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
        (_is_finite(value), 0),
        ({"$lte": [value, None]}, 5),  # null or missing
        (is_text, 2),
        otherwise=1,
    )
    return rank, {"$cond": [{"$or": [_is_finite(value), is_text]}, value, 0]}


def _ranked_leaf(leaf: str) -> tuple[Document, Document]:
    """The rank of a config leaf, and the value that counts within it."""
    kind, number = f"{leaf}.kind", f"{leaf}.n"
    is_number = {"$and": [{"$in": [kind, ["int", "float"]]}, _is_finite(number)]}
    is_text, is_boolean = {"$eq": [kind, "str"]}, {"$eq": [kind, "bool"]}
    rank = _first_of(
        (is_number, 0),
        (is_text, 2),
        (is_boolean, 3),
        ({"$lte": [leaf, None]}, 5),
        ({"$in": [kind, ["int", "float"]]}, 1),
        otherwise=4,
    )
    return rank, _first_of((is_text, f"{leaf}.s"), ({"$or": [is_number, is_boolean]}, number), otherwise=0)


def _first_of(*cases: tuple[Document, Any], otherwise: Any) -> Document:
    return {"$switch": {"branches": [{"case": case, "then": then} for case, then in cases], "default": otherwise}}
