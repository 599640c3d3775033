"""Makes runs with Sacred, and prints what was logged.

The FileStorageObserver keeps them in the folder ``sacred_runs`` of the working directory; with the URL of a server and a database
as arguments the MongoObserver does.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

from sacred import SETTINGS, Experiment
from sacred.observers import FileStorageObserver, MongoObserver

SETTINGS.CAPTURE_MODE = "no"
STEPS = 700
CONFIG = {"lr": 0.001, "net": {"depth": 18, "name": "resnet"}, "sizes": [1, 2], "amp": True, "none": None}


def made(name: str, *, is_failing: bool) -> dict[str, Any]:
    experiment = Experiment(name, save_git_info=False)
    if sys.argv[1:]:
        url, database = sys.argv[1:]
        experiment.observers.append(MongoObserver(url, database))
    else:
        experiment.observers.append(FileStorageObserver("sacred_runs"))
    experiment.add_config(CONFIG)
    logged: dict[str, list[tuple[int, str]]] = {}

    @experiment.main  # type: ignore[untyped-decorator]  # Sacred has no types
    def run(_run: Any) -> float:
        def log(key: str, value: float, step: int) -> None:
            _run.log_scalar(key, value, step)
            logged.setdefault(key, []).append((step, repr(float(value))))

        for step in range(STEPS):
            log("train.loss", 1 / (1 + step), step)
        for step, value in enumerate([math.nan, math.inf, -math.inf, -0.0, 1e-320]):
            log("odd", value, step)
        Path("report.txt").write_text("all well\n", encoding="utf-8")
        _run.add_artifact("report.txt")
        if is_failing:
            raise RuntimeError("too hot")
        return 0.9

    try:
        done = experiment.run()
    except RuntimeError:
        done = experiment.current_run
    return {"id": str(done._id), "name": name, "logged": logged, "config": {**CONFIG, "seed": done.config["seed"]}}  # noqa: SLF001 - it has no other face


if __name__ == "__main__":
    sys.stdout.write(json.dumps([made("chest-x-rays", is_failing=False), made("hot", is_failing=True)]))
