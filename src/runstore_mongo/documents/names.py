"""Names: of the collections, and the keys of their documents.

Ids are the contract's own strings. A series is ``run id, dataset type, name`` joined by line feeds, which no name may
hold, so that each key is unambiguous and a run's keys lie together. Times are int64 microseconds since 1970-01-01 UTC.
"""

from functools import lru_cache
from typing import Any, Final

from runstore.series import Series

Document = dict[str, Any]
Pipeline = list[Document]

EXPERIMENTS: Final = "experiments"
RUNS: Final = "runs"
SERIES: Final = "run_series"
BUCKETS: Final = "run_buckets"
ROLLUPS: Final = "run_rollups"
ARTIFACTS: Final = "run_artifacts"
SCHEMA: Final = "runstore_schema"
METRICS_VIEW: Final = "run_metrics"
CONFIG_VIEW: Final = "run_configurations"
BLOBS: Final = "run_artifact_bytes"
"""The name of the GridFS bucket: ``run_artifact_bytes.files`` and ``run_artifact_bytes.chunks``."""


def series_key(run_id: str, series: Series) -> str:
    """The ``_id`` of a series."""
    name, dataset_type = series
    return f"{run_id}\n{dataset_type}\n{name}"


def keys_of_run(run_id: str) -> Document:
    """The condition of keys of a run's series, buckets, roll-ups and artifacts: all begin with its id and a line feed."""
    return {"$gt": f"{run_id}\n", "$lt": f"{run_id}\v"}


def bucket_key(key: str, low: int) -> str:
    """The ``_id`` of the bucket of a series, known by its key, that begins at a step."""
    return f"{key}\n{low:019d}"


def rollup_key(key: str, level: int, index: int) -> str:
    """The ``_id`` of a pack of the roll-ups of a series, known by its key."""
    return f"{key}\n{level:02d}\n{index:019d}"


def artifact_key(run_id: str, name: str) -> str:
    """The ``_id`` of an artifact's record."""
    return f"{run_id}\n{name}"


def copy_key(series: Series) -> str:
    """The field of ``runs.metrics`` that holds a series' statistics.

    The two characters to which a path gives a meaning, and the escape itself, are written as in URLs.
    """
    name, dataset_type = series
    escaped = name.replace("%", "%25").replace(".", "%2E").replace("$", "%24")
    return f"{dataset_type}/{escaped}"


@lru_cache(maxsize=10_000)
def series_of(copy: str) -> Series:
    """The series that has a field of ``runs.metrics``."""
    dataset_type, _, escaped = copy.partition("/")
    return escaped.replace("%2E", ".").replace("%24", "$").replace("%25", "%"), dataset_type
