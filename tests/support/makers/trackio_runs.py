"""Makes two projects with Trackio itself, in the folder ``trackio`` of the working directory.

What was logged is printed as JSON.
"""

import json
import math
import os
import sys
from pathlib import Path

os.environ["TRACKIO_DIR"] = str(Path("trackio").absolute())

import trackio

STEPS = 1200
CONFIG = {
    "lr": 0.001,
    "net": {"depth": 18, "name": "resnet"},
    "sizes": [1, 2],
    "amp": True,
    "none": None,
    "text": "007",
}


def first() -> dict[str, object]:
    run = trackio.init(project="chest-x-rays", name="first try", group="sweep", config=CONFIG)
    logged: dict[str, list[tuple[int, str]]] = {}

    def log(values: dict[str, object], step: int) -> None:
        for key, value in values.items():
            if isinstance(value, (bool, int, float)):
                logged.setdefault(key, []).append((step, repr(float(value))))
        trackio.log(values, step=step)

    for step in range(STEPS):
        values: dict[str, object] = {"train/loss": 1 / (1 + step), "count": step}
        if step % 100 == 0:
            values["val/auroc"] = step / STEPS
        log(values, step)
    for step, value in enumerate([math.nan, math.inf, -math.inf, -0.0, 1e-320, 2**60]):
        log({"odd": value}, step)
    log({"flag": True, "words": "hello", "list": [1, 2]}, 5)
    trackio.log({"nested": {"a": 1.5, "b": {"c": 2.5}}}, step=6)
    logged["nested.a"], logged["nested.b.c"] = [(6, "1.5")], [(6, "2.5")]
    log({"far": 1.0}, 5000)
    trackio.log_system({"cpu": 12.5})
    trackio.alert("Careful", text="the loss is high")
    trackio.finish()
    return {"name": "first try", "id": run.id, "project": "chest-x-rays", "logged": logged, "config": CONFIG}


def second() -> dict[str, object]:
    run = trackio.init(project="other", name="second")
    trackio.log({"loss": 0.5})
    trackio.finish()
    return {"name": "second", "id": run.id, "project": "other", "logged": {"loss": [(0, "0.5")]}, "config": {}}


if __name__ == "__main__":
    out, sys.stdout = sys.stdout, sys.stderr
    told = [first(), second()]
    out.write(json.dumps(told))
