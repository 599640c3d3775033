"""The layout of a folder that ``runstore export`` writes and ``runstore import`` reads: format 1, read for ever.

::

    runstore-export.json        what this folder is, written last
    experiments.parquet         a row an experiment, also of those without runs; an export of early releases has none
    runs.parquet                a row a run
    configs.parquet             a row a value of a configuration, for whoever asks; the whole stands with its run
    points.parquet              a row a point: by run as in runs.parquet, then by series, then by step
    artifacts.parquet           a row a file of a run
    files/ab/abcdef…            the bytes of a file, by their SHA-256

In JSON the tables are ``runs.jsonl`` and so on, with a line a row. A time is a text in ISO 8601, a column of
:data:`NESTED` the value itself, and a float that JSON lacks one of :data:`NON_FINITE`.

No name of a run, a metric or a file ever becomes a path.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from msgspec import MsgspecError, Struct

from runstore.errors import SourceError
from runstore.model import Run, RunFailure, RunStatus, from_microseconds, to_microseconds
from runstore.moving.arriving import ArrivingRun
from runstore.values import ConfigDocument, decode_config, experiment_id_of

HEAD: Final = "runstore-export.json"
FORMAT: Final = "runstore-export"
VERSION: Final = 1

EXPERIMENTS: Final = "experiments"
RUNS: Final = "runs"
CONFIGS: Final = "configs"
POINTS: Final = "points"
ARTIFACTS: Final = "artifacts"
"""The tables, whose files are called so before the ending."""

FILES: Final = "files"

LISTING: Final = "runs.jsonl"
"""In an export for TensorBoard: which folder is which run."""

Form = Literal["parquet", "json", "csv", "tensorboard"]

ENDINGS: Final[dict[Form, str]] = {"parquet": "parquet", "json": "jsonl", "csv": "csv"}
"""What the files of tables end in, by the form; event files are no tables."""

EXPERIMENT_COLUMNS: Final = {"name": "text", "description": "text", "runs": "integer"}
RUN_COLUMNS: Final = {
    "id": "text",
    "experiment": "text",
    "experiment_description": "text",
    "name": "text",
    "status": "text",
    "training_mode": "text",
    "parent_run_id": "text",
    "client_id": "text",
    "attempt": "integer",
    "start_time": "time",
    "end_time": "time",
    "heartbeat_at": "time",
    "lease_s": "float",
    "source_path": "text",
    "tags": "text",
    "config": "text",
    "provenance": "text",
    "failure_type": "text",
    "failure_message": "text",
    "failure_traceback": "text",
    "note": "text",
    "archived_at": "time",
}
CONFIG_COLUMNS: Final = {"run_id": "text", "key": "text", "kind": "text", "number": "float", "text": "text"}
POINT_COLUMNS: Final = {
    "run_id": "text",
    "name": "text",
    "dataset_type": "text",
    "step": "integer",
    "value": "float",
    "logged_at": "time",
}
ARTIFACT_COLUMNS: Final = {
    "run_id": "text",
    "name": "text",
    "type": "text",
    "metadata": "text",
    "created_at": "time",
    "is_stored": "flag",
    "uri": "text",
    "sha256": "text",
    "size": "integer",
    "file": "text",
}

NESTED: Final = frozenset({"tags", "config", "provenance", "metadata"})
"""Columns of JSON: a text in Parquet and CSV."""

NON_FINITE: Final = frozenset({"nan", "inf", "-inf"})

_NEEDED: Final = ("id", "experiment", "status", "training_mode", "attempt", "start_time", "heartbeat_at", "lease_s")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Head(Struct, frozen=True, kw_only=True):
    """What stands in :data:`HEAD`; the counts are for people.

    Tables in ``csv`` have the same columns, and are not read back. With ``tensorboard`` there are folders of event files, and
    no tables.
    """

    format: str
    version: int
    tables: str = "parquet"
    made_by: str = ""
    experiments: int = 0
    runs: int = 0
    points: int = 0
    files: int = 0


def file_of_bytes(sha256: str) -> str:
    """Where the bytes of a file lie, below the folder.

    Raises:
        SourceError: it is no SHA-256.
    """
    if not _SHA256.fullmatch(sha256):
        raise SourceError(f"{sha256[:100]!r} is no SHA-256 in lower-case hexadecimal digits")
    return f"{FILES}/{sha256[:2]}/{sha256}"


def run_row(arriving: ArrivingRun) -> dict[str, Any]:
    """The row of a run; times in microseconds since 1970, nested values as JSON."""
    run = arriving.run
    failure = run.failure
    return {
        "id": run.id,
        "experiment": arriving.experiment,
        "experiment_description": arriving.description,
        "name": run.name,
        "status": str(run.status),
        "training_mode": run.training_mode,
        "parent_run_id": run.parent_run_id,
        "client_id": run.client_id,
        "attempt": run.attempt,
        "start_time": to_microseconds(run.start_time),
        "end_time": None if run.end_time is None else to_microseconds(run.end_time),
        "heartbeat_at": to_microseconds(run.heartbeat_at),
        "lease_s": run.lease_s,
        "source_path": run.source_path,
        "tags": ConfigDocument.checked(run.tags, "tags").text,
        "config": ConfigDocument.checked(arriving.config).text,
        "provenance": ConfigDocument.checked(run.provenance, "provenance").text,
        "failure_type": None if failure is None else failure.type,
        "failure_message": None if failure is None else failure.message,
        "failure_traceback": None if failure is None else failure.traceback,
        "note": run.note,
        "archived_at": None if run.archived_at is None else to_microseconds(run.archived_at),
    }


def run_of_row(row: Mapping[str, Any], place: Path) -> Run:
    """The run of a row, which :func:`runstore.moving.bring` checks further.

    Raises:
        SourceError: something that each run has is missing, or is no status, no JSON or no time.
    """
    missing = [name for name in _NEEDED if row[name] is None]
    if missing:
        raise SourceError(f"{place}: run {row['id']!r} has no {' and no '.join(missing)}; each run has them")
    try:
        return Run(
            id=row["id"],
            experiment_id=experiment_id_of(row["experiment"]),
            name=row["name"],
            status=RunStatus(row["status"]),
            training_mode=row["training_mode"],
            parent_run_id=row["parent_run_id"],
            client_id=row["client_id"],
            attempt=row["attempt"],
            start_time=from_microseconds(row["start_time"]),
            end_time=None if row["end_time"] is None else from_microseconds(row["end_time"]),
            heartbeat_at=from_microseconds(row["heartbeat_at"]),
            lease_s=row["lease_s"],
            source_path=row["source_path"],
            tags=decode_config(row["tags"] or "{}"),
            provenance=decode_config(row["provenance"] or "{}"),
            failure=_failure(row),
            note=row["note"],
            archived_at=None if row["archived_at"] is None else from_microseconds(row["archived_at"]),
        )
    except (
        ValueError,
        MsgspecError,
        OverflowError,
        RecursionError,
    ) as error:  # which older releases of msgspec keep apart
        raise SourceError(f"{place}: run {row['id']!r} cannot be read: {error}") from error


def _failure(row: Mapping[str, Any]) -> RunFailure | None:
    if row["failure_type"] is None:
        return None
    return RunFailure(
        type=row["failure_type"], message=row["failure_message"] or "", traceback=row["failure_traceback"] or ""
    )
