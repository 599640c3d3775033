"""Rows as values of the contract, and back."""

from typing import Any, Final

import msgspec
import sqlalchemy as sa

from runstore.model import Artifact, Experiment, Run, RunFailure, RunStatus, from_microseconds, to_microseconds
from runstore.values import decode_config, encode_config
from runstore_sql.schema.leases import status_now
from runstore_sql.schema.tables import experiment, parent, run

_TAGS: Final = msgspec.json.Decoder(dict[str, str])
_FAILURE: Final = msgspec.json.Decoder(RunFailure)


def runs_and_relatives() -> sa.FromClause:
    """Runs with their experiment and, where there is one, their parent."""
    return run.join(experiment, experiment.c.pk == run.c.experiment_pk).outerjoin(
        parent, parent.c.pk == run.c.parent_pk
    )


def run_columns(now_us: str) -> list[sa.ColumnElement[Any]]:
    """What :func:`run_of` reads."""
    return [
        run.c.id,
        experiment.c.id.label("experiment_id"),
        run.c.name,
        status_now(now_us).label("status"),
        run.c.training_mode,
        parent.c.id.label("parent_run_id"),
        run.c.client_id,
        run.c.attempt,
        run.c.start_us,
        run.c.end_us,
        run.c.heartbeat_us,
        run.c.lease_s,
        run.c.source_path,
        run.c.tags,
        run.c.provenance,
        run.c.failure,
    ]


def run_of(row: Any) -> Run:
    """A run from a row with the columns of :func:`run_columns`."""
    return Run(
        id=row.id,
        experiment_id=row.experiment_id,
        name=row.name,
        status=RunStatus(row.status),
        training_mode=row.training_mode,
        parent_run_id=row.parent_run_id,
        client_id=row.client_id,
        attempt=row.attempt,
        start_time=from_microseconds(row.start_us),
        end_time=None if row.end_us is None else from_microseconds(row.end_us),
        heartbeat_at=from_microseconds(row.heartbeat_us),
        lease_s=row.lease_s,
        source_path=row.source_path,
        tags=_TAGS.decode(row.tags),
        provenance=decode_config(row.provenance),
        failure=None if row.failure is None else _FAILURE.decode(row.failure),
    )


def tags_text(tags: dict[str, str]) -> str:
    """Tags as the JSON of a run's row."""
    return msgspec.json.encode(tags).decode()


def failure_text(failure: RunFailure | None) -> str | None:
    """A failure as the JSON of a run's row."""
    return None if failure is None else msgspec.json.encode(failure).decode()


def experiment_of(row: Any) -> Experiment:
    """An experiment from a row of its table."""
    return Experiment(
        id=row.id, name=row.name, description=row.description, created_at=from_microseconds(row.created_us)
    )


def artifact_of(row: Any, run_id: str) -> Artifact:
    """An artifact's record from a row of its table."""
    return Artifact(
        run_id=run_id,
        name=row.name,
        artifact_type=row.artifact_type,
        uri=row.uri,
        sha256=row.sha256,
        size=row.size,
        is_stored=bool(row.is_stored),
        created_at=from_microseconds(row.created_us),
        metadata=decode_config(row.metadata),
    )


def artifact_values(record: Artifact, run_pk: int) -> dict[str, Any]:
    """The columns of an artifact's record."""
    return {
        "run_pk": run_pk,
        "name": record.name,
        "artifact_type": record.artifact_type,
        "uri": record.uri,
        "sha256": record.sha256,
        "size": record.size,
        "is_stored": record.is_stored,
        "created_us": to_microseconds(record.created_at),
        "metadata": encode_config(record.metadata),
    }
