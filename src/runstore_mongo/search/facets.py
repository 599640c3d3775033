"""Counts: of the runs that match, of the keys in use, and of the values of a field."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from runstore.backend import KeyRow, ValueRow
from runstore.query import (
    ArtifactName,
    Attribute,
    ConfigKey,
    Field,
    KeyQuery,
    Metric,
    Rank,
    RunQuery,
    Tag,
    ValueQuery,
)
from runstore_mongo.connection import Connection, ResultT, Session
from runstore_mongo.documents.names import ARTIFACTS, EXPERIMENTS, RUNS, SERIES, Document, Pipeline, series_of
from runstore_mongo.documents.records import SHOWN
from runstore_mongo.documents.stages import STATUS
from runstore_mongo.search.orders import of_key
from runstore_mongo.search.parts import NARROW, WIDE, at_one_moment, names_of_experiments, parts_of, union
from runstore_mongo.search.pipelines import Search

_COUNT: Final = {"$count": "runs"}
_ID_ALONE: Final = {"$project": {"_id": 1}}
_IDENTITY: Final = {"$group": {"_id": "$v", "runs": {"$sum": 1}}}

_Rows = Callable[[Pipeline], list[Document]]


def read_count(connection: Connection, asked: RunQuery) -> int:
    """How many runs match."""

    def read(session: Session) -> int:
        experiments = names_of_experiments(connection, asked, session)
        parts = parts_of(connection, asked, session)
        searches = [Search(asked, part, experiments=experiments).matching() for part in parts]
        if session is None and len(parts) > 1:
            stages = [*union([[*stages, _ID_ALONE] for stages in searches], session), _COUNT]
        else:
            stages = union([[*stages, _COUNT] for stages in searches], session)
        runs = connection.collection(RUNS)
        return sum(int(each["runs"]) for each in runs.aggregate(stages, session=session, allowDiskUse=True))

    return connection.call("count runs", lambda: at_one_moment(connection, read))


def read_keys(connection: Connection, asked: KeyQuery) -> Sequence[KeyRow]:
    """The keys in use, those that most runs have first."""
    scope = _scope(asked.experiment_id)
    if asked.of == "metric":
        counts = _read(connection, lambda rows: _metric_counts(rows, scope))
    else:
        field = "tags" if asked.of == "tag" else "config"
        stages: Pipeline = [{"$match": scope}, {"$project": {"v": f"${field}.k"}}, {"$unwind": "$v"}, _IDENTITY]
        counts = _read(connection, lambda rows: Counter({(row["_id"], ""): int(row["runs"]) for row in rows(stages)}))
    found = [(key, count) for key, count in counts.items() if key[0].startswith(asked.prefix)]
    found.sort(key=lambda item: (-item[1], item[0]))
    return [(*key, count) for key, count in found[: asked.limit]]


def _metric_counts(rows: _Rows, scope: Document) -> "Counter[tuple[str, str]]":
    names = {"$map": {"input": {"$objectToArray": "$metrics"}, "in": "$$this.k"}}
    stages: Pipeline = [{"$match": {**scope, **NARROW}}, {"$project": {"v": names}}, {"$unwind": "$v"}, _IDENTITY]
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows(stages):
        counts[series_of(row["_id"])] += int(row["runs"])
    joined = {"from": SERIES, "localField": "_id", "foreignField": "run_id", "as": "v"}
    wanted = [{"$project": {"_id": 0, "n": "$metric_name", "t": "$dataset_type"}}]
    stages = [
        {"$match": {**scope, **WIDE}},
        {"$project": {"_id": 1}},
        {"$lookup": {**joined, "pipeline": wanted}},
        {"$unwind": "$v"},
        _IDENTITY,
    ]
    for row in rows(stages):
        counts[row["_id"]["n"], row["_id"]["t"]] += int(row["runs"])
    return counts


def read_values(connection: Connection, asked: ValueQuery) -> Sequence[ValueRow]:
    """The values of a field, those that most runs have first."""
    scope = _scope(asked.experiment_id, with_archived=asked.with_archived)
    if asked.field == Attribute("experiment"):
        return _experiments(connection, scope, asked)
    rank_and_value = {"r": "$r", "v": "$v"}
    stages: Pipeline = [
        {"$match": scope},
        *_valued(asked.field, without=asked.without),
        {"$match": {"r": {"$in": _counted(asked)}, **_begins(asked.prefix)}},
        {"$group": {"_id": rank_and_value, "runs": {"$sum": 1}}},
        {"$sort": {"runs": -1, "_id.r": 1, "_id.v": 1}},
        {"$limit": asked.limit},
    ]
    found = _read(connection, lambda rows: rows(stages))
    return [(_plain(**row["_id"]), int(row["runs"])) for row in found]


def _experiments(connection: Connection, scope: Document, asked: ValueQuery) -> list[ValueRow]:
    # The runs first: the experiment of a run is made before it.
    rows = _read(connection, lambda rows: rows([{"$match": scope}, {"$project": {"v": "$experiment_id"}}, _IDENTITY]))
    experiments = connection.collection(EXPERIMENTS)
    names = connection.call(
        "count runs", lambda: {each["_id"]: each["name"] for each in experiments.find({}, {"name": 1})}
    )
    found = [(names[row["_id"]], int(row["runs"])) for row in rows if names[row["_id"]].startswith(asked.prefix)]
    return sorted(found, key=lambda row: (-row[1], row[0]))[: asked.limit]


def _valued(field: Field, *, without: str) -> Pipeline:
    """The stages that give each run's value ``v`` and its rank ``r``."""
    # As literals: a bare number in a projection asks for the field of that name.
    text, number, boolean, other = (
        {"$literal": int(rank)} for rank in (Rank.TEXT, Rank.NUMBER, Rank.BOOLEAN, Rank.OTHER)
    )
    is_text = {"$cond": [{"$eq": [{"$type": "$v"}, "string"]}, text, number]}
    match field:
        case Tag(key):
            return [{"$project": {"v": {"$first": of_key("$tags", key)}}}, {"$project": {"v": "$v.v", "r": text}}]
        case ConfigKey(key):
            kinds = [
                {"case": {"$eq": ["$v.kind", "str"]}, "then": text},
                {"case": {"$eq": ["$v.kind", "bool"]}, "then": boolean},
                {"case": {"$in": ["$v.kind", ["int", "float"]]}, "then": number},
            ]
            value = {"$cond": [{"$eq": ["$v.kind", "str"]}, "$v.s", "$v.n"]}
            return [
                {"$project": {"v": {"$first": of_key("$config", key)}}},
                {"$project": {"v": value, "r": {"$switch": {"branches": kinds, "default": other}}}},
                {"$match": {"$or": [{"r": {"$ne": int(Rank.NUMBER)}}, {"v": {"$gt": -math.inf, "$lt": math.inf}}]}},
            ]
        case ArtifactName():
            joined = {"from": ARTIFACTS, "localField": "_id", "foreignField": "run_id", "as": "v"}
            kept = [{"$match": {"artifact_name": {"$not": _beginning(without)}}}] if without else []
            wanted = [*kept, {"$project": {"_id": 0, "artifact_name": 1}}]
            return [
                {"$project": {"_id": 1}},
                {"$lookup": {**joined, "pipeline": wanted}},
                {"$unwind": "$v"},
                {"$project": {"v": "$v.artifact_name", "r": text}},
            ]
        case Attribute("archived"):
            return [{"$project": {"v": {"$cond": [{"$gt": ["$archived_at", None]}, 1, 0]}, "r": boolean}}]
        case Attribute("status"):
            return [{"$project": {"v": STATUS, "r": text}}]
        case Attribute(name):
            return [{"$project": {"v": f"${name}"}}, {"$match": {"v": {"$ne": None}}}, {"$set": {"r": is_text}}]
        case Metric():
            raise AssertionError(field)


def _counted(asked: ValueQuery) -> list[int]:
    """The ranks that are counted: texts alone if they are to begin with something."""
    return [int(Rank.TEXT)] if asked.prefix else [int(Rank.NUMBER), int(Rank.TEXT), int(Rank.BOOLEAN)]


def _begins(prefix: str) -> Document:
    return {"v": _beginning(prefix)} if prefix else {"v": {"$ne": None}}


def _beginning(prefix: str) -> Document:
    return {"$regex": rf"\A{re.escape(prefix)}"}


def _plain(r: int, v: Any) -> bool | float | str:
    if r == Rank.BOOLEAN:
        return bool(v)
    return str(v) if r == Rank.TEXT else float(v)


def _scope(experiment_id: str | None, *, with_archived: bool = False) -> Document:
    scope: Document = dict(SHOWN) if with_archived else {**SHOWN, "archived_at": None}
    return scope if experiment_id is None else {"experiment_id": {"$eq": experiment_id}, **scope}


def _read(connection: Connection, read: Callable[[_Rows], ResultT]) -> ResultT:
    """What ``read`` makes of the rows that pipelines give, all of one moment where the server can."""
    runs = connection.collection(RUNS)

    def at_a_moment(session: Session) -> ResultT:
        return read(lambda stages: runs.aggregate(stages, session=session, allowDiskUse=True).to_list())

    return connection.call("count runs", lambda: at_one_moment(connection, at_a_moment))
