"""A page of runs: at most four commands."""

from collections.abc import Sequence
from typing import Any, Final

from runstore.model import Run
from runstore.query import Place, RunQuery
from runstore_mongo.connection import Connection, Session
from runstore_mongo.documents.names import RUNS, Document, Pipeline
from runstore_mongo.documents.records import run_of
from runstore_mongo.search.parts import at_one_moment, names_of_experiments, parts_of, union
from runstore_mongo.search.pipelines import Search, sort_stage

_MORE: Final = 10
"""Runs that are read beyond a page by an index of results, to see that none ties with its last."""


def read_page(connection: Connection, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
    """The runs of a page, and the place of the last one if more follow."""
    return connection.call(
        "search runs", lambda: at_one_moment(connection, lambda session: _Page(connection, asked, session).read())
    )


class _Page:
    """One page, as it is read."""

    def __init__(self, connection: Connection, asked: RunQuery, session: Session) -> None:
        self._runs = connection.collection(RUNS)
        self._asked = asked
        self._session = session
        experiments = names_of_experiments(connection, asked, session)
        parts = parts_of(connection, asked, session)
        self._searches = [Search(asked, part, experiments=experiments) for part in parts]
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
        stages = union(pipelines, self._session)
        if len(pipelines) > 1:
            stages += [sort_stage(self._terms), {"$limit": most or self._asked.limit + 1}]
        # In one batch: otherwise the server sends 101 runs, and is asked once more whether another follows.
        batch = (most or self._asked.limit + 1) + 1
        found = self._runs.aggregate(stages, session=self._session, allowDiskUse=True, batchSize=batch)
        return found.to_list()

    def _place_of(self, document: Document) -> Place:
        return [
            (int(document[term.rank_path]) if term.rank is None else term.rank, document[term.path])
            for term in self._terms
        ]
