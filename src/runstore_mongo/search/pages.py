"""A page of runs: at most three commands."""

from collections.abc import Sequence
from typing import Any

from runstore.model import Run
from runstore.query import Metric, RunQuery, tests_in
from runstore_mongo.connection import Connection
from runstore_mongo.documents.names import EXPERIMENTS, RUNS, Document, Pipeline
from runstore_mongo.documents.records import run_of
from runstore_mongo.search.conditions import EXPERIMENT, uses_metrics
from runstore_mongo.search.pipelines import Search


def read_page(connection: Connection, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
    """The runs of a page, and the place of the last one if more follow."""
    return connection.call("search runs", lambda: _read(connection, asked))


def _read(connection: Connection, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
    runs = connection.collection(RUNS)

    def found_by(pipeline: Pipeline) -> list[Document]:
        return runs.aggregate(pipeline, allowDiskUse=True).to_list()

    needs_metrics = any(isinstance(order.field, Metric) for order in asked.orders) or (
        asked.node is not None and uses_metrics(asked.node)
    )
    has_wide_runs = needs_metrics and runs.find_one({"has_more_series": True}, {"_id": 1}) is not None
    search = Search(asked, experiments=_experiments(connection, asked), joins=has_wide_runs)
    finite = search.finite_pipeline()
    found = [] if finite is None else found_by(finite)
    if len(found) <= asked.limit:  # the page reaches into the runs without a finite value, or there are none with one
        found = found_by(search.pipeline())
    shown = found[: asked.limit]
    place = search.place_of(shown[-1]) if len(found) > asked.limit else None
    return [run_of(document) for document in shown], place


def _experiments(connection: Connection, asked: RunQuery) -> dict[str, str]:
    """The names of all experiments by id, if the filter asks for a name."""
    if asked.node is None or all(test.field != EXPERIMENT for test in tests_in(asked.node)):
        return {}
    found = connection.collection(EXPERIMENTS).find({}, {"name": 1})
    return {document["_id"]: document["name"] for document in found}
