"""Reading: experiments, runs, configs, summaries and artifacts, each in a fixed number of statements."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from runstore.artifacts import Blobs
from runstore.backend import BackendStore, KeyRow, Presence, StepRange, ValueRow
from runstore.charts import HistoryGrid
from runstore.model import Artifact, DeletedRun, Experiment, Run, SeriesSummary
from runstore.query import DeletedQuery, KeyQuery, RunQuery, ValueQuery
from runstore.series import Columns, GridRequest, Series
from runstore_sql.connections.database import Database
from runstore_sql.metrics.charts import ChartReader
from runstore_sql.schema.rows import (
    artifact_of,
    experiment_of,
    is_shown,
    presence,
    run_columns,
    run_of,
    runs_and_relatives,
)
from runstore_sql.schema.tables import artifact, experiment, run
from runstore_sql.search.deletions import deleted_run_of, deleted_runs
from runstore_sql.search.facets import Facets
from runstore_sql.search.pages import Pages

_IDS_A_STATEMENT: Final = 1000
_IS_LISTED: Final = experiment.c.deleted_us.is_(None)

PLAIN: Final = "RUNSTORE_SQL_PLAIN"
"""The environment's variable that has summaries and points read in the plain way, a row each: to look for a fault."""

ResultT = TypeVar("ResultT")


class SqlReads(BackendStore):
    """The operations that read.

    Attributes:
        database: the connections, for administration and tests.
    """

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self.database = database
        self._blobs = blobs
        self._pages = Pages(database)
        self._facets = Facets(database)
        is_plain = bool(os.environ.get(PLAIN))
        self._histories = database.dialect.histories(is_plain=is_plain)
        self._charts = ChartReader(self._histories, database.dialect.writer.tables)
        self._listing = database.dialect.listing(is_plain=is_plain)

    @property
    def blobs(self) -> Blobs:
        """Those of the dialect, or a root that was named."""
        return self._blobs

    def connections_in_use(self) -> int:
        """How many connections this handle has checked out right now: none between calls."""
        return self.database.connections_in_use()

    def find_experiment_by_id(self, experiment_id: str) -> Experiment | None:
        row = self._first(sa.select(experiment).where(experiment.c.id == experiment_id, _IS_LISTED))
        return None if row is None else experiment_of(row)

    def read_experiments(self, after: str | None, limit: int) -> Sequence[Experiment]:
        query = sa.select(experiment).where(_IS_LISTED).order_by(experiment.c.name).limit(limit)
        if after is not None:
            query = query.where(experiment.c.name > after)
        return [experiment_of(row) for row in self._all(query)]

    def find_run(self, run_id: str) -> Run | None:
        columns = run_columns(self.database.dialect.now_us)
        row = self._first(sa.select(*columns).select_from(runs_and_relatives()).where(run.c.id == run_id, is_shown()))
        return None if row is None else run_of(row)

    def presence_of(self, run_id: str) -> Presence | None:
        row = self._first(sa.select(run.c.deleted_us, run.c.purged_us).where(run.c.id == run_id))
        return None if row is None else presence(row)

    def read_runs(self, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
        return self._pages.read(asked)

    def read_deleted(self, asked: DeletedQuery) -> Sequence[DeletedRun]:
        return [deleted_run_of(row) for row in self._all(deleted_runs(asked))]

    def read_count(self, asked: RunQuery) -> int:
        return self._facets.count(asked)

    def read_keys(self, asked: KeyQuery) -> Sequence[KeyRow]:
        return self._facets.keys(asked)

    def read_values(self, asked: ValueQuery) -> Sequence[ValueRow]:
        return self._facets.values(asked)

    def read_configs(self, run_ids: Sequence[str]) -> Mapping[str, str]:
        return self._of_many(self._listing.documents, run_ids)

    def read_summaries(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[SeriesSummary]]:
        return self._of_many(self._listing.summaries, run_ids)

    def _of_many(
        self, read: Callable[[Sequence[str], Any], dict[str, ResultT]], run_ids: Sequence[str]
    ) -> dict[str, ResultT]:
        """What is known of many runs; so many ids a statement that no driver's limit is met."""
        found: dict[str, ResultT] = {}
        for first in range(0, len(run_ids), _IDS_A_STATEMENT):
            found |= self.database.with_driver(partial(read, run_ids[first : first + _IDS_A_STATEMENT]))
        return found

    def read_history(self, run_id: str, series: Series, steps: StepRange) -> Columns | None:
        return self.database.with_driver(lambda connection: self._histories.whole(connection, run_id, series, steps))

    def read_sample(self, run_id: str, series: Series, max_points: int, steps: StepRange) -> tuple[Columns, int] | None:
        return self.database.with_driver(
            lambda connection: self._charts.sample(connection, run_id, series, max_points, steps)
        )

    def read_grid(self, asked: GridRequest, steps: StepRange) -> HistoryGrid:
        return self.database.with_driver(lambda connection: self._charts.grid(connection, asked, steps))

    def read_artifacts(self, run_id: str) -> Sequence[Artifact]:
        query = sa.select(artifact).join(run, artifact.c.run_pk == run.c.pk).where(run.c.id == run_id, is_shown())
        return [artifact_of(row, run_id) for row in self._all(query.order_by(artifact.c.name))]

    def read_artifact(self, run_id: str, name: str) -> Artifact | None:
        query = sa.select(artifact).join(run, artifact.c.run_pk == run.c.pk)
        row = self._first(query.where(run.c.id == run_id, is_shown(), artifact.c.name == name))
        return None if row is None else artifact_of(row, run_id)

    def _first(self, query: sa.Select[Any]) -> sa.Row[Any] | None:
        return self.database.read(lambda connection: connection.execute(query).first())

    def _all(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        return self.database.read(lambda connection: connection.execute(query).all())
