"""Reading: experiments, runs, configs, summaries and artifacts, each in a fixed number of statements."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, BinaryIO, Final, TypeVar, cast

import sqlalchemy as sa

from runstore import checks
from runstore.artifacts import open_verified
from runstore.blobs import Blobs
from runstore.config import decode_config
from runstore.errors import ArtifactNotFoundError, ExperimentNotFoundError, QueryError, RunNotFoundError
from runstore.ids import experiment_id_of
from runstore.model import Artifact, DatasetType, Experiment, History, Page, Run, SeriesSummary
from runstore.query import (
    Attribute,
    Order,
    decode_cursor,
    encode_cursor,
    parse_filter,
    parse_order,
    query_key,
)
from runstore_sql.database import Database
from runstore_sql.filters import Condition
from runstore_sql.history import HistoryReader, check_sample_size
from runstore_sql.many_runs import ManyRuns
from runstore_sql.pages import Pages, Scope
from runstore_sql.rows import artifact_of, experiment_of, run_columns, run_of, runs_and_relatives
from runstore_sql.schema import artifact, experiment, run

_IDS_A_STATEMENT: Final = 1000

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
        self._histories = HistoryReader.for_dialect(database.dialect)
        self._many_runs = ManyRuns(database.dialect)

    def connections_in_use(self) -> int:
        """How many connections this handle has checked out right now: none between calls."""
        return self.database.connections_in_use()

    def get_experiment(self, experiment_id: str) -> Experiment:
        """See :meth:`runstore.protocol.RunReader.get_experiment`."""
        checks.check_name(experiment_id, "experiment_id")
        found = self._one_experiment(experiment.c.id == experiment_id)
        if found is None:
            raise ExperimentNotFoundError(checks.unknown_experiment(experiment_id))
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
        limit = checks.check_limit(limit)
        key = query_key("experiments")
        query = sa.select(experiment).order_by(experiment.c.name).limit(limit + 1)
        if cursor is not None:
            query = query.where(experiment.c.name > checks.check_text(decode_cursor(key, cursor)[0], "cursor"))
        rows = self.database.read(lambda connection: connection.execute(query).all())
        items = tuple(experiment_of(row) for row in rows[:limit])
        return Page(items=items, next_cursor=encode_cursor(key, [items[-1].name]) if len(rows) > limit else None)

    def get_run(self, run_id: str) -> Run:
        """See :meth:`runstore.protocol.RunReader.get_run`."""
        checks.check_run_id(run_id)
        found = self._find_run(run_id)
        if found is None:
            raise RunNotFoundError(checks.unknown_run(run_id))
        return found

    def _find_run(self, run_id: str) -> Run | None:
        columns = run_columns(self.database.now_us)
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
        node, orders = parse_filter(filter), parse_order(order_by)
        limit = checks.check_limit(limit)
        if not (_could_be_stored(experiment_id or "") and _could_be_stored(filter or "")):
            # No database takes such a text even to compare with, and none holds one.
            raise QueryError("the filter or experiment_id holds a NUL character or a lone surrogate; take it out")
        kind = "all" if experiment_id is None else "experiment"
        scope = Scope(query_key("runs", node, orders, experiment_id), kind, experiment_id)
        return self._pages.read(node, orders, scope, limit=limit, cursor=cursor)

    def list_children(self, run_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[Run]:
        """See :meth:`runstore.protocol.RunReader.list_children`."""
        checks.check_run_id(run_id)
        limit = checks.check_limit(limit)
        orders = (Order(Attribute("start_time"), descending=False),)
        scope = Scope(query_key("children", run_id), "parent", self._pk_of(run_id))
        return self._pages.read(None, orders, scope, limit=limit, cursor=cursor)

    def get_config(self, run_id: str) -> dict[str, Any]:
        """See :meth:`runstore.protocol.RunReader.get_config`."""
        checks.check_run_id(run_id)
        found = self.get_configs([run_id])
        if run_id not in found:
            raise RunNotFoundError(checks.unknown_run(run_id))
        return found[run_id]

    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """See :meth:`runstore.protocol.RunReader.get_configs`."""
        documents = self._of_many(self._many_runs.documents, run_ids)
        return {run_id: decode_config(document or "{}") for run_id, document in documents.items()}

    def get_summaries(self, run_id: str) -> tuple[SeriesSummary, ...]:
        """See :meth:`runstore.protocol.RunReader.get_summaries`."""
        checks.check_run_id(run_id)
        found = self.get_summaries_of([run_id])
        if run_id not in found:
            raise RunNotFoundError(checks.unknown_run(run_id))
        return found[run_id]

    def get_summaries_of(self, run_ids: Sequence[str]) -> dict[str, tuple[SeriesSummary, ...]]:
        """See :meth:`runstore.protocol.RunReader.get_summaries_of`."""
        return self._of_many(self._many_runs.summaries, run_ids)

    def _of_many(
        self, read: Callable[[Sequence[str], Any], dict[str, ResultT]], run_ids: Sequence[str]
    ) -> dict[str, ResultT]:
        """What is known of many runs, in the order asked for; so many ids a statement that no driver's limit is met."""
        wanted = [run_id for run_id in dict.fromkeys(run_ids) if _could_be_stored(run_id)]
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
            raise RunNotFoundError(checks.unknown_run(run_id))
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
            raise RunNotFoundError(checks.unknown_run(run_id))
        if row.name is None:
            raise ArtifactNotFoundError(checks.unknown_artifact(run_id, name))
        return open_verified(artifact_of(row, run_id), self._blobs)

    def _pk_of(self, run_id: str) -> int:
        query = sa.select(run.c.pk).where(run.c.id == run_id)
        pk = self.database.read(lambda connection: connection.execute(query).scalar())
        if pk is None:
            raise RunNotFoundError(checks.unknown_run(run_id))
        return cast("int", pk)


def _could_be_stored(text: object) -> bool:
    """Whether any database could hold this text: drivers fail on NUL and on lone surrogates."""
    if not isinstance(text, str) or "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
