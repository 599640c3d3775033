"""A store to export: something of everything, and a long history."""

from pathlib import Path

from moving import everything
from runstore import MetricPoint, open_store

LONG = 250_001
"""Points of a series that takes three groups of rows."""


def filled_store(folder: Path) -> str:
    """The URL of a new store in a folder."""
    url = f"sqlite:///{folder / 'runs.db'}"
    with open_store(url, durable=False) as store:
        everything.fill(store, folder)
        experiment_id = store.get_or_create_experiment("other")
        store.ensure_run(experiment_id, run_id="../../long")
        store.log_metrics("../../long", [MetricPoint("../loss", step / 7, step * 3) for step in range(LONG)])
        store.finalize("../../long", "completed")
    return url
