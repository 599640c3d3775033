"""Stores with runs for the page: of each kind of run one, generated, the same each time."""

import math

from runstore import MetricPoint, Store, open_store
from runstore.model import RunFailure

EXPERIMENT = "chest x-ray"
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"
"""A name that harms a page which takes it for markup, for an attribute, or for a template."""

MODELS = ("resnet18", "resnet34", "densenet121", "effnet-lite0")
RATES = (0.001, 0.0003, 0.0001)


def fill(url: str) -> None:
    """Twelve runs of one experiment, one of them with three children, one failed, one running; and one of another."""
    with open_store(url, durable=False) as store:
        fill_store(store)


def fill_store(store: Store) -> None:
    """The same runs, in an open store."""
    experiment = store.get_or_create_experiment(EXPERIMENT)
    for index in range(12):
        _run(store, experiment, index)
    parent = store.ensure_run(experiment, run_id="fedavg", name="fedavg 3 clients", tags={"paper": ""})
    for index, client in enumerate(("st-anna", "charité", "lyon")):
        child = store.ensure_run(experiment, run_id=f"client{index}", name=client, parent_run_id=parent)
        log_curves(store, child, best=0.96 + index / 100)
        store.finalize(child, "completed")
    store.finalize(parent, "completed")
    failed = store.ensure_run(experiment, run_id="failed", name="resnet50 large batch")
    store.finalize(
        failed,
        "failed",
        error=RunFailure(type="MemoryError", message="out of memory", traceback="line 1\nline 2"),
    )
    store.ensure_run(experiment, run_id="running", name="effnet-lite0 fine")
    other = store.ensure_run(store.get_or_create_experiment("ct seg"), run_id="other", name=HOSTILE)
    store.set_tags(other, {"owner": HOSTILE})
    store.finalize(other, "completed")


def _run(store: Store, experiment: str, index: int) -> None:
    model, rate = MODELS[index % 4], RATES[index % 3]
    run = store.ensure_run(experiment, run_id=f"run{index:02}", name=f"{model} lr {rate:g}")
    store.log_config(
        run, {"model": {"name": model}, "optimizer": {"learning_rate": rate}, "batch_size": 32 * (1 + index % 2)}
    )
    log_curves(store, run, best=0.9 + index / 150)
    store.finalize(run, "completed")


def log_curves(store: Store, run: str, *, best: float) -> None:
    """Twenty epochs of a loss and an AUROC that come near to ``best``."""
    points = []
    for epoch in range(20):
        left = math.exp(-epoch / 5)
        for kind, gap in (("train", 0.0), ("validation", 0.02)):
            points.append(MetricPoint("auroc", best - gap - 0.2 * left, step=epoch, dataset_type=kind))
            points.append(MetricPoint("loss", 1.05 - best + gap + 0.7 * left, step=epoch, dataset_type=kind))
    store.log_metrics(run, points)
