"""Runs for pictures in the documentation: generated, the same each time, begun some hours ago."""

import math
import random
from datetime import UTC, datetime, timedelta

from runstore import MetricPoint, Store, open_store
from runstore.model import RunFailure

EXPERIMENT = "chest x-ray"
_RUNS = (
    ("resnet18 lr 1e-3", "resnet18", 0.001, 64, 0.964),
    ("resnet18 lr 3e-4", "resnet18", 0.0003, 64, 0.959),
    ("densenet121", "densenet121", 0.0003, 32, 0.970),
    ("effnet-lite0 frozen", "effnet-lite0", 0.0001, 32, 0.961),
    ("resnet34 mixup", "resnet34", 0.0003, 64, 0.963),
    ("resnet18 focal", "resnet18", 0.0003, 32, 0.975),
    ("resnet50", "resnet50", 0.001, 32, 0.966),
    ("convnext-tiny", "convnext-tiny", 0.0001, 64, 0.981),
)
"""Of each run its name, its model, its learning rate, its batch size, and the AUROC that it comes near to."""


def fill_for_pictures(url: str) -> None:
    """An experiment with eight runs, one federation of three clients, one failed run and one that still runs."""
    chance, now = random.Random(14), datetime.now(UTC)
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment(EXPERIMENT, description="generated, for pictures")
        for index, (name, model, rate, batch, best) in enumerate(_RUNS):
            begin = now - timedelta(hours=30 - 3 * index, minutes=7 * index)
            run = store.ensure_run(experiment, run_id=f"run{index:02}", name=name, start_time=begin)
            _config(store, run, model, rate, batch)
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
        _config(store, failed, "resnet50", 0.001, 512)
        error = RunFailure(type="MemoryError", message="out of memory", traceback="")
        store.finalize(failed, "failed", end_time=begin + timedelta(minutes=3), error=error)
        begin = now - timedelta(minutes=57)
        running = store.ensure_run(experiment, run_id="running", name="effnet-lite0 fine", start_time=begin)
        _config(store, running, "effnet-lite0", 0.0001, 32)
        _curves(store, running, best=0.95, begin=begin, chance=chance, epochs=7)


def _config(store: Store, run: str, model: str, rate: float, batch: int) -> None:
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


SEEDS = "seeds"
"""The experiment of :func:`fill_with_seeds`."""


def fill_with_seeds(url: str) -> None:
    """Two models with five seeds each, of which one run ended early, and one run that was started without a seed."""
    chance, now = random.Random(15), datetime.now(UTC)
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment(SEEDS, description="generated, for pictures")
        for model, best in (("resnet18", 0.957), ("densenet121", 0.972)):
            for seed in (1, 2, 3, 4, 5):
                begin = now - timedelta(hours=12 - seed)
                run_id = f"{model}-{seed}"
                run = store.ensure_run(experiment, run_id=run_id, name=f"{model} seed {seed}", start_time=begin)
                store.log_config(run, {"model": model, "learning_rate": 0.0003, "seed": seed})
                epochs = 13 if run_id == "resnet18-4" else 20
                shifted = best + chance.gauss(0, 0.006)
                _curves(store, run, best=shifted, begin=begin, chance=chance, epochs=epochs)
                store.finalize(run, "completed", end_time=begin + timedelta(minutes=30))
        run = store.ensure_run(
            experiment, run_id="no-seed", name="resnet18, no seed", start_time=now - timedelta(hours=1)
        )
        store.log_config(run, {"model": "resnet18", "learning_rate": 0.0003})
        _curves(store, run, best=0.93, begin=now - timedelta(hours=1), chance=chance)
        store.finalize(run, "completed", end_time=now)
