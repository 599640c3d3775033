"""The runs of :mod:`many_runs` in MongoDB: documents as the store's own verbs would have written them.

Their points wait in the run, as those of a run that short do.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

import many_runs
import pymongo
from bson.int64 import Int64
from bson.objectid import ObjectId

from runstore.hookspecs import OpenOptions
from runstore.model import DATASET_TYPES
from runstore.series import Columns
from runstore.values import ConfigLeaf
from runstore_mongo.documents.names import EXPERIMENTS, RUNS, Document, copy_key
from runstore_mongo.documents.packed import packed
from runstore_mongo.documents.records import leaf_document
from runstore_mongo.documents.summaries import statistics
from runstore_mongo.schema.indexes import INDEXES
from runstore_mongo.store import MongoStore
from runstore_sql.metrics.summary_rows import summary_of
from runstore_sql.schema.tables import config, config_leaf, run, series, tag

_TIMES: Final = ("start_us", "end_us", "heartbeat_us", "expires_us")
_STEPS: Final = array("q", range(many_runs.POINTS))


def load(url: str, count: int) -> None:
    """Fills an empty database with so many runs."""
    MongoStore(url, artifacts=OpenOptions().artifacts).close()
    with pymongo.MongoClient[Document](url) as client:
        database = client.get_default_database()
        runs = database[RUNS]
        runs.drop_indexes()
        for rows in many_runs.rows_of(count):
            if experiments := list(_named(rows, "runstore_experiment")):
                database[EXPERIMENTS].insert_many([_experiment(row) for row in experiments])
            runs.insert_many(_documents(rows))
        runs.create_indexes(INDEXES[RUNS])


def _named(rows: many_runs.Rows, table: str) -> Iterator[dict[str, Any]]:
    return (dict(zip(many_runs.COLUMNS[table], row, strict=True)) for row in rows[table])


def _experiment(row: dict[str, Any]) -> Document:
    return {
        "_id": row["id"],
        "name": row["name"],
        "description": None,
        "created_at": Int64(row["created_us"]),
    }


def _documents(rows: many_runs.Rows) -> Iterable[Document]:
    tags, leaves, summaries = (_by_run(rows, table.name) for table in (tag, config_leaf, series))
    texts = {row["run_pk"]: row["document"] for row in _named(rows, config.name)}
    for row in _named(rows, run.name):
        pk = row["pk"]
        start, end, heartbeat, expires = (None if row[name] is None else Int64(row[name]) for name in _TIMES)
        yield {
            "_id": row["id"],
            "experiment_id": f"{row['experiment_pk']:032x}",
            "name": row["name"],
            "status": row["status"],
            "training_mode": row["training_mode"],
            "parent_run_id": None,
            "client_id": None,
            "attempt": row["attempt"],
            "start_time": start,
            "end_time": end,
            "heartbeat_at": heartbeat,
            "expires_at": expires,
            "lease_s": row["lease_s"],
            "failure": None,
            "source_path": None,
            "tags": [{"k": each["key"], "v": each["value"]} for each in tags[pk]],
            "provenance": row["provenance"],
            "config_version": 1,
            "config_document": texts[pk],
            "config": [
                leaf_document(ConfigLeaf(each["key"], each["kind"], each["number"], each["value"]))
                for each in leaves[pk]
            ],
            "metrics": {copy_key((each["name"], each["dataset_type"])): _statistics(each) for each in summaries[pk]},
            "pending": [_waiting(each) for each in summaries[pk]],
            "has_more_series": False,
        }


def _by_run(rows: many_runs.Rows, table: str) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in _named(rows, table):
        found[row["run_pk"]].append(row)
    return found


def _statistics(row: dict[str, Any]) -> Document:
    columns = [row[name] for name in many_runs.COLUMNS[series.name][4:]]
    return statistics(1, summary_of(row["name"], DATASET_TYPES[row["dataset_type"]], *columns))


def _waiting(row: dict[str, Any]) -> Document:
    value = 0.5 if row["last_value"] is None else row["last_value"]
    points = Columns(_STEPS, array("d", [value]) * len(_STEPS), array("q", [many_runs.START_US]) * len(_STEPS))
    return {
        "call": ObjectId(),
        "metric_name": row["name"],
        "dataset_type": row["dataset_type"],
        "version": 1,
        **packed(points),
    }
