"""Stores whose verbs check for themselves, as a drain sees them: with the operations of a backend."""

from collections.abc import Sequence
from typing import Any, cast

from runstore.artifacts import ArtifactRequest
from runstore.backend import BackendStore, NewExperiment, NewRun, RunEnd
from runstore.errors import RunNotFoundError
from runstore.model import Artifact, Run, from_microseconds
from runstore.series import SeriesColumns
from runstore.series.checked import CheckedPoint, CheckedPoints
from runstore.values import ConfigDocument


def with_operations(store: Any) -> BackendStore:
    """The store itself, if it has operations."""
    return cast("BackendStore", store if hasattr(store, "append") else _Operations(store))


class _Operations:
    def __init__(self, store: Any) -> None:
        self._store = store

    def make_experiment(self, new: NewExperiment) -> None:
        self._store.get_or_create_experiment(new.name, description=new.description)

    def begin_run(self, new: NewRun) -> None:
        self._store.ensure_run(
            new.experiment_id,
            run_id=new.id,
            training_mode=new.training_mode,
            parent_run_id=new.parent_run_id,
            client_id=new.client_id,
            name=new.name,
            source_path=new.source_path,
            tags=new.tags,
            provenance=new.provenance.values,
            start_time=None if new.start_us is None else from_microseconds(new.start_us),
            resume=new.resume,
        )

    def append(self, run_id: str, series: SeriesColumns) -> None:
        points = CheckedPoints(
            CheckedPoint(name, kind, step, value, moment)
            for (name, kind), columns in series.items()
            for step, value, moment in zip(*columns, strict=True)
        )
        self._store.log_metrics(run_id, points)

    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        self._store.log_config(run_id, config.values)

    def keep_artifact(self, run_id: str, request: ArtifactRequest) -> Any:
        return self._store.log_artifact(
            run_id,
            request.uri,
            name=request.name,
            artifact_type=request.artifact_type,
            copy=request.is_copied,
            metadata=request.metadata.values,
        )

    def end_run(self, run_id: str, end: RunEnd) -> None:
        end_time = None if end.end_us is None else from_microseconds(end.end_us)
        self._store.finalize(run_id, end.status, end_time=end_time, error=end.failure)

    def beat(self, run_id: str, lease_s: float) -> None:
        self._store.heartbeat(run_id, lease_s=lease_s)

    def find_run(self, run_id: str) -> Run | None:
        try:
            return cast("Run", self._store.get_run(run_id))
        except RunNotFoundError:
            return None

    def read_artifacts(self, run_id: str) -> Sequence[Artifact]:
        return cast("Sequence[Artifact]", self._store.list_artifacts(run_id))
