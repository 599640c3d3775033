"""The reading half of the store; see :class:`runstore.protocol.RunReader` for every method."""

from array import array
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, BinaryIO, Self

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from runstore.artifacts.blobs import Blobs, blobs_at
from runstore.artifacts.verifying import open_verified
from runstore.errors import (
    ArtifactNotFoundError,
    ExperimentNotFoundError,
    InvalidValueError,
    RunNotFoundError,
)
from runstore.model import Artifact, DatasetType, Experiment, History, Page, Run, SeriesSummary
from runstore.query.searches import RunQuery, check_children, check_experiments, check_search
from runstore.query.tree import Metric
from runstore.series.sampling import MIN_SAMPLE, sample_indices
from runstore.values import checks
from runstore.values.config import decode_config
from runstore.values.ids import experiment_id_of
from runstore_mongo.blobs import GridFSBlobs
from runstore_mongo.conditions import uses_metrics
from runstore_mongo.connection import Connection, Document
from runstore_mongo.documents import (
    ARTIFACTS,
    EXPERIMENTS,
    RUNS,
    SERIES,
    SUMMARY_FIELDS,
    artifact_key,
    artifact_of,
    experiment_of,
    run_of,
    summary_of,
)
from runstore_mongo.history import read_points
from runstore_mongo.layouts import Layouts
from runstore_mongo.schema import open_schema
from runstore_mongo.search import RUN_PROJECTION, Search

_RAW = CodecOptions(document_class=RawBSONDocument)
_IDS_A_COMMAND = 10_000
"""Of the longest, they take 10 MB of the 16 that a command may have."""


class MongoReader:
    """A handle on one database, for reading."""

    def __init__(self, url: str, *, artifacts: str | None = None, read_only: bool = False) -> None:
        """Opens the database and, unless ``read_only``, makes its schema where there is none.

        Args:
            url: ``mongodb://…/database`` or ``mongodb+srv://…/database``.
            artifacts: where artifact bytes lie: a directory or any fsspec URL; GridFS in the same database by default.
            read_only: create nothing.
        """
        self._arguments = (url, artifacts, read_only)
        self._connection = Connection(url)
        self._blobs: Blobs = blobs_at(artifacts) if artifacts else GridFSBlobs(self._connection)
        try:
            open_schema(self._connection, read_only=read_only)
        except BaseException:
            self._connection.close()
            raise

    # --- experiments and runs -----------------------------------------------------------------------------------

    def get_experiment(self, experiment_id: str) -> Experiment:
        """See :meth:`runstore.protocol.RunReader.get_experiment`."""
        checks.check_name(experiment_id, "experiment_id")
        found = self._find(EXPERIMENTS, experiment_id)
        if found is None:
            raise ExperimentNotFoundError.of(experiment_id)
        return experiment_of(found)

    def find_experiment(self, name: str) -> Experiment | None:
        """See :meth:`runstore.protocol.RunReader.find_experiment`."""
        checks.check_name(name, "experiment name")
        found = self._find(EXPERIMENTS, experiment_id_of(name))
        return None if found is None else experiment_of(found)

    def list_experiments(self, *, limit: int = 100, cursor: str | None = None) -> Page[Experiment]:
        """See :meth:`runstore.protocol.RunReader.list_experiments`."""
        asked = check_experiments(limit=limit, cursor=cursor)
        after: Document = {} if asked.after is None else {"name": {"$gt": asked.after}}
        found = self._connection.call(
            "list experiments",
            lambda: list(self._connection.collection(EXPERIMENTS).find(after).sort("name", 1).limit(asked.limit + 1)),
        )
        items = tuple(experiment_of(document) for document in found[: asked.limit])
        return Page(items=items, next_cursor=asked.cursor_after(items[-1].name) if len(found) > asked.limit else None)

    def get_run(self, run_id: str) -> Run:
        """See :meth:`runstore.protocol.RunReader.get_run`."""
        checks.check_run_id(run_id)
        found = self._aggregate("read a run", RUNS, [{"$match": {"_id": run_id}}, {"$project": RUN_PROJECTION}])
        if not found:
            raise RunNotFoundError.of(run_id)
        return run_of(found[0], now_us=found[0]["now"])

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
        return self._page(asked)

    def list_children(self, run_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[Run]:
        """See :meth:`runstore.protocol.RunReader.list_children`."""
        asked = check_children(run_id, limit=limit, cursor=cursor)
        self._require_run(run_id)
        return self._page(asked)

    def _page(self, asked: RunQuery) -> Page[Run]:
        needs_metrics = any(isinstance(order.field, Metric) for order in asked.orders) or (
            asked.node is not None and uses_metrics(asked.node)
        )
        search = Search(asked, joins=needs_metrics and self._has_partial_copies())
        limit = asked.limit
        finite = search.finite_pipeline()
        found = [] if finite is None else self._aggregate("search runs", RUNS, finite)
        if len(found) <= limit:  # the page reaches into the runs without a finite value, or there are none with one
            found = self._aggregate("search runs", RUNS, search.pipeline())
        shown = found[:limit]
        return Page(
            items=tuple(run_of(document, now_us=document["now"]) for document in shown),
            next_cursor=asked.cursor_after(search.place_of(shown[-1])) if len(found) > limit else None,
        )

    # --- config and metrics -------------------------------------------------------------------------------------

    def get_config(self, run_id: str) -> dict[str, Any]:
        """See :meth:`runstore.protocol.RunReader.get_config`."""
        checks.check_run_id(run_id)
        found = self._find(RUNS, run_id, {"config_document": 1})
        if found is None:
            raise RunNotFoundError.of(run_id)
        return decode_config(found["config_document"])

    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """See :meth:`runstore.protocol.RunReader.get_configs`."""
        wanted = checks.check_run_ids(run_ids)
        runs = self._connection.collection(RUNS)
        found = self._connection.call(
            "read configs",
            lambda: {
                document["_id"]: document["config_document"]
                for some in _in_parts(wanted)
                for document in runs.find({"_id": {"$in": some}}, {"config_document": 1})
            },
        )
        return {run_id: decode_config(found[run_id]) for run_id in wanted if run_id in found}

    def get_summaries(self, run_id: str) -> tuple[SeriesSummary, ...]:
        """See :meth:`runstore.protocol.RunReader.get_summaries`."""
        checks.check_run_id(run_id)
        found = self.get_summaries_of([run_id])
        if run_id not in found:
            raise RunNotFoundError.of(run_id)
        return found[run_id]

    def get_summaries_of(self, run_ids: Sequence[str]) -> dict[str, tuple[SeriesSummary, ...]]:
        """See :meth:`runstore.protocol.RunReader.get_summaries_of`."""
        wanted = checks.check_run_ids(run_ids)
        runs = self._connection.collection(RUNS).with_options(codec_options=_RAW)
        documents = self._connection.call(
            "read summaries",
            lambda: [
                document
                for some in _in_parts(wanted)
                for document in runs.find({"_id": {"$in": some}}, {"metrics": 1, "has_more_series": 1}).to_list()
            ],
        )
        found: dict[str, tuple[SeriesSummary, ...]] = {}
        wide = []
        layouts = Layouts()
        for run in documents:
            if run["has_more_series"]:
                wide.append(run["_id"])
            else:
                found[run["_id"]] = layouts.summaries(bytes(run["metrics"].raw))
        for some in _in_parts(wide):
            found |= self._summaries_of_wide(some)
        return {run_id: found[run_id] for run_id in wanted if run_id in found}

    def _summaries_of_wide(self, run_ids: list[str]) -> dict[str, tuple[SeriesSummary, ...]]:
        series = self._connection.collection(SERIES)
        documents = self._connection.call(
            "read summaries",
            lambda: self._connection.read_at_once(
                lambda session: series.find({"run_id": {"$in": run_ids}}, SUMMARY_FIELDS, session=session).to_list()
            ),
        )
        found: dict[str, list[SeriesSummary]] = {run_id: [] for run_id in run_ids}
        for document in documents:
            found[document["run_id"]].append(summary_of(document))
        return {
            run_id: tuple(sorted(summaries, key=lambda one: (one.name, one.dataset_type)))
            for run_id, summaries in found.items()
        }

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
        checks.check_name(name, "name")
        kind = checks.check_dataset_type(dataset_type, "dataset_type")
        low = 0 if min_step is None else checks.check_step(min_step, "min_step")
        high = checks.MAX_STEP if max_step is None else checks.check_step(max_step, "max_step")
        columns = read_points(self._connection, run_id, {(name, kind): (low, high)}).get((name, kind))
        if columns is None:
            self._require_run(run_id)
            return History.empty(name=name, dataset_type=DatasetType(kind))
        return History(
            name=name,
            dataset_type=DatasetType(kind),
            steps=columns.steps,
            values=columns.values,
            logged_at_us=columns.times,
        )

    def sample_history(
        self, run_id: str, name: str, dataset_type: DatasetType | str, *, max_points: int = 2000
    ) -> History:
        """See :meth:`runstore.protocol.RunReader.sample_history`."""
        if isinstance(max_points, bool) or not isinstance(max_points, int) or max_points < MIN_SAMPLE:
            raise InvalidValueError(f"max_points is {max_points!r}; give at least {MIN_SAMPLE}")
        whole = self.get_history(run_id, name, dataset_type)
        kept = sample_indices(whole.steps, whole.values, max_points)
        return History(
            name=whole.name,
            dataset_type=whole.dataset_type,
            steps=array("q", [whole.steps[index] for index in kept]),
            values=array("d", [whole.values[index] for index in kept]),
            logged_at_us=array("q", [whole.logged_at_us[index] for index in kept]),
            represents=len(whole),
        )

    # --- artifacts ----------------------------------------------------------------------------------------------

    def list_artifacts(self, run_id: str) -> tuple[Artifact, ...]:
        """See :meth:`runstore.protocol.RunReader.list_artifacts`."""
        self._require_run(run_id)
        artifacts = self._connection.collection(ARTIFACTS)
        found = self._connection.call(
            "list artifacts", lambda: artifacts.find({"run_id": run_id}).sort("artifact_name", 1).to_list()
        )
        return tuple(artifact_of(document) for document in found)

    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        """See :meth:`runstore.protocol.RunReader.open_artifact`."""
        checks.check_run_id(run_id)
        checks.check_artifact_name(name)
        found = self._find(ARTIFACTS, artifact_key(run_id, name))
        if found is None:
            self._require_run(run_id)
            raise ArtifactNotFoundError.of(run_id, name)
        return open_verified(artifact_of(found), self._blobs)

    # --- the handle ---------------------------------------------------------------------------------------------

    def close(self) -> None:
        """See :meth:`runstore.protocol.RunReader.close`."""
        self._connection.close()

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the store."""
        self.close()

    def __repr__(self) -> str:
        """The class and the URL without its secrets."""
        return f"{type(self).__name__}({self._connection.shown!r})"

    def _find(self, name: str, identity: str, fields: Document | None = None) -> Document | None:
        collection = self._connection.collection(name)
        return self._connection.call(f"read {name}", lambda: collection.find_one({"_id": identity}, fields))

    def _aggregate(self, asked: str, name: str, pipeline: list[Document]) -> list[Document]:
        collection = self._connection.collection(name)
        return self._connection.call(asked, lambda: collection.aggregate(pipeline, allowDiskUse=True).to_list())

    def _has_partial_copies(self) -> bool:
        """Whether any run is wide: has more series than it holds summaries of."""
        runs = self._connection.collection(RUNS)
        return (
            self._connection.call("search runs", lambda: runs.find_one({"has_more_series": True}, {"_id": 1}))
            is not None
        )

    def _require_run(self, run_id: str) -> None:
        checks.check_run_id(run_id)
        if self._find(RUNS, run_id, {"_id": 1}) is None:
            raise RunNotFoundError.of(run_id)


def _in_parts(run_ids: list[str]) -> Iterator[list[str]]:
    return (run_ids[first : first + _IDS_A_COMMAND] for first in range(0, len(run_ids), _IDS_A_COMMAND))
