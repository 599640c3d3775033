"""Runs for pictures in the documentation: generated, the same each time, begun some hours ago."""

import math
import random
from datetime import UTC, datetime, timedelta

from runstore import MetricPoint, Store, open_store
from runstore.model import RunFailure

EXPERIMENT = "chest x-ray"
_NAMES = (
    "resnet18 lr 1e-3",
    "resnet18 lr 3e-4",
    "densenet121",
    "effnet-lite0 frozen",
    "resnet34 mixup",
    "resnet18 focal",
    "resnet50",
    "convnext-tiny",
)
_BEST = (0.964, 0.959, 0.970, 0.961, 0.963, 0.975, 0.966, 0.981)


def fill_for_pictures(url: str) -> None:
    """An experiment with eight runs, one federation of three clients, one failed run and one that still runs."""
    chance, now = random.Random(14), datetime.now(UTC)
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment(EXPERIMENT, description="generated, for pictures")
        for index, (name, best) in enumerate(zip(_NAMES, _BEST, strict=True)):
            begin = now - timedelta(hours=30 - 3 * index, minutes=7 * index)
            run = store.ensure_run(experiment, run_id=f"run{index:02}", name=name, start_time=begin)
            _config(store, run, index)
            _curves(store, run, best=best, begin=begin, chance=chance)
            store.finalize(run, "completed", end_time=begin + timedelta(minutes=25 + 7 * index % 31))
        store.set_tags("run05", {"paper": ""})
        begin = now - timedelta(hours=5)
        parent = store.ensure_run(experiment, run_id="fedavg", name="fedavg 3 clients", start_time=begin)
        for index, client in enumerate(("st-anna", "charité", "lyon")):
            child = store.ensure_run(
                experiment, run_id=f"client{index}", name=client, parent_run_id=parent, start_time=begin
            )
            _curves(store, child, best=0.955 + index / 150, begin=begin, chance=chance)
            store.finalize(child, "completed", end_time=begin + timedelta(minutes=40))
        store.finalize(parent, "completed", end_time=begin + timedelta(minutes=41))
        begin = now - timedelta(hours=2)
        failed = store.ensure_run(experiment, run_id="failed", name="resnet50 batch 512", start_time=begin)
        _config(store, failed, 8)
        error = RunFailure(type="MemoryError", message="out of memory", traceback="")
        store.finalize(failed, "failed", end_time=begin + timedelta(minutes=3), error=error)
        begin = now - timedelta(minutes=57)
        running = store.ensure_run(experiment, run_id="running", name="effnet-lite0 fine", start_time=begin)
        _config(store, running, 9)
        _curves(store, running, best=0.95, begin=begin, chance=chance, epochs=7)


def _config(store: Store, run: str, index: int) -> None:
    model = ("resnet18", "densenet121", "effnet-lite0")[index % 3]
    rate, batch = (0.001, 0.0003, 0.0001)[index % 3], (64, 32)[index % 2]
    store.log_config(run, {"model": model, "learning_rate": rate, "batch_size": batch, "data": {"image_size": 128}})


def _curves(  # noqa: PLR0913 - what a curve is made of
    store: Store, run: str, *, best: float, begin: datetime, chance: random.Random, epochs: int = 20
) -> None:
    points = []
    for epoch in range(epochs):
        left, at = math.exp(-epoch / 4), begin + timedelta(minutes=1 + epoch)
        for kind, gap in (("train", -0.01), ("validation", 0.0)):
            noise = chance.gauss(0, 0.002)
            auroc = min(best - gap - 0.15 * left - abs(noise), 0.9995)
            points.append(MetricPoint("auroc", auroc, step=epoch, dataset_type=kind, logged_at=at))
            loss = 1.03 - best + gap + 0.6 * left + noise
            points.append(MetricPoint("loss", loss, step=epoch, dataset_type=kind, logged_at=at))
    store.log_metrics(run, points)
