"""Experiments, runs and artifacts as documents, and back."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from bson.int64 import Int64

from runstore.backend import NewExperiment, NewRun, PlacedRun, Presence
from runstore.errors import StoreFailureError
from runstore.model import (
    Artifact,
    Experiment,
    Run,
    RunFailure,
    RunStatus,
    from_microseconds,
    to_microseconds,
)
from runstore.values import EMPTY_CONFIG, ConfigLeaf, decode_config, encode_config
from runstore_mongo.documents.names import Document, artifact_key
from runstore_mongo.documents.stages import STATUS, lease_us

PREFIX_LENGTH: Final = 64
"""Characters of a config text that are indexed; the rest is compared in the document."""

SHOWN: Final[Document] = {"deleted_at": None}
"""What reads see: runs and experiments that were not deleted. What older releases wrote has no such field."""

ANY_TIME: Final[Document] = {"$gte": -(2**63)}
"""That a time is set."""

SHOWN_FIELDS: Final[Document] = {**dict.fromkeys(Run.__struct_fields__[1:], 1), "status": STATUS}
"""The projection of a run to what a reader sees: without its config and points, ``lost`` if it is."""


def experiment_document(new: NewExperiment, *, now_us: int) -> Document:
    """An experiment as stored."""
    return {"_id": new.id, "name": new.name, "description": new.description, "created_at": Int64(now_us)}


def experiment_of(document: Document) -> Experiment:
    """A stored experiment."""
    return Experiment(
        id=document["_id"],
        name=document["name"],
        description=document["description"],
        created_at=from_microseconds(document["created_at"]),
    )


def run_fields(new: NewRun, *, now_us: int) -> Document:
    """The fields of a new run, without its ``_id`` and its lease."""
    return {
        "experiment_id": new.experiment_id,
        "name": new.name,
        "status": str(RunStatus.IN_PROGRESS),
        "training_mode": new.training_mode,
        "parent_run_id": new.parent_run_id,
        "client_id": new.client_id,
        "attempt": 1,
        "start_time": Int64(now_us if new.start_us is None else new.start_us),
        "end_time": None,
        "failure": None,
        "source_path": new.source_path,
        "tags": tag_documents(new.tags),
        "provenance": new.provenance.text,
        **empty_fields(),
    }


def placed_fields(placed: PlacedRun) -> Document:
    """The facts of a run that was made elsewhere: what is set of one that is there, and beside :func:`empty_fields` of a new one."""
    return {
        "experiment_id": placed.experiment_id,
        "name": placed.name,
        "status": str(placed.status),
        "training_mode": placed.training_mode,
        "parent_run_id": placed.parent_run_id,
        "client_id": placed.client_id,
        "attempt": placed.attempt,
        "start_time": Int64(placed.start_us),
        "end_time": _time(placed.end_us),
        "heartbeat_at": Int64(placed.heartbeat_us),
        "expires_at": Int64(placed.heartbeat_us + lease_us(placed.lease_s)),
        "lease_s": placed.lease_s,
        "failure": failure_fields(placed.failure),
        "source_path": placed.source_path,
        "tags": tag_documents(placed.tags),
        "provenance": placed.provenance.text,
        "note": placed.note,
        "archived_at": _time(placed.archived_us),
    }


def empty_fields() -> Document:
    """What a new run has logged."""
    return {
        "config_version": 0,
        "config_document": EMPTY_CONFIG,
        "config": [],
        "metrics": {},
        "pending": [],
        "has_more_series": False,
    }


def _time(moment_us: int | None) -> Int64 | None:
    return None if moment_us is None else Int64(moment_us)


_ODD: Final = (msgspec.MsgspecError, KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)
"""What is raised by a document that nothing of ours has written."""


def _damaged(what: str, error: Exception) -> StoreFailureError:
    said = f"lacks {error}" if isinstance(error, KeyError) else f"holds what runstore never writes there: {error}"
    return StoreFailureError(f"{what} {said}; another program has changed it: change it back, or restore a backup")


def run_of(document: Document) -> Run:
    """A run that was read with :data:`SHOWN_FIELDS`.

    Raises:
        StoreFailureError: another program has written what no run has.
    """
    try:
        end_time, failure, archived_at = document["end_time"], document["failure"], document.get("archived_at")
        return Run(
            id=document["_id"],
            experiment_id=document["experiment_id"],
            name=document["name"],
            status=RunStatus(document["status"]),
            training_mode=document["training_mode"],
            parent_run_id=document["parent_run_id"],
            client_id=document["client_id"],
            attempt=int(document["attempt"]),
            start_time=from_microseconds(document["start_time"]),
            end_time=None if end_time is None else from_microseconds(end_time),
            heartbeat_at=from_microseconds(document["heartbeat_at"]),
            lease_s=document["lease_s"],
            source_path=document["source_path"],
            tags=tags_of(document),
            provenance=decode_config(document["provenance"]),
            failure=None if failure is None else RunFailure(**failure),
            note=document.get("note"),
            archived_at=None if archived_at is None else from_microseconds(archived_at),
        )
    except _ODD as error:
        raise _damaged(f"the document of run {document['_id']!r}", error) from error


def tag_documents(tags: Mapping[str, str]) -> list[Document]:
    """Tags as a run holds them."""
    return [{"k": key, "v": value} for key, value in tags.items()]


def tags_of(document: Document) -> dict[str, str]:
    """The tags of a stored run."""
    return {tag["k"]: tag["v"] for tag in document["tags"]}


def presence_of(document: Document | None) -> Presence | None:
    """What there is of a run, by its ``deleted_at`` and ``purged_at``."""
    if document is None:
        return None
    if document.get("purged_at") is not None:
        return Presence.PURGED
    return Presence.SHOWN if document.get("deleted_at") is None else Presence.DELETED


def failure_fields(failure: RunFailure | None) -> Document | None:
    """What went wrong, as a run holds it."""
    if failure is None:
        return None
    return {"type": failure.type, "message": failure.message, "traceback": failure.traceback}


def leaf_document(leaf: ConfigLeaf) -> Document:
    """One leaf of a config as the search index holds it: key, number, text, and the text's indexed beginning."""
    return {
        "k": leaf.key,
        "kind": leaf.kind,
        "n": leaf.number,
        "p": leaf.text[:PREFIX_LENGTH] if leaf.kind == "str" else None,
        "s": leaf.text,
    }


def artifact_document(artifact: Artifact) -> Document:
    """An artifact's record as stored."""
    return {
        "_id": artifact_key(artifact.run_id, artifact.name),
        "run_id": artifact.run_id,
        "artifact_name": artifact.name,
        "artifact_type": artifact.artifact_type,
        "artifact_path": artifact.uri,
        "sha256": artifact.sha256,
        "size": artifact.size,
        "is_stored": artifact.is_stored,
        "created_at": Int64(to_microseconds(artifact.created_at)),
        "metadata": encode_config(artifact.metadata),
    }


def artifact_of(document: Document) -> Artifact:
    """A stored artifact's record; raises as :func:`run_of` does."""
    try:
        size: Any = document["size"]
        return Artifact(
            run_id=document["run_id"],
            name=document["artifact_name"],
            artifact_type=document["artifact_type"],
            uri=document["artifact_path"],
            sha256=document["sha256"],
            size=None if size is None else int(size),
            is_stored=document["is_stored"],
            created_at=from_microseconds(document["created_at"]),
            metadata=decode_config(document["metadata"]),
        )
    except _ODD as error:
        raise _damaged(f"the document of artifact {document.get('artifact_name')!r}", error) from error
