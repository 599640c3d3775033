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

import importlib

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, without importing typing for it
if TYPE_CHECKING:
    from runstore.backend import BackendStore, Store
    from runstore.charts import HistoryGrid
    from runstore.errors import (
        ArtifactNotFoundError,
        ConflictError,
        ExperimentNotFoundError,
        InvalidValueError,
        NotFoundError,
        QueryError,
        ReadOnlyError,
        RunDeletedError,
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
        DeletedRun,
        Experiment,
        Garbage,
        History,
        KeyCount,
        MetricPoint,
        Page,
        Run,
        RunFailure,
        RunStatus,
        SeriesSummary,
        StepValue,
        Thinned,
        ValueCount,
    )
    from runstore.notebook import ui
    from runstore.opening.stores import open_reader, open_store
    from runstore.protocol import RunEditor, RunReader, RunStore
    from runstore.session import ActiveRun, start_run

__all__ = [
    "ActiveRun",
    "Artifact",
    "ArtifactNotFoundError",
    "BackendStore",
    "ConflictError",
    "DatasetType",
    "DeletedRun",
    "Experiment",
    "ExperimentNotFoundError",
    "Garbage",
    "History",
    "HistoryGrid",
    "InvalidValueError",
    "KeyCount",
    "MetricPoint",
    "NotFoundError",
    "Page",
    "QueryError",
    "ReadOnlyError",
    "Run",
    "RunDeletedError",
    "RunEditor",
    "RunFailure",
    "RunFinalizedError",
    "RunNotFoundError",
    "RunReader",
    "RunStatus",
    "RunStore",
    "RunStoreError",
    "SeriesSummary",
    "StepValue",
    "Store",
    "StoreClosedError",
    "StoreFailureError",
    "StoreUnavailableError",
    "Thinned",
    "ValueCount",
    "open_reader",
    "open_store",
    "start_run",
    "ui",
]

_HOMES = {
    "ActiveRun": "session",
    "BackendStore": "backend",
    "HistoryGrid": "charts",
    "RunEditor": "protocol",
    "RunReader": "protocol",
    "RunStore": "protocol",
    "Store": "backend",
    "open_reader": "opening",
    "open_store": "opening",
    "start_run": "session",
    "ui": "notebook",
}


_MEANT = frozenset(
    {"finish", "init", "log", "log_artifact", "log_metric", "log_metrics", "log_param", "log_params", "run"}
)
"""What modules of other trackers have at their top."""


def __getattr__(name: str) -> object:
    """Loads a public name at its first use, so that ``import runstore`` costs next to nothing."""
    if name not in __all__:
        advice = "; use runstore.start_run('my-experiment'), and what it gives" if name in _MEANT else ""
        message = f"module {__name__!r} has no attribute {name!r}{advice}"
        raise AttributeError(message)
    home = "errors" if name.endswith("Error") else _HOMES.get(name, "model")
    value: object = getattr(importlib.import_module(f"runstore.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted(__all__)
