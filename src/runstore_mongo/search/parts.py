"""The parts in which runs are searched, put together so that no run is missing or there twice.

Runs end and are begun again while they are looked for, and go from one part to another. On a replica set all commands of
an answer, and all stages of one, read the same moment. A standalone server has no such reads: there the parts are read in
an order in which a run that goes to another part is met there, and one that was met twice counts once.
"""

from collections.abc import Callable, Sequence
from typing import Final

from runstore.model import RunStatus
from runstore.query import Metric, RunQuery, tests_in
from runstore_mongo.connection import Connection, ResultT, Session
from runstore_mongo.documents.names import EXPERIMENTS, RUNS, Document, Pipeline
from runstore_mongo.documents.records import ANY_TIME
from runstore_mongo.search.conditions import EXPERIMENT, uses_metrics
from runstore_mongo.search.pipelines import Part

_ENDED: Final[Document] = {"end_time": ANY_TIME}
_LIVE: Final[Document] = {"status": str(RunStatus.IN_PROGRESS), "end_time": None}
_BEGUN_AGAIN: Final[Document] = {**_LIVE, "attempt": {"$gt": 1}}
NARROW: Final[Document] = {"has_more_series": {"$ne": True}}
WIDE: Final[Document] = {"has_more_series": True}

_ONCE: Final[Pipeline] = [
    {"$group": {"_id": "$_id", "run": {"$first": "$$ROOT"}}},
    {"$replaceRoot": {"newRoot": "$run"}},
]


def at_one_moment(connection: Connection, read: Callable[[Session], ResultT]) -> ResultT:
    """What ``read`` gives, all of one moment where the server can."""
    return connection.read_at_once(read) if connection.has_snapshots else read(None)


def parts_of(connection: Connection, asked: RunQuery, session: Session) -> list[Part]:
    """The parts that are searched one by one: by the index of results, by looking through live runs, by look-ups.

    Without a session a run may go from one to the next meanwhile. One that ends is in the first part or the second; one
    that is begun again is in the second or the third; and one that grows wide is in one of them or in the last.
    """
    if not any(isinstance(order.field, Metric) for order in asked.orders) and (
        asked.node is None or not uses_metrics(asked.node)
    ):
        return [Part()]
    has_wide = connection.collection(RUNS).find_one(WIDE, {"_id": 1}, session=session) is not None
    narrow = NARROW if has_wide else {}
    ended, live = Part({**_ENDED, **narrow}, has_results=True), Part({**_LIVE, **narrow})
    parts = [ended, live] if session is not None else [live, ended, Part({**_BEGUN_AGAIN, **narrow})]
    return [*parts, Part(WIDE, joins=True)] if has_wide else parts


def union(pipelines: Sequence[Pipeline], session: Session) -> Pipeline:
    """The stages that give what the pipelines give of their parts, each run once."""
    first, *others = pipelines
    stages = [*first, *({"$unionWith": {"coll": RUNS, "pipeline": other}} for other in others)]
    return [*stages, *_ONCE] if others and session is None else stages


def names_of_experiments(connection: Connection, asked: RunQuery, session: Session) -> dict[str, str]:
    """The names of all experiments by id, if the filter asks for a name."""
    if asked.node is None or all(test.field != EXPERIMENT for test in tests_in(asked.node)):
        return {}
    found = connection.collection(EXPERIMENTS).find({}, {"name": 1}, session=session)
    return {document["_id"]: document["name"] for document in found}
