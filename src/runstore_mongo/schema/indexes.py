"""The indexes of each collection, and how those that an older release's store lacks are built beside its use."""

import logging
import threading
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database

from runstore_mongo.documents.names import ARTIFACTS, BLOBS, BUCKETS, EXPERIMENTS, RUNS, SERIES, Document
from runstore_mongo.documents.records import ANY_TIME

_log = logging.getLogger(__name__)

_MOST_WAITED_FOR: Final = 5_000
"""Runs for which indexes are built at once, in about a second; with more of them nobody waits."""

INDEXES: Final[dict[str, list[IndexModel]]] = {
    EXPERIMENTS: [IndexModel([("name", ASCENDING)], unique=True)],
    RUNS: [
        IndexModel([("start_time", DESCENDING), ("_id", ASCENDING)]),
        IndexModel([("experiment_id", ASCENDING), ("start_time", DESCENDING), ("_id", ASCENDING)]),
        IndexModel([("parent_run_id", ASCENDING), ("start_time", ASCENDING), ("_id", ASCENDING)]),
        IndexModel([("status", ASCENDING), ("start_time", DESCENDING), ("_id", ASCENDING)]),
        IndexModel([("name", ASCENDING), ("start_time", DESCENDING), ("_id", ASCENDING)]),
        IndexModel([("tags.k", ASCENDING), ("tags.v", ASCENDING)]),
        IndexModel([("config.k", ASCENDING), ("config.n", ASCENDING), ("config.p", ASCENDING)]),
        IndexModel([("has_more_series", ASCENDING)], partialFilterExpression={"has_more_series": True}),
        # Every statistic of every series of the runs that have ended: those of a live one change with each call.
        IndexModel([("metrics.$**", ASCENDING)], name="results", partialFilterExpression={"end_time": ANY_TIME}),
        IndexModel([("attempt", ASCENDING)], name="begun_again", partialFilterExpression={"attempt": {"$gt": 1}}),
        IndexModel(
            [("purged_at", ASCENDING), ("deleted_at", ASCENDING)],
            name="deleted",
            partialFilterExpression={"deleted_at": ANY_TIME},
        ),
        IndexModel([("is_purging", ASCENDING)], partialFilterExpression={"is_purging": True}),
    ],
    SERIES: [
        IndexModel([("run_id", ASCENDING)]),
        IndexModel([("metric_name", ASCENDING), ("dataset_type", ASCENDING)]),
    ],
    BUCKETS: [IndexModel([("series", ASCENDING), ("low", ASCENDING)])],
    ARTIFACTS: [IndexModel([("run_id", ASCENDING), ("artifact_name", ASCENDING)])],
    # The driver makes GridFS's own before it keeps the first file, and cannot for a user who may make no index.
    f"{BLOBS}.files": [IndexModel([("filename", ASCENDING), ("uploadDate", ASCENDING)])],
    f"{BLOBS}.chunks": [IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], unique=True)],
}


def build_indexes(database: "Database[Document]", then: Any) -> None:
    """Builds what is missing, and calls ``then`` once all is there.

    In a large store that happens in the background, while it is used: the server locks nobody out, and until an index
    is there, questions are answered without it. Should this process end first, the next one that opens the store waits
    for the builds that go on in the server, and starts those that do not.
    """
    if database[RUNS].estimated_document_count() <= _MOST_WAITED_FOR:
        build_all(database)
        then()
        return

    def build() -> None:
        try:
            build_all(database)
            then()
        except Exception as error:  # noqa: BLE001 - the store was closed, the server is away: the next opening goes on
            _log.info("the indexes of %s are not complete yet: %s", database.name, error)

    threading.Thread(target=build, name="runstore-indexes", daemon=True).start()


def build_all(database: "Database[Document]") -> None:
    """Builds what is missing, and returns once all is there."""
    for name, indexes in INDEXES.items():
        database[name].create_indexes(indexes)


def missing_indexes(database: "Database[Document]") -> list[str]:
    """Those that are not there, or are being built, each by its collection and name."""
    lacking = []
    for name, indexes in INDEXES.items():
        known = {each["name"] for each in database[name].list_indexes()}
        lacking += [f"{name}.{index.document['name']}" for index in indexes if index.document["name"] not in known]
    return lacking
