"""The reads of a store: each an operation of :class:`runstore.backend.BackendStore`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from runstore.backend import BackendStore, KeyRow, Presence, StepRange, ValueRow
from runstore.charts import HistoryGrid
from runstore.errors import RunDeletedError, RunNotFoundError
from runstore.model import Artifact, DeletedRun, Experiment, Run, SeriesSummary
from runstore.query import DeletedQuery, KeyQuery, RunQuery, ValueQuery
from runstore.series import Columns, GridRequest, Series
from runstore_mongo.connection import Connection
from runstore_mongo.documents.layouts import Layouts, decoded_summaries
from runstore_mongo.documents.names import ARTIFACTS, EXPERIMENTS, RUNS, SERIES, Document, artifact_key
from runstore_mongo.documents.records import SHOWN, SHOWN_FIELDS, artifact_of, experiment_of, presence_of, run_of
from runstore_mongo.documents.summaries import WITHOUT_TAIL, summary_of
from runstore_mongo.points import read_grid, read_points, read_sample
from runstore_mongo.search import read_count, read_deleted, read_keys, read_page, read_values

_RAW: Final = CodecOptions(document_class=RawBSONDocument)
_IDS_A_COMMAND: Final = 10_000
"""Of the longest, they take 10 MB of the 16 that a command may have."""


class MongoReads(BackendStore):
    """Reading, over a connection."""

    _connection: Connection
    _is_plain: bool

    def find_experiment_by_id(self, experiment_id: str) -> Experiment | None:
        found = self._find(EXPERIMENTS, {"_id": experiment_id, **SHOWN})
        return None if found is None else experiment_of(found)

    def read_experiments(self, after: str | None, limit: int) -> Sequence[Experiment]:
        scope: Document = dict(SHOWN) if after is None else {**SHOWN, "name": {"$gt": after}}
        experiments = self._connection.collection(EXPERIMENTS)
        found = self._connection.call(
            "list experiments", lambda: experiments.find(scope).sort("name", 1).limit(limit).to_list()
        )
        return [experiment_of(document) for document in found]

    def find_run(self, run_id: str) -> Run | None:
        found = self._find(RUNS, {"_id": run_id, **SHOWN}, SHOWN_FIELDS)
        return None if found is None else run_of(found)

    def presence_of(self, run_id: str) -> Presence | None:
        return presence_of(self._find(RUNS, {"_id": run_id}, {"deleted_at": 1, "purged_at": 1}))

    def read_runs(self, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
        return read_page(self._connection, asked)

    def read_deleted(self, asked: DeletedQuery) -> Sequence[DeletedRun]:
        return self._connection.call("list deleted runs", lambda: read_deleted(self._connection, asked))

    def read_count(self, asked: RunQuery) -> int:
        return read_count(self._connection, asked)

    def read_keys(self, asked: KeyQuery) -> Sequence[KeyRow]:
        return read_keys(self._connection, asked)

    def read_values(self, asked: ValueQuery) -> Sequence[ValueRow]:
        return read_values(self._connection, asked)

    def read_configs(self, run_ids: Sequence[str]) -> Mapping[str, str]:
        runs = self._connection.collection(RUNS)
        return self._connection.call(
            "read configs",
            lambda: {
                document["_id"]: document["config_document"]
                for some in _in_parts(run_ids)
                for document in runs.find({"_id": {"$in": some}, **SHOWN}, {"config_document": 1})
            },
        )

    def read_summaries(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[SeriesSummary]]:
        runs = self._connection.collection(RUNS).with_options(codec_options=_RAW)
        documents = self._connection.call(
            "read summaries",
            lambda: [
                document
                for some in _in_parts(run_ids)
                for document in runs.find(
                    {"_id": {"$in": some}, **SHOWN}, {"metrics": 1, "has_more_series": 1}
                ).to_list()
            ],
        )
        read = decoded_summaries if self._is_plain else Layouts().summaries
        found: dict[str, Sequence[SeriesSummary]] = {
            run["_id"]: read(bytes(run["metrics"].raw)) for run in documents if not run["has_more_series"]
        }
        for some in _in_parts([run["_id"] for run in documents if run["has_more_series"]]):
            found |= self._summaries_of_wide(some)
        return found

    def _summaries_of_wide(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[SeriesSummary]]:
        series = self._connection.collection(SERIES)
        documents = self._connection.call(
            "read summaries",
            lambda: self._connection.read_at_once(
                lambda session: series.find({"run_id": {"$in": run_ids}}, WITHOUT_TAIL, session=session).to_list()
            ),
        )
        found: dict[str, list[SeriesSummary]] = {run_id: [] for run_id in run_ids}
        for document in sorted(documents, key=lambda one: (one["metric_name"], one["dataset_type"])):
            found[document["run_id"]].append(summary_of(document))
        return found

    def read_history(self, run_id: str, series: Series, steps: StepRange) -> Columns | None:
        return read_points(self._connection, run_id, {series: steps}, only_shown=True).get(series)

    def read_sample(self, run_id: str, series: Series, max_points: int, steps: StepRange) -> tuple[Columns, int] | None:
        return read_sample(self._connection, run_id, series, max_points, steps)

    def read_grid(self, asked: GridRequest, steps: StepRange) -> HistoryGrid:
        return read_grid(self._connection, asked, steps)

    def read_artifacts(self, run_id: str) -> Sequence[Artifact]:
        if not self.has_run(run_id):
            return []
        artifacts = self._connection.collection(ARTIFACTS)
        found = self._connection.call(
            "list artifacts", lambda: artifacts.find({"run_id": run_id}).sort("artifact_name", 1).to_list()
        )
        return [artifact_of(document) for document in found]

    def read_artifact(self, run_id: str, name: str) -> Artifact | None:
        if not self.has_run(run_id):
            return None
        found = self._find(ARTIFACTS, {"_id": artifact_key(run_id, name)})
        return None if found is None else artifact_of(found)

    def _missing(self, run_id: str) -> RunNotFoundError:
        """What is wrong with a run that takes no writes."""
        presence = self.presence_of(run_id)
        if presence is None:
            return RunNotFoundError.of(run_id)
        return RunDeletedError.of(run_id, is_purged=presence is Presence.PURGED)

    def _find(self, name: str, scope: Document, fields: Document | None = None) -> Document | None:
        collection = self._connection.collection(name)
        return self._connection.call(f"read {name}", lambda: collection.find_one(scope, fields))


def _in_parts(run_ids: Sequence[str]) -> Iterator[list[str]]:
    return (list(run_ids[first : first + _IDS_A_COMMAND]) for first in range(0, len(run_ids), _IDS_A_COMMAND))
