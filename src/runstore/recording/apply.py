"""One journaled record into a store: the call that was accepted becomes an operation of the backend."""

import contextlib
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from runstore.artifacts import ArtifactFile, ArtifactRequest, check_artifact
from runstore.backend import BackendStore, ExperimentChange, Presence, RunChange, RunEnd
from runstore.errors import RunFinalizedError
from runstore.health import HEALTH_TYPE, HEALTH_URI, RunHealth, health_metadata
from runstore.model import HEALTH_PREFIX, Artifact, Run, RunStatus, from_microseconds
from runstore.recording.gather import points_of
from runstore.recording.records import (
    ArtifactRecord,
    ChangeRecord,
    ConfigRecord,
    ExperimentChangeRecord,
    ExperimentRecord,
    FinalizeRecord,
    MetricsRecord,
    PointsRecord,
    Record,
    RunRecord,
)
from runstore.values import ConfigDocument

Change = TypeVar("Change", RunChange, ExperimentChange)

LEASE_S = 60.0
"""How long a recorded run is taken for alive without a heartbeat; its recorder beats four times as often."""


def apply_record(store: BackendStore, record: Record, *, folder: Path, is_late: bool) -> Artifact | Run | None:
    """Does what a record stands for. Raises what the store raises.

    Args:
        store: where to.
        record: what was accepted.
        folder: the journal's.
        is_late: nobody waits for the call any more, so that others may have changed since what it changes.

    Returns:
        The artifact's record; for ``ensure_run`` the run as it was found, ``None`` if it was created or is new.
    """
    match record:
        case PointsRecord() | MetricsRecord():
            store.append(record.run_id, points_of(record).by_series())
        case ExperimentRecord():
            store.make_experiment(record.new_experiment(is_late=is_late))
        case RunRecord():
            return _begin_run(store, record)
        case ConfigRecord():
            store.merge_config(record.run_id, ConfigDocument(record.config))
        case ArtifactRecord():
            return _keep_artifact(store, record, folder)
        case FinalizeRecord():
            _end_run(store, record)
        case ChangeRecord():
            store.change_run(record.run_id, _told_late(record.change) if is_late else record.change)
        case ExperimentChangeRecord():
            store.change_experiment(record.experiment_id, _told_late(record.change) if is_late else record.change)
    return None


def _told_late(change: Change) -> Change:
    return replace(change, is_late=True)


def report_health(store: BackendStore, writer: str, health: RunHealth) -> None:
    """Stores a run's figures with the run; raises what the store raises."""
    request = check_artifact(
        HEALTH_URI,
        name=f"{HEALTH_PREFIX}{writer}",
        artifact_type=HEALTH_TYPE,
        copy=False,
        metadata=health_metadata(health),
    )
    store.keep_artifact(health.run_id, request)


def _begin_run(store: BackendStore, record: RunRecord) -> Run | None:
    found = None if record.is_new else _found_before(store, record)
    store.begin_run(record.new_run())
    # The lease of a recorded run is short, for somebody beats; set it at once, in case its writer is dead already. That
    # of a run which another process has in hand is left alone: nobody may beat for it.
    if found is None or record.resume or found.status != RunStatus.IN_PROGRESS:
        with contextlib.suppress(Exception):
            store.beat(record.run_id, LEASE_S)
    return found


def _found_before(store: BackendStore, record: RunRecord) -> Run | None:
    """The run, if somebody else began it: the try before this one may have, and its reply was lost."""
    run = store.find_run(record.run_id)
    if run is None:
        return None
    is_made_by_record = (run.start_time, run.name, run.source_path, run.tags) == (
        from_microseconds(record.start_us), record.name, record.source_path, record.tags,
    )  # fmt: skip
    return None if is_made_by_record else run


def _keep_artifact(store: BackendStore, record: ArtifactRecord, folder: Path) -> Artifact | None:
    path = folder / record.source
    if record.is_staged and not path.exists() and _has_artifact(store, record):
        return None  # a replay: it was stored, and its staged bytes were removed
    return store.keep_artifact(record.run_id, _request_of(record, str(path) if record.is_staged else record.source))


def _request_of(record: ArtifactRecord, path: str) -> ArtifactRequest:
    metadata = ConfigDocument(record.metadata)
    if record.copy and record.files is None:  # format 1
        return check_artifact(
            path, name=record.name, artifact_type=record.artifact_type, copy=True, metadata=metadata.values
        )
    files = record.files or []
    return ArtifactRequest(
        name=record.name,
        artifact_type=record.artifact_type,
        metadata=metadata,
        uri=path,
        is_copied=record.copy,
        is_directory=record.sha256 is None,
        files=tuple(ArtifactFile(Path(path, file.path), file.name, file.sha256) for file in files),
    )


def _has_artifact(store: BackendStore, record: ArtifactRecord) -> bool:
    if store.presence_of(record.run_id) is Presence.DELETED:
        return True  # nobody can look; it is taken for stored
    found = store.read_artifacts(record.run_id)
    if record.sha256 is None:  # a folder: its files stand in the store one by one
        return any(artifact.name.startswith(f"{record.name}/") for artifact in found)
    return any((artifact.name, artifact.sha256) == (record.name, record.sha256) for artifact in found)


def _end_run(store: BackendStore, record: FinalizeRecord) -> None:
    end = RunEnd(
        status=RunStatus(record.status),
        end_us=record.end_us,
        failure=record.failure,
        # This clock may lag behind the one that began the run. An end that nobody chose is then the run's start.
        is_movable=not record.is_end_given,
    )
    try:
        store.end_run(record.run_id, end)
    except RunFinalizedError:
        if not record.is_implied:
            raise
