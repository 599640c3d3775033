"""Your training runs, in your own database: no tracking server, no lost run, no stopped training.

>>> from runstore import MetricPoint, open_store
>>> with open_store("memory://", durable=False) as store:
...     experiment = store.get_or_create_experiment("pneumonia")
...     run = store.ensure_run(experiment, name="first")
...     store.log_metrics(run, [MetricPoint(name="loss", value=0.7, step=0, dataset_type="train")])
...     store.finalize(run, "completed")
...     store.get_run(run).status.value
'completed'
"""

from runstore.errors import (
    ArtifactNotFoundError,
    ConflictError,
    ExperimentNotFoundError,
    InvalidValueError,
    NotFoundError,
    QueryError,
    RunFinalizedError,
    RunNotFoundError,
    RunStoreError,
    StoreClosedError,
    StoreFailureError,
    StoreUnavailableError,
)
from runstore.model import (
    Artifact,
    DatasetType,
    Experiment,
    History,
    MetricPoint,
    Page,
    Run,
    RunFailure,
    RunStatus,
    SeriesSummary,
    StepValue,
)
from runstore.protocol import BackendStore, RunReader, RunStore

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, without importing typing for it
if TYPE_CHECKING:
    from runstore.opening import open_reader, open_store

__all__ = [
    "Artifact",
    "ArtifactNotFoundError",
    "BackendStore",
    "ConflictError",
    "DatasetType",
    "Experiment",
    "ExperimentNotFoundError",
    "History",
    "InvalidValueError",
    "MetricPoint",
    "NotFoundError",
    "Page",
    "QueryError",
    "Run",
    "RunFailure",
    "RunFinalizedError",
    "RunNotFoundError",
    "RunReader",
    "RunStatus",
    "RunStore",
    "RunStoreError",
    "SeriesSummary",
    "StepValue",
    "StoreClosedError",
    "StoreFailureError",
    "StoreUnavailableError",
    "open_reader",
    "open_store",
]


def __getattr__(name: str) -> object:
    """Loads the opening functions at their first use, so that ``import runstore`` stays cheap."""
    if name in {"open_store", "open_reader"}:
        from runstore import opening  # noqa: PLC0415 - see the docstring

        return getattr(opening, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
