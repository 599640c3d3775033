"""The deleted runs that can be restored."""

from collections.abc import Sequence

from runstore.model import DeletedRun, from_microseconds
from runstore.query import DeletedQuery
from runstore_mongo.connection import Connection
from runstore_mongo.documents.names import EXPERIMENTS, RUNS, Document
from runstore_mongo.documents.records import ANY_TIME


def read_deleted(connection: Connection, asked: DeletedQuery) -> Sequence[DeletedRun]:
    """Those that were asked for, each with its experiment's name."""
    scope: Document = {"purged_at": None, "deleted_at": ANY_TIME}
    if asked.experiment_id is not None:
        scope["experiment_id"] = asked.experiment_id
    if asked.after is not None:
        deleted_us, run_id = asked.after
        scope["$or"] = [{"deleted_at": {"$lt": deleted_us}}, {"deleted_at": deleted_us, "_id": {"$gt": run_id}}]
    fields = {"name": 1, "experiment_id": 1, "start_time": 1, "deleted_at": 1}
    order = [("deleted_at", -1), ("_id", 1)]
    runs = connection.collection(RUNS).find(scope, fields).sort(order).limit(asked.limit).to_list()
    ids = sorted({run["experiment_id"] for run in runs})
    found = connection.collection(EXPERIMENTS).find({"_id": {"$in": ids}}, {"name": 1})
    names = {experiment["_id"]: experiment["name"] for experiment in found}
    return [
        DeletedRun(
            id=run["_id"],
            name=run["name"],
            experiment_id=run["experiment_id"],
            experiment=names[run["experiment_id"]],
            start_time=from_microseconds(run["start_time"]),
            deleted_at=from_microseconds(run["deleted_at"]),
        )
        for run in runs
    ]
