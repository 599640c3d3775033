"""A page of runs: at most four commands."""

from collections.abc import Sequence
from typing import Any, Final

from runstore.model import Run, RunStatus
from runstore.query import Metric, Place, RunQuery, tests_in
from runstore_mongo.connection import Connection
from runstore_mongo.documents.names import EXPERIMENTS, RUNS, Document, Pipeline
from runstore_mongo.documents.records import ANY_TIME, run_of
from runstore_mongo.search.conditions import EXPERIMENT, uses_metrics
from runstore_mongo.search.pipelines import Part, Search, sort_stage

_ENDED: Final[Document] = {"end_time": ANY_TIME}
_LIVE: Final[Document] = {"status": str(RunStatus.IN_PROGRESS), "end_time": None}
NARROW: Final[Document] = {"has_more_series": {"$ne": True}}
WIDE: Final[Document] = {"has_more_series": True}

_MORE: Final = 10
"""Runs that are read beyond a page by an index of results, to see that none ties with its last."""


def read_page(connection: Connection, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
    """The runs of a page, and the place of the last one if more follow."""
    return connection.call("search runs", lambda: _Page(connection, asked).read())


class _Page:
    """One page, as it is read."""

    def __init__(self, connection: Connection, asked: RunQuery) -> None:
        self._runs = connection.collection(RUNS)
        self._asked = asked
        experiments = names_of_experiments(connection, asked)
        self._searches = [Search(asked, part, experiments=experiments) for part in parts_of(connection, asked)]
        self._terms = self._searches[0].terms

    def read(self) -> tuple[Sequence[Run], Sequence[Any] | None]:
        limit = self._asked.limit
        found = self._finite() if self._searches[0].has_finite else []
        if len(found) <= limit:  # the page reaches into the runs without a finite value, or there are none with one
            found = self._found_by([search.pipeline() for search in self._searches])
        shown = found[:limit]
        place = self._place_of(shown[-1]) if len(found) > limit else None
        return [run_of(document) for document in shown], place

    def _finite(self) -> list[Document]:
        """The runs whose statistic is finite, in order; of those that end the list some may be missing."""
        most = self._asked.limit + 1 + _MORE
        value = self._terms[0].path
        pipelines = [search.finite_pipeline(most) for search in self._searches]
        found = self._found_by(pipelines, most=most)
        if len(found) < most or found[self._asked.limit][value] != found[-1][value]:
            return found
        # So many tie with the last of the page that the index alone does not tell which of them come first.
        bound = found[-1][value]
        return self._found_by([search.finite_pipeline(most, bound=bound) for search in self._searches])

    def _found_by(self, pipelines: list[Pipeline], *, most: int | None = None) -> list[Document]:
        first, *others = pipelines
        stages = [*first, *({"$unionWith": {"coll": RUNS, "pipeline": other}} for other in others)]
        if others:
            stages += [sort_stage(self._terms), {"$limit": most or self._asked.limit + 1}]
        return self._runs.aggregate(stages, allowDiskUse=True).to_list()

    def _place_of(self, document: Document) -> Place:
        return [
            (int(document[term.rank_path]) if term.rank is None else term.rank, document[term.path])
            for term in self._terms
        ]


def parts_of(connection: Connection, asked: RunQuery) -> list[Part]:
    """The parts that are searched one by one: by the index of results, by looking through live runs, by look-ups."""
    if not any(isinstance(order.field, Metric) for order in asked.orders) and (
        asked.node is None or not uses_metrics(asked.node)
    ):
        return [Part()]
    has_wide = connection.collection(RUNS).find_one(WIDE, {"_id": 1}) is not None
    narrow = NARROW if has_wide else {}
    parts = [Part({**_ENDED, **narrow}, has_results=True), Part({**_LIVE, **narrow})]
    return [*parts, Part(WIDE, joins=True)] if has_wide else parts


def names_of_experiments(connection: Connection, asked: RunQuery) -> dict[str, str]:
    """The names of all experiments by id, if the filter asks for a name."""
    if asked.node is None or all(test.field != EXPERIMENT for test in tests_in(asked.node)):
        return {}
    found = connection.collection(EXPERIMENTS).find({}, {"name": 1})
    return {document["_id"]: document["name"] for document in found}
