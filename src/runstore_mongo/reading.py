"""The reads of a store: each an operation of :class:`runstore.backend.BackendStore`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from runstore.backend import BackendStore, StepRange
from runstore.model import Artifact, Experiment, Run, SeriesSummary
from runstore.query import RunQuery
from runstore.series import Columns, Series
from runstore_mongo.connection import Connection
from runstore_mongo.documents.layouts import Layouts, decoded_summaries
from runstore_mongo.documents.names import ARTIFACTS, EXPERIMENTS, RUNS, SERIES, Document, artifact_key
from runstore_mongo.documents.records import SHOWN_FIELDS, artifact_of, experiment_of, run_of
from runstore_mongo.documents.summaries import WITHOUT_TAIL, summary_of
from runstore_mongo.points import read_points
from runstore_mongo.search import read_page

_RAW: Final = CodecOptions(document_class=RawBSONDocument)
_IDS_A_COMMAND: Final = 10_000
"""Of the longest, they take 10 MB of the 16 that a command may have."""


class MongoReads(BackendStore):
    """Reading, over a connection."""

    _connection: Connection
    _is_plain: bool

    def find_experiment_by_id(self, experiment_id: str) -> Experiment | None:
        found = self._find(EXPERIMENTS, experiment_id)
        return None if found is None else experiment_of(found)

    def read_experiments(self, after: str | None, limit: int) -> Sequence[Experiment]:
        scope: Document = {} if after is None else {"name": {"$gt": after}}
        experiments = self._connection.collection(EXPERIMENTS)
        found = self._connection.call(
            "list experiments", lambda: experiments.find(scope).sort("name", 1).limit(limit).to_list()
        )
        return [experiment_of(document) for document in found]

    def find_run(self, run_id: str) -> Run | None:
        found = self._find(RUNS, run_id, SHOWN_FIELDS)
        return None if found is None else run_of(found)

    def has_run(self, run_id: str) -> bool:
        return self._find(RUNS, run_id, {"_id": 1}) is not None

    def read_runs(self, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
        return read_page(self._connection, asked)

    def read_configs(self, run_ids: Sequence[str]) -> Mapping[str, str]:
        runs = self._connection.collection(RUNS)
        return self._connection.call(
            "read configs",
            lambda: {
                document["_id"]: document["config_document"]
                for some in _in_parts(run_ids)
                for document in runs.find({"_id": {"$in": some}}, {"config_document": 1})
            },
        )

    def read_summaries(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[SeriesSummary]]:
        runs = self._connection.collection(RUNS).with_options(codec_options=_RAW)
        documents = self._connection.call(
            "read summaries",
            lambda: [
                document
                for some in _in_parts(run_ids)
                for document in runs.find({"_id": {"$in": some}}, {"metrics": 1, "has_more_series": 1}).to_list()
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
        return read_points(self._connection, run_id, {series: steps}).get(series)

    def read_artifacts(self, run_id: str) -> Sequence[Artifact]:
        artifacts = self._connection.collection(ARTIFACTS)
        found = self._connection.call(
            "list artifacts", lambda: artifacts.find({"run_id": run_id}).sort("artifact_name", 1).to_list()
        )
        return [artifact_of(document) for document in found]

    def read_artifact(self, run_id: str, name: str) -> Artifact | None:
        found = self._find(ARTIFACTS, artifact_key(run_id, name))
        return None if found is None else artifact_of(found)

    def _find(self, name: str, identity: str, fields: Document | None = None) -> Document | None:
        collection = self._connection.collection(name)
        return self._connection.call(f"read {name}", lambda: collection.find_one({"_id": identity}, fields))


def _in_parts(run_ids: Sequence[str]) -> Iterator[list[str]]:
    return (list(run_ids[first : first + _IDS_A_COMMAND]) for first in range(0, len(run_ids), _IDS_A_COMMAND))
