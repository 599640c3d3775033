"""One journaled record into a store: the call that was accepted, made again with what it was given."""

import contextlib
from pathlib import Path
from typing import cast

from runstore.errors import RunFinalizedError, RunNotFoundError
from runstore.model import Artifact, Run, RunStatus, from_microseconds
from runstore.protocol import BackendStore
from runstore.recording.health import HEALTH_PREFIX, HEALTH_TYPE, HEALTH_URI, RunHealth, health_metadata
from runstore.recording.records import (
    ArtifactRecord,
    ConfigRecord,
    ExperimentRecord,
    FinalizeRecord,
    MetricsRecord,
    PointFields,
    Record,
    RunRecord,
)
from runstore.series.checked import CheckedPoint, CheckedPoints
from runstore.values.config import decode_config

LEASE_S = 60.0
"""How long a recorded run is taken for alive without a sign of life; its recorder beats four times as often."""


def apply_record(store: BackendStore, record: Record, *, folder: Path) -> Artifact | Run | None:
    """Makes the call that a record stands for; ``folder`` is the journal's. Raises what the store raises.

    Returns:
        The artifact's record; for ``ensure_run`` the run as it was found, ``None`` if it was created or is new.
    """
    match record:
        case MetricsRecord():
            store.log_metrics(record.run_id, as_points(record.points))  # type: ignore[arg-type]  # see as_points
        case ExperimentRecord():
            store.get_or_create_experiment(record.name, description=record.description)
        case RunRecord():
            return _ensure_run(store, record)
        case ConfigRecord():
            store.log_config(record.run_id, decode_config(record.config))
        case ArtifactRecord():
            return _log_artifact(store, record, folder)
        case FinalizeRecord():
            _finalize(store, record)
    return None


def as_points(fields: list[PointFields]) -> CheckedPoints:
    """The journal's points in the form that every store's ``check_points`` takes as they are."""
    return CheckedPoints(cast("list[CheckedPoint]", fields))


def report_health(store: BackendStore, writer: str, health: RunHealth) -> None:
    """Stores a run's figures with the run; raises what the store raises."""
    store.log_artifact(
        health.run_id,
        HEALTH_URI,
        name=f"{HEALTH_PREFIX}{writer}",
        artifact_type=HEALTH_TYPE,
        copy=False,
        metadata=health_metadata(health),
    )


def _ensure_run(store: BackendStore, record: RunRecord) -> Run | None:
    found = None if record.is_new else _found_before(store, record)
    store.ensure_run(
        record.experiment_id,
        run_id=record.run_id,
        training_mode=record.training_mode,
        parent_run_id=record.parent_run_id,
        client_id=record.client_id,
        name=record.name,
        source_path=record.source_path,
        tags=record.tags,
        provenance=decode_config(record.provenance),
        start_time=from_microseconds(record.start_us),
        resume=record.resume,
    )
    # The lease of a recorded run is short, for somebody beats; set it at once, in case its writer is dead already. That
    # of a run which another process has in hand is left alone: nobody may beat for it.
    if found is None or record.resume or found.status != RunStatus.IN_PROGRESS:
        with contextlib.suppress(Exception):
            store.heartbeat(record.run_id, lease_s=LEASE_S)
    return found


def _found_before(store: BackendStore, record: RunRecord) -> Run | None:
    """The run, if somebody else began it: the try before this one may have, and its reply was lost."""
    try:
        run = store.get_run(record.run_id)
    except RunNotFoundError:
        return None
    is_made_by_record = (run.start_time, run.name, run.source_path, run.tags) == (
        from_microseconds(record.start_us), record.name, record.source_path, record.tags,
    )  # fmt: skip
    return None if is_made_by_record else run


def _log_artifact(store: BackendStore, record: ArtifactRecord, folder: Path) -> Artifact | None:
    path = str(folder / record.source) if record.is_staged else record.source
    if record.is_staged and not Path(path).exists() and _has_artifact(store, record):
        return None  # a replay: it was stored, and its staged bytes were removed
    return store.log_artifact(
        record.run_id,
        path,
        name=record.name,
        artifact_type=record.artifact_type,
        copy=record.copy,
        metadata=decode_config(record.metadata),
    )


def _has_artifact(store: BackendStore, record: ArtifactRecord) -> bool:
    found = store.list_artifacts(record.run_id)
    if record.sha256 is None:  # a folder: its files stand in the store one by one
        return any(artifact.name.startswith(f"{record.name}/") for artifact in found)
    return any((artifact.name, artifact.sha256) == (record.name, record.sha256) for artifact in found)


def _finalize(store: BackendStore, record: FinalizeRecord) -> None:
    end_time = from_microseconds(record.end_us)
    if not record.is_end_given:
        # This machine's clock may stand behind the one that began the run; an end that nobody chose gives way.
        end_time = max(end_time, store.get_run(record.run_id).start_time)
    try:
        store.finalize(record.run_id, record.status, end_time=end_time, error=record.failure)
    except RunFinalizedError:
        if not record.is_implied:
            raise
