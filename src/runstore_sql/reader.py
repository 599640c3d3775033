"""Reading: experiments, runs, configs, summaries and artifacts, each in a fixed number of statements."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, BinaryIO, Final, TypeVar

import sqlalchemy as sa

from runstore.artifacts import Blobs, open_verified
from runstore.errors import ArtifactNotFoundError, ExperimentNotFoundError, RunNotFoundError
from runstore.model import Artifact, DatasetType, Experiment, History, Page, Run, SeriesSummary
from runstore.query import check_children, check_experiments, check_search
from runstore.values import checks, decode_config, experiment_id_of
from runstore_sql.connections.database import Database
from runstore_sql.metrics.history import check_sample_size
from runstore_sql.schema.rows import artifact_of, experiment_of, run_columns, run_of, runs_and_relatives
from runstore_sql.schema.tables import artifact, experiment, run
from runstore_sql.search.columns import Condition
from runstore_sql.search.pages import Pages

_IDS_A_STATEMENT: Final = 1000

PLAIN: Final = "RUNSTORE_SQL_PLAIN"
"""The environment's variable that has summaries and points read in the plain way, a row each: to look for a fault."""

ResultT = TypeVar("ResultT")


class SqlReader:
    """See :class:`runstore.protocol.RunReader` for every method.

    Attributes:
        database: the connections, for administration and tests.
    """

    def __init__(self, database: Database, blobs: Blobs) -> None:
        """Reads through the database's connections."""
        self.database = database
        self._blobs = blobs
        self._pages = Pages(database)
        is_plain = bool(os.environ.get(PLAIN))
        self._histories = database.dialect.histories(is_plain=is_plain)
        self._listing = database.dialect.listing(is_plain=is_plain)

    def connections_in_use(self) -> int:
        """How many connections this handle has checked out right now: none between calls."""
        return self.database.connections_in_use()

    def get_experiment(self, experiment_id: str) -> Experiment:
        """See :meth:`runstore.protocol.RunReader.get_experiment`."""
        checks.check_name(experiment_id, "experiment_id")
        found = self._one_experiment(experiment.c.id == experiment_id)
        if found is None:
            raise ExperimentNotFoundError.of(experiment_id)
        return found

    def find_experiment(self, name: str) -> Experiment | None:
        """See :meth:`runstore.protocol.RunReader.find_experiment`."""
        checks.check_name(name, "experiment name")
        return self._one_experiment(experiment.c.id == experiment_id_of(name))

    def _one_experiment(self, condition: Condition) -> Experiment | None:
        query = sa.select(experiment).where(condition)
        row = self.database.read(lambda connection: connection.execute(query).first())
        return None if row is None else experiment_of(row)

    def list_experiments(self, *, limit: int = 100, cursor: str | None = None) -> Page[Experiment]:
        """See :meth:`runstore.protocol.RunReader.list_experiments`."""
        asked = check_experiments(limit=limit, cursor=cursor)
        query = sa.select(experiment).order_by(experiment.c.name).limit(asked.limit + 1)
        if asked.after is not None:
            query = query.where(experiment.c.name > asked.after)
        rows = self.database.read(lambda connection: connection.execute(query).all())
        items = tuple(experiment_of(row) for row in rows[: asked.limit])
        return Page(items=items, next_cursor=asked.cursor_after(items[-1].name) if len(rows) > asked.limit else None)

    def get_run(self, run_id: str) -> Run:
        """See :meth:`runstore.protocol.RunReader.get_run`."""
        checks.check_run_id(run_id)
        found = self._find_run(run_id)
        if found is None:
            raise RunNotFoundError.of(run_id)
        return found

    def _find_run(self, run_id: str) -> Run | None:
        columns = run_columns(self.database.dialect.now_us)
        query = sa.select(*columns).select_from(runs_and_relatives()).where(run.c.id == run_id)
        row = self.database.read(lambda connection: connection.execute(query).first())
        return None if row is None else run_of(row)

    def search_runs(
        self,
        filter: str | None = None,  # noqa: A002 - the protocol's name
        *,
        experiment_id: str | None = None,
        order_by: Sequence[str] = ("start_time desc",),
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Run]:
        """See :meth:`runstore.protocol.RunReader.search_runs`."""
        asked = check_search(filter, experiment_id=experiment_id, order_by=order_by, limit=limit, cursor=cursor)
        return self._pages.read(asked)

    def list_children(self, run_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[Run]:
        """See :meth:`runstore.protocol.RunReader.list_children`."""
        asked = check_children(run_id, limit=limit, cursor=cursor)
        self._require_run(run_id)
        return self._pages.read(asked)

    def get_config(self, run_id: str) -> dict[str, Any]:
        """See :meth:`runstore.protocol.RunReader.get_config`."""
        checks.check_run_id(run_id)
        found = self.get_configs([run_id])
        if run_id not in found:
            raise RunNotFoundError.of(run_id)
        return found[run_id]

    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """See :meth:`runstore.protocol.RunReader.get_configs`."""
        documents = self._of_many(self._listing.documents, run_ids)
        return {run_id: decode_config(document or "{}") for run_id, document in documents.items()}

    def get_summaries(self, run_id: str) -> tuple[SeriesSummary, ...]:
        """See :meth:`runstore.protocol.RunReader.get_summaries`."""
        checks.check_run_id(run_id)
        found = self.get_summaries_of([run_id])
        if run_id not in found:
            raise RunNotFoundError.of(run_id)
        return found[run_id]

    def get_summaries_of(self, run_ids: Sequence[str]) -> dict[str, tuple[SeriesSummary, ...]]:
        """See :meth:`runstore.protocol.RunReader.get_summaries_of`."""
        return self._of_many(self._listing.summaries, run_ids)

    def _of_many(
        self, read: Callable[[Sequence[str], Any], dict[str, ResultT]], run_ids: Sequence[str]
    ) -> dict[str, ResultT]:
        """What is known of many runs, in the order asked for; so many ids a statement that no driver's limit is met."""
        wanted = checks.check_run_ids(run_ids)
        found: dict[str, ResultT] = {}
        for first in range(0, len(wanted), _IDS_A_STATEMENT):
            some = wanted[first : first + _IDS_A_STATEMENT]
            found |= self.database.with_driver(partial(read, some))
        return {run_id: found[run_id] for run_id in wanted if run_id in found}

    def get_history(
        self,
        run_id: str,
        name: str,
        dataset_type: DatasetType | str,
        *,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> History:
        """See :meth:`runstore.protocol.RunReader.get_history`."""
        checks.check_run_id(run_id)
        identity = checks.check_name(name, "name"), checks.check_dataset_type(dataset_type, "dataset_type")
        low = 0 if min_step is None else checks.check_step(min_step, "min_step")
        high = checks.MAX_STEP if max_step is None else checks.check_step(max_step, "max_step")
        return self.database.with_driver(
            lambda connection: self._histories.whole(connection, run_id, identity, low=low, high=high)
        )

    def sample_history(
        self, run_id: str, name: str, dataset_type: DatasetType | str, *, max_points: int = 2000
    ) -> History:
        """See :meth:`runstore.protocol.RunReader.sample_history`."""
        check_sample_size(max_points)
        checks.check_run_id(run_id)
        identity = checks.check_name(name, "name"), checks.check_dataset_type(dataset_type, "dataset_type")
        return self.database.with_driver(
            lambda connection: self._histories.sample(connection, run_id, identity, max_points=max_points)
        )

    def list_artifacts(self, run_id: str) -> tuple[Artifact, ...]:
        """See :meth:`runstore.protocol.RunReader.list_artifacts`."""
        checks.check_run_id(run_id)
        query = (
            sa.select(artifact, run.c.pk.label("known"))
            .select_from(run.outerjoin(artifact, artifact.c.run_pk == run.c.pk))
            .where(run.c.id == run_id)
            .order_by(artifact.c.name)
        )
        rows = self.database.read(lambda connection: connection.execute(query).all())
        if not rows:
            raise RunNotFoundError.of(run_id)
        return tuple(artifact_of(row, run_id) for row in rows if row.name is not None)

    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        """See :meth:`runstore.protocol.RunReader.open_artifact`."""
        checks.check_run_id(run_id)
        checks.check_artifact_name(name)
        query = (
            sa.select(artifact)
            .select_from(run.outerjoin(artifact, sa.and_(artifact.c.run_pk == run.c.pk, artifact.c.name == name)))
            .where(run.c.id == run_id)
        )
        row = self.database.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise RunNotFoundError.of(run_id)
        if row.name is None:
            raise ArtifactNotFoundError.of(run_id, name)
        return open_verified(artifact_of(row, run_id), self._blobs)

    def _require_run(self, run_id: str) -> None:
        query = sa.select(run.c.pk).where(run.c.id == run_id)
        if self.database.read(lambda connection: connection.execute(query).scalar()) is None:
            raise RunNotFoundError.of(run_id)
