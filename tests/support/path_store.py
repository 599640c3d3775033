"""The store in which somebody who knows W&B looks around: that of the pictures, and an older sweep longer than a window."""

import math
import random
from datetime import UTC, datetime, timedelta

from runstore import MetricPoint, open_store
from runstore.model import RunFailure
from support.picture_store import EXPERIMENT, fill_for_pictures

SWEEP = 55
_TRACEBACK = """\
Traceback (most recent call last):
  File "train.py", line 61, in <module>
    trainer.fit(model, data)
  File "train.py", line 38, in training_step
    logits = self.network(images)
  File "network.py", line 112, in forward
    return self.head(self.blocks(images))
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.35 GiB. GPU 0 has a total capacity of 23.69 GiB
"""


def fill_for_path(url: str) -> None:
    """Beside the runs of the pictures a sweep of days ago, and one that has just run out of memory."""
    fill_for_pictures(url)
    chance, now = random.Random(3), datetime.now(UTC)
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment(EXPERIMENT)
        for index in range(SWEEP):
            begin = now - timedelta(days=4, minutes=40 * index)
            rate, best = 10 ** chance.uniform(-5, -2), 0.9 + chance.random() / 20
            run = store.ensure_run(experiment, run_id=f"sweep{index:02}", name=f"sweep {index:02}", start_time=begin)
            store.log_config(run, {"model": "resnet18", "learning_rate": float(f"{rate:.2g}"), "batch_size": 64})
            points = []
            for epoch in range(10):
                value = best - 0.2 * math.exp(-epoch / 3)
                points.append(MetricPoint("auroc", value, step=epoch, dataset_type="validation"))
            store.log_metrics(run, points)
            store.finalize(run, "completed", end_time=begin + timedelta(minutes=30))
        begin = now - timedelta(minutes=30)
        run = store.ensure_run(experiment, run_id="too-large", name="convnext-tiny batch 256", start_time=begin)
        store.log_config(run, {"model": "convnext-tiny", "learning_rate": 0.0001, "batch_size": 256})
        message = _TRACEBACK.splitlines()[-1].partition(": ")[2]
        error = RunFailure(type="torch.OutOfMemoryError", message=message, traceback=_TRACEBACK)
        store.finalize(run, "failed", end_time=begin + timedelta(minutes=4), error=error)
