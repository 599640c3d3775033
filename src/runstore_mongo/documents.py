"""The shapes of the stored documents, and the way from them to the contract's values and back.

Ids are the contract's own strings. A series is ``run id, dataset type, name`` joined by line feeds, which no name may
hold, so that each key is unambiguous and a run's keys lie together. Times are int64 microseconds since 1970-01-01 UTC.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from bson.int64 import Int64

from runstore.model import (
    Artifact,
    DatasetType,
    Experiment,
    Run,
    RunFailure,
    RunStatus,
    SeriesSummary,
    StepValue,
    from_microseconds,
    to_microseconds,
)
from runstore.series.checked import Series
from runstore.values.config import ConfigLeaf, decode_config, encode_config

Document = dict[str, Any]

EXPERIMENTS: Final = "experiments"
RUNS: Final = "runs"
SERIES: Final = "run_series"
BUCKETS: Final = "run_buckets"
ARTIFACTS: Final = "run_artifacts"
SCHEMA: Final = "runstore_schema"
METRICS_VIEW: Final = "run_metrics"
CONFIG_VIEW: Final = "run_configurations"
BLOBS: Final = "run_artifact_bytes"
"""The name of the GridFS bucket: ``run_artifact_bytes.files`` and ``run_artifact_bytes.chunks``."""

PREFIX_LENGTH: Final = 64
"""Characters of a config text that are indexed; the rest is compared in the document."""

NOW_US: Final[Document] = {"$multiply": [{"$toLong": "$$NOW"}, 1000]}
"""The server's clock in microseconds, as an expression; it ticks in milliseconds."""

SUMMARY_FIELDS: Final[Document] = {"tail": 0}
"""The projection of a series without its newest points."""

MOST_COPIED: Final = 1_000
"""Series of a run whose summaries are kept in the run; one with more is *wide*, and they are looked up."""

_STATISTICS: Final = ("first", "last", "min", "max")

STATISTICS_FIELDS: Final = (
    "version",
    "count",
    "non_finite_count",
    *(field for name in _STATISTICS for field in (name, f"{name}_step")),
)
"""What :func:`statistics` writes of a series into its run, in this order."""

_DATASET_TYPES: Final = {str(kind): kind for kind in DatasetType}


def series_key(run_id: str, name: str, dataset_type: str) -> str:
    """The ``_id`` of a series."""
    return f"{run_id}\n{dataset_type}\n{name}"


def bucket_key(series: str, low: int) -> str:
    """The ``_id`` of the bucket of a series that begins at a step."""
    return f"{series}\n{low:019d}"


def artifact_key(run_id: str, name: str) -> str:
    """The ``_id`` of an artifact's record."""
    return f"{run_id}\n{name}"


def experiment_of(document: Document) -> Experiment:
    """An experiment as stored."""
    return Experiment(
        id=document["_id"],
        name=document["name"],
        description=document["description"],
        created_at=from_microseconds(document["created_at"]),
    )


def run_of(document: Document, *, now_us: int) -> Run:
    """A run as a reader sees it at a moment of the server's clock (FIN.6)."""
    status = RunStatus(document["status"])
    if status == RunStatus.IN_PROGRESS and now_us > document["expires_at"]:
        status = RunStatus.LOST
    end_time, failure = document["end_time"], document["failure"]
    return Run(
        id=document["_id"],
        experiment_id=document["experiment_id"],
        name=document["name"],
        status=status,
        training_mode=document["training_mode"],
        parent_run_id=document["parent_run_id"],
        client_id=document["client_id"],
        attempt=int(document["attempt"]),
        start_time=from_microseconds(document["start_time"]),
        end_time=None if end_time is None else from_microseconds(end_time),
        heartbeat_at=from_microseconds(document["heartbeat_at"]),
        lease_s=document["lease_s"],
        source_path=document["source_path"],
        tags={tag["k"]: tag["v"] for tag in document["tags"]},
        provenance=decode_config(document["provenance"]),
        failure=None if failure is None else RunFailure(**failure),
    )


def touched(fields: Document) -> Document:
    """The stage of an update that sets ``fields`` (expressions) and counts as a sign of life of an unfinished run.

    The heartbeat moves only when a tenth of the lease has gone by: a call that comes sooner leaves the document as it
    is, and the server then writes nothing.
    """
    is_due: Document = {
        "$and": [
            {"$eq": ["$status", str(RunStatus.IN_PROGRESS)]},
            {"$gt": [NOW_US, {"$add": ["$heartbeat_at", {"$multiply": ["$lease_s", 100_000]}]}]},
        ]
    }
    return {
        "$set": {
            "heartbeat_at": {"$cond": [is_due, NOW_US, "$heartbeat_at"]},
            "expires_at": {"$cond": [is_due, {"$add": [NOW_US, _lease_us("$lease_s")]}, "$expires_at"]},
            **fields,
        }
    }


def beaten(lease_s: float) -> Document:
    """The stage of an update that marks an unfinished run as alive for ``lease_s`` seconds from now."""
    is_alive: Document = {"$eq": ["$status", str(RunStatus.IN_PROGRESS)]}
    return {
        "$set": {
            "heartbeat_at": {"$cond": [is_alive, NOW_US, "$heartbeat_at"]},
            "lease_s": {"$cond": [is_alive, lease_s, "$lease_s"]},
            "expires_at": {"$cond": [is_alive, {"$add": [NOW_US, _lease_us(lease_s)]}, "$expires_at"]},
        }
    }


def _lease_us(lease_s: float | str) -> Document:
    """A lease in whole microseconds; one of 300,000 years stands for anything longer."""
    return {"$toLong": {"$min": [{"$multiply": [lease_s, 1e6]}, 8e18]}}


def born(fields: Document, *, lease_s: float) -> Document:
    """The stage that makes a run of plain values, alive from now on by the server's clock."""
    plain = {key: {"$literal": value} for key, value in fields.items()}
    return {
        "$set": {
            **plain,
            "heartbeat_at": NOW_US,
            "lease_s": lease_s,
            "expires_at": {"$add": [NOW_US, _lease_us(lease_s)]},
        }
    }


def copy_key(name: str, dataset_type: str) -> str:
    """The field of ``runs.metrics`` that holds a series' statistics.

    The two characters to which a path gives a meaning, and the escape itself, are written as in URLs.
    """
    escaped = name.replace("%", "%25").replace(".", "%2E").replace("$", "%24")
    return f"{dataset_type}/{escaped}"


@lru_cache(maxsize=10_000)
def identity_of(key: str) -> Series:
    """The name and dataset type of the series that has a field of ``runs.metrics``."""
    dataset_type, _, escaped = key.partition("/")
    return escaped.replace("%2E", ".").replace("%24", "$").replace("%25", "%"), dataset_type


def copied(summaries: Sequence[tuple[int, SeriesSummary]]) -> list[Document]:
    """The stages that copy statistics, each with its series' version, into a run; an older version never replaces one.

    Up to :data:`MOST_COPIED` series are copied. A run with more says so in ``has_more_series``.
    """
    is_full: Document | bool = len(summaries) > MOST_COPIED
    if any(version == 1 for version, _ in summaries) and not is_full:
        held = {"$size": {"$objectToArray": {"$ifNull": ["$metrics", {}]}}}
        is_full = {"$gt": [held, MOST_COPIED - len(summaries)]}
    fields: Document = {}
    for version, summary in summaries:
        path = f"metrics.{copy_key(summary.name, summary.dataset_type)}"
        held_version = {"$ifNull": [f"${path}.version", 0]}
        is_wanted = {
            "$and": [
                {"$lt": [held_version, version]},
                {"$or": [{"$gt": [held_version, 0]}, {"$ne": ["$has_more_series", True]}]},
            ]
        }
        fields[path] = {"$cond": [is_wanted, {"$literal": statistics(version, summary)}, f"${path}"]}
    full = [{"$set": {"has_more_series": {"$or": [{"$eq": ["$has_more_series", True]}, is_full]}}}] if is_full else []
    return [*full, {"$set": fields}] if fields else []


def statistics(version: int, summary: SeriesSummary) -> Document:
    """A summary as a run holds it. Steps are plain integers: small ones take four bytes, and read back twice as fast."""
    fields: Document = {
        "version": version,
        "count": summary.count,
        "non_finite_count": summary.non_finite_count,
    }
    for name in _STATISTICS:
        point: StepValue | None = getattr(summary, name)
        fields[name] = None if point is None else point.value
        fields[f"{name}_step"] = None if point is None else point.step
    return fields


def summaries_of(metrics: Document) -> dict[Series, tuple[int, SeriesSummary]]:
    """The summaries that a run holds, each with the version of its series."""
    return {
        identity_of(key): (int(held["version"]), _summary(*identity_of(key), held)) for key, held in metrics.items()
    }


def sorted_summaries(metrics: Document) -> tuple[SeriesSummary, ...]:
    """The summaries that a run holds, in the order of name and dataset type."""
    ordered = sorted([(identity_of(key), held) for key, held in metrics.items()], key=itemgetter(0))
    return tuple([_summary(name, dataset_type, held) for (name, dataset_type), held in ordered])


def leaf_document(leaf: ConfigLeaf) -> Document:
    """One leaf of a config as the search index holds it: key, number, text, and the text's indexed beginning."""
    return {
        "k": leaf.key,
        "kind": leaf.kind,
        "n": leaf.number,
        "p": leaf.text[:PREFIX_LENGTH] if leaf.kind == "str" else None,
        "s": leaf.text,
    }


def summary_fields(summary: SeriesSummary) -> Document:
    """A summary as flat fields, so that filters and people can use them as they are."""
    fields: Document = {"count": summary.count, "non_finite_count": summary.non_finite_count}
    for name in _STATISTICS:
        point: StepValue | None = getattr(summary, name)
        fields[name] = None if point is None else point.value
        fields[f"{name}_step"] = None if point is None else Int64(point.step)
    return fields


def summary_of(document: Document) -> SeriesSummary:
    """The summary of a series as stored in its own document."""
    return _summary(document["metric_name"], document["dataset_type"], document)


def _summary(name: str, dataset_type: str, held: Document) -> SeriesSummary:
    low, high = held["min"], held["max"]
    return summary_of_values(
        name,
        _DATASET_TYPES[dataset_type],
        held["version"],
        held["count"],
        held["non_finite_count"],
        held["first"],
        int(held["first_step"]),
        held["last"],
        int(held["last_step"]),
        low,
        None if low is None else int(held["min_step"]),
        high,
        None if high is None else int(held["max_step"]),
    )


def summary_of_values(  # noqa: PLR0913, PLR0917 - one for each field: lists call it 50,000 times, and keywords would cost
    name: str,
    dataset_type: DatasetType,
    _version: int,
    count: int,
    non_finite_count: int,
    first: float,
    first_step: int,
    last: float,
    last_step: int,
    low: float | None,
    low_step: Any,
    high: float | None,
    high_step: Any,
) -> SeriesSummary:
    """The summary of a series from :data:`STATISTICS_FIELDS`."""
    first_point = StepValue(step=first_step, value=first)
    if count == 1:  # a final result, as a table of runs has many
        extreme = None if low is None else first_point
        return SeriesSummary(
            name=name,
            dataset_type=dataset_type,
            count=1,
            first=first_point,
            last=first_point,
            min=extreme,
            max=extreme,
            non_finite_count=non_finite_count,
        )
    return SeriesSummary(
        name=name,
        dataset_type=dataset_type,
        count=count,
        first=first_point,
        last=StepValue(step=last_step, value=last),
        min=None if low is None else StepValue(step=low_step, value=low),
        max=None if high is None else StepValue(step=high_step, value=high),
        non_finite_count=non_finite_count,
    )


def artifact_document(artifact: Artifact) -> Document:
    """The fields of an artifact's record, without its ``_id``."""
    return {
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
    """An artifact's record as stored."""
    size = document["size"]
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
