"""The questions of :mod:`search_at_size`: to ours, and written by hand for the same tables and documents.

Each gives whole rows of at most 100 runs, or counts.
"""

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from runstore.backend import Store

_SHOWN: Final = "r.deleted_us IS NULL AND r.archived_us IS NULL"
_METRIC: Final = "(SELECT pk FROM runstore_metric WHERE name = 'auroc' AND dataset_type = 'validation')"
_LAST: Final = "ORDER BY r.start_us DESC LIMIT 100"
_TAG: Final = "t.key = 'owner' AND t.head = 'owner-3'"
_DEPTH: Final = "l.key = 'model.depth' AND l.number = 34 AND l.kind = 'int'"
_OF_TAG: Final = "runstore_tag t JOIN runstore_run r ON r.pk = t.run_pk"
_OF_METRIC: Final = "runstore_result v JOIN runstore_run r ON r.pk = v.run_pk"
_AND_DEPTH: Final = "JOIN runstore_config_leaf l ON l.run_pk = r.pk"

_MAX: Final = "metrics.validation/auroc.max"
_LAST_VALUE: Final = "metrics.validation/auroc.last"
_FINITE: Final = {"$gt": -math.inf, "$lt": math.inf}
_ENDED: Final = {"end_time": {"$gte": -(2**63)}}
_SHOWN_DOCUMENTS: Final = {"deleted_at": None, "archived_at": None}
_DEPTH_LEAF: Final = {"$elemMatch": {"k": "model.depth", "n": 34, "kind": "int"}}
_TAG_AND_DEPTH: Final = {"tags": {"$elemMatch": {"k": "owner", "v": "owner-3"}}, "config": _DEPTH_LEAF}
_OF_A_RUN: Final = {"config": 0, "config_document": 0, "metrics": 0, "pending": 0}


def _ordered(runs: Any, scope: dict[str, Any], path: str, direction: int) -> list[Any]:
    found: list[Any] = runs.find(
        {**scope, **_SHOWN_DOCUMENTS}, _OF_A_RUN, sort=[(path, direction)], limit=100
    ).to_list()
    return found


def _newest(runs: Any, scope: dict[str, Any]) -> list[Any]:
    return _ordered(runs, scope, "start_time", -1)


def _counted(runs: Any, *stages: dict[str, Any]) -> list[Any]:
    group = {"$group": {"_id": "$v", "runs": {"$sum": 1}}}
    found: list[Any] = runs.aggregate([{"$match": _SHOWN_DOCUMENTS}, *stages, group]).to_list()
    return found


def _leaf_of(field: str, key: str, value: str) -> list[dict[str, Any]]:
    return [
        {"$unwind": f"${field}"},
        {"$match": {f"{field}.k": key}},
        {"$project": {"v": f"${field}.{value}"}},
    ]


class Question(NamedTuple):
    """One question: to ours, as a statement of SQL, and as what the driver of MongoDB is asked."""

    ask: Callable[[Store], Any]
    sql: str
    mongodb: Callable[[Any], Any]


QUESTIONS: Final[dict[str, Question]] = {
    "newest": Question(
        lambda store: store.search_runs(),
        f"SELECT r.* FROM runstore_run r WHERE {_SHOWN} {_LAST}",
        lambda runs: _newest(runs, {}),
    ),
    "order by a metric": Question(
        lambda store: store.search_runs(order_by=["metric.validation.auroc.max desc"]),
        (
            f"SELECT r.*, v.max_value FROM {_OF_METRIC} WHERE v.metric_pk = {_METRIC} AND v.max_value IS NOT NULL AND {_SHOWN} "
            "ORDER BY v.max_value DESC LIMIT 100"
        ),
        lambda runs: _ordered(runs, {_MAX: _FINITE, **_ENDED}, _MAX, -1),
    ),
    "a metric, many pass": Question(
        lambda store: store.search_runs("metric.validation.auroc.max > 1.9"),
        (
            "SELECT r.* FROM runstore_run r JOIN runstore_series s ON s.run_pk = r.pk AND s.name = 'auroc' "
            f"AND s.dataset_type = 'validation' WHERE s.max_value > 1.9 AND {_SHOWN} {_LAST}"
        ),
        lambda runs: _newest(runs, {_MAX: {"$gt": 1.9}}),
    ),
    "a metric, few pass": Question(
        lambda store: store.search_runs("metric.validation.auroc.max > 1.9995"),
        f"SELECT r.* FROM {_OF_METRIC} WHERE v.metric_pk = {_METRIC} AND v.max_value > 1.9995 AND {_SHOWN} {_LAST}",
        lambda runs: _newest(runs, {_MAX: {"$gt": 1.9995}, **_ENDED}),
    ),
    "a metric and its order": Question(
        lambda store: store.search_runs("metric.validation.auroc > 0.9", order_by=["metric.validation.auroc"]),
        (
            f"SELECT r.* FROM {_OF_METRIC} WHERE v.metric_pk = {_METRIC} AND v.last_value > 0.9 AND {_SHOWN} "
            "ORDER BY v.last_value LIMIT 100"
        ),
        lambda runs: _ordered(runs, {_LAST_VALUE: {"$gt": 0.9, "$lt": math.inf}, **_ENDED}, _LAST_VALUE, 1),
    ),
    "a name": Question(
        lambda store: store.search_runs("name = 'run 777'"),
        f"SELECT r.* FROM runstore_run r WHERE r.name = 'run 777' AND {_SHOWN} {_LAST}",
        lambda runs: _newest(runs, {"name": "run 777"}),
    ),
    "nothing: a metric": Question(
        lambda store: store.search_runs("metric.validation.auroc.max > 100"),
        f"SELECT r.* FROM {_OF_METRIC} WHERE v.metric_pk = {_METRIC} AND v.max_value > 100 AND {_SHOWN} {_LAST}",
        lambda runs: _newest(runs, {_MAX: {"$gt": 100}, **_ENDED}),
    ),
    "nothing: a setting": Question(
        lambda store: store.search_runs("config.lr > 100"),
        (
            "SELECT r.* FROM runstore_config_leaf l JOIN runstore_run r ON r.pk = l.run_pk "
            f"WHERE l.key = 'lr' AND l.number > 100 AND {_SHOWN} {_LAST}"
        ),
        lambda runs: _newest(runs, {"config": {"$elemMatch": {"k": "lr", "n": {"$gt": 100}}}}),
    ),
    "tag and setting": Question(
        lambda store: store.search_runs("tag.owner = 'owner-3' and config.model.depth = 34"),
        f"SELECT r.* FROM {_OF_TAG} {_AND_DEPTH} WHERE {_TAG} AND {_DEPTH} AND {_SHOWN} {_LAST}",
        lambda runs: _newest(runs, _TAG_AND_DEPTH),
    ),
    "tag, setting, metric": Question(
        lambda store: store.search_runs(
            "tag.owner = 'owner-3' and config.model.depth = 34 and metric.validation.auroc.max > 1.5"
        ),
        (
            f"SELECT r.* FROM {_OF_TAG} {_AND_DEPTH} JOIN runstore_result v ON v.run_pk = r.pk AND v.metric_pk = {_METRIC} "
            f"WHERE {_TAG} AND {_DEPTH} AND v.max_value > 1.5 AND {_SHOWN} {_LAST}"
        ),
        lambda runs: _newest(runs, {**_TAG_AND_DEPTH, _MAX: {"$gt": 1.5}, **_ENDED}),
    ),
    "tag and setting by metric": Question(
        lambda store: store.search_runs(
            "tag.owner = 'owner-3' and config.model.depth = 34", order_by=["metric.validation.auroc.max desc"]
        ),
        (
            f"SELECT r.* FROM {_OF_TAG} {_AND_DEPTH} JOIN runstore_result v ON v.run_pk = r.pk AND v.metric_pk = {_METRIC} "
            f"WHERE {_TAG} AND {_DEPTH} AND {_SHOWN} ORDER BY v.max_value DESC LIMIT 100"
        ),
        lambda runs: _ordered(runs, {**_TAG_AND_DEPTH, **_ENDED}, _MAX, -1),
    ),
    "count: all": Question(
        lambda store: store.count_runs(),
        f"SELECT count(*) FROM runstore_run r WHERE {_SHOWN}",
        lambda runs: runs.count_documents(_SHOWN_DOCUMENTS),
    ),
    "count: a setting": Question(
        lambda store: store.count_runs("config.model.depth = 34"),
        f"SELECT count(*) FROM runstore_run r {_AND_DEPTH} WHERE {_DEPTH} AND {_SHOWN}",
        lambda runs: runs.count_documents({"config": _DEPTH_LEAF, **_SHOWN_DOCUMENTS}),
    ),
    "count: half by a metric": Question(
        lambda store: store.count_runs("metric.validation.auroc.max > 1.5"),
        f"SELECT count(*) FROM {_OF_METRIC} WHERE v.metric_pk = {_METRIC} AND v.max_value > 1.5 AND {_SHOWN}",
        lambda runs: runs.count_documents({_MAX: {"$gt": 1.5}, **_ENDED, **_SHOWN_DOCUMENTS}),
    ),
    "keys of settings": Question(
        lambda store: store.list_keys("config"),
        "SELECT l.key, count(*) FROM runstore_config_leaf l GROUP BY l.key",
        lambda runs: _counted(runs, {"$project": {"v": "$config.k"}}, {"$unwind": "$v"}),
    ),
    "keys of metrics": Question(
        lambda store: store.list_keys("metric"),
        "SELECT v.metric_pk, count(*) FROM runstore_result v GROUP BY v.metric_pk",
        lambda runs: _counted(
            runs, {"$project": {"m": {"$objectToArray": "$metrics"}}}, {"$project": {"v": "$m.k"}}, {"$unwind": "$v"}
        ),
    ),
    "values of a tag": Question(
        lambda store: store.list_values("tag.owner"),
        "SELECT t.head, count(*) FROM runstore_tag t WHERE t.key = 'owner' GROUP BY t.head",
        lambda runs: _counted(runs, *_leaf_of("tags", "owner", "v")),
    ),
    "values of a setting": Question(
        lambda store: store.list_values("config.lr"),
        "SELECT l.number, count(*) FROM runstore_config_leaf l WHERE l.key = 'lr' GROUP BY l.number",
        lambda runs: _counted(runs, *_leaf_of("config", "lr", "n")),
    ),
    "values of the status": Question(
        lambda store: store.list_values("status"),
        f"SELECT r.status, count(*) FROM runstore_run r WHERE {_SHOWN} GROUP BY r.status",
        lambda runs: _counted(runs, {"$project": {"v": "$status"}}),
    ),
}
