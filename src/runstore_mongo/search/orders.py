"""The keys that runs are sorted by: stored fields where no run lacks them, ranks and values computed elsewhere."""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from runstore.query import MAX_SORTED_LENGTH, ArtifactName, Attribute, ConfigKey, Field, Metric, Order, Rank, Tag
from runstore_mongo.documents.names import EXPERIMENTS, Document, Pipeline
from runstore_mongo.documents.stages import DURATION, STATUS
from runstore_mongo.search.conditions import Conditions

_STORED: Final = {
    "id": ("_id", Rank.TEXT),
    "start_time": ("start_time", Rank.NUMBER),
    "experiment_id": ("experiment_id", Rank.TEXT),
    "training_mode": ("training_mode", Rank.TEXT),
    "attempt": ("attempt", Rank.NUMBER),
}
"""Attributes that every run has: field and rank."""


class Term(NamedTuple):
    """One term of an ordering.

    Attributes:
        path: where the value stands that counts.
        rank: the rank of the field in every run; ``None`` where it is computed.
        rank_path: where a computed rank stands.
        stages: what computes both.
        statistic: where a series' statistic is stored as it is.
    """

    path: str
    descending: bool = False
    rank: Rank | None = None
    rank_path: str = ""
    stages: Sequence[Document] = ()
    statistic: str | None = None

    @property
    def is_stored(self) -> bool:
        """Whether nothing is computed."""
        return self.rank is not None

    def as_stored(self) -> "Term":
        """The term for runs whose statistic is finite: sorted by as it is stored."""
        return self if self.statistic is None else Term(self.statistic, self.descending, Rank.NUMBER)


TIES: Final = (Term("start_time", rank=Rank.NUMBER), Term("_id", rank=Rank.TEXT))
"""What ends every ordering."""


def term_of(index: int, order: Order, conditions: Conditions) -> Term:
    """The term at a place of an ordering."""
    field = order.field
    if isinstance(field, Attribute) and field.name in _STORED:
        path, rank = _STORED[field.name]
        return Term(path, order.descending, rank)
    source, stages = _source_of(field, f"_x{index}", conditions)
    rank_of, value_of = _ranked_leaf(f"${source}") if isinstance(field, ConfigKey) else _ranked_value(f"${source}")
    path, rank_path = f"_v{index}", f"_r{index}"
    stages.append({"$set": {rank_path: rank_of, path: value_of}})
    statistic = source if isinstance(field, Metric) else None
    return Term(path, order.descending, None, rank_path, stages, statistic)


def _source_of(field: Field, computed: str, conditions: Conditions) -> tuple[str, Pipeline]:  # noqa: PLR0911 - one a field
    """Where a field's value stands; and for one that is computed, the stages that do it."""
    match field:
        case ArtifactName():
            message = f"no order by {field}"
            raise TypeError(message)
        case Attribute("status"):
            return computed, _computed(computed, STATUS)
        case Attribute("duration"):
            return computed, _computed(computed, DURATION)
        case Attribute("archived"):
            return computed, _computed(computed, {"$gt": ["$archived_at", None]})
        case Attribute("experiment"):
            fields = {"localField": "experiment_id", "foreignField": "_id", "as": computed}
            return computed, [
                {"$lookup": {"from": EXPERIMENTS, **fields}},
                *_computed(computed, {"$first": f"${computed}.name"}),
            ]
        case Attribute(name):
            return name, []
        case Tag(key):
            value = {"$first": {"$map": {"input": of_key("$tags", key), "in": "$$this.v"}}}
            return computed, _computed(computed, value)
        case ConfigKey(key):
            return computed, _computed(computed, {"$first": of_key("$config", key)})
        case Metric():
            return conditions.path_of(field), []


def _computed(path: str, expression: Any) -> Pipeline:
    return [{"$set": {path: expression}}]


def of_key(array: str, key: str) -> Document:
    """Those of the tags, or the leaves of the config, that have this key."""
    return {"$filter": {"input": array, "cond": {"$eq": ["$$this.k", {"$literal": key}]}}}


def _is_finite(value: str) -> Document:
    return {"$and": [{"$gt": [value, -math.inf]}, {"$lt": [value, math.inf]}]}  # NaN is below everything here


def _ranked_value(value: str) -> tuple[Document, Document]:
    """The rank of an attribute, a tag or a statistic, and the value that counts within it."""
    is_text, is_boolean = {"$eq": [{"$type": value}, "string"]}, {"$eq": [{"$type": value}, "bool"]}
    rank = _first_of(
        (_is_finite(value), Rank.NUMBER),
        ({"$lte": [value, None]}, Rank.MISSING),  # null or missing
        (is_text, Rank.TEXT),
        (is_boolean, Rank.BOOLEAN),
        otherwise=Rank.NON_FINITE,
    )
    number = {"$cond": [is_boolean, {"$toDouble": value}, 0]}  # a boolean counts as the leaf of a config does
    return rank, {"$cond": [{"$or": [_is_finite(value), is_text]}, value, number]}


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
