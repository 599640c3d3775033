"""Makes offline runs with W&B itself, of any release from 0.13 on, in the folder ``wandb`` of the working directory: ``python wandb_runs.py``.

What was logged is printed as JSON.
"""

import json
import math
import os
import sys
from pathlib import Path

os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DISABLE_GIT": "true"}
os.environ |= {"WANDB_DATA_DIR": str(Path("data").absolute()), "WANDB_CACHE_DIR": str(Path("cache").absolute())}

import wandb

STEPS = 1200


def settings() -> wandb.Settings:
    return wandb.Settings(console="off")


def first() -> dict[str, object]:
    config = {
        "lr": 0.001,
        "net": {"depth": 18, "name": "resnet"},
        "sizes": [1, 2],
        "amp": True,
        "none": None,
        "text": "007",
    }
    run = wandb.init(
        project="chest-x-rays", entity="lab", name="first try", notes="# Looks good", tags=["baseline", "ürban"],
        group="sweep", job_type="train", config=config, settings=settings(),
    )  # fmt: skip
    run.config.update({"added.later": 5})
    run.define_metric("val/*", step_metric="epoch")
    logged: dict[str, list[tuple[int, str]]] = {}

    def log(values: dict[str, object], **more: object) -> None:
        step = more.get("step", run.step)
        for key, value in values.items():
            if isinstance(value, (bool, int, float)):
                logged.setdefault(key, []).append((int(step), repr(float(value))))  # type: ignore[call-overload]
        run.log(values, **more)

    for step in range(STEPS):
        values: dict[str, object] = {"train/loss": 1 / (1 + step), "count": step}
        if step % 100 == 0:
            values |= {"val/auroc": step / STEPS, "epoch": step // 100}
        log(values)
    log({"odd": math.nan})
    log({"odd": math.inf})
    log({"odd": -math.inf})
    log({"odd": -0.0, "flag": True})
    run.log({"nested": {"a": 1.5, "b": {"c": 2.5}}})
    logged["nested.a"], logged["nested.b.c"] = [(STEPS + 4, "1.5")], [(STEPS + 4, "2.5")]
    log({"far": 1.0}, step=5000)
    run.log({"words": "hello", "list": [1, 2], "hist": wandb.Histogram(np_histogram=([1, 2], [0.0, 0.5, 1.0]))})
    run.log({"page": wandb.Html("<b>well</b>")})
    log({"big": 2**60})
    Path("kept.txt").write_text("all well\n", encoding="utf-8")
    run.save("kept.txt", policy="now")
    artifact = wandb.Artifact("model", "model", metadata={"epoch": 3})
    artifact.add_file("kept.txt", name="sub/weights.txt")
    artifact.add_reference("https://example.org/films.tar", name="films", checksum=False)
    run.log_artifact(artifact, aliases=["best"])
    run.summary["best"] = 0.9
    run.finish()
    return {"name": "first try", "id": run.id, "logged": logged, "config": config | {"added.later": 5}}


def failed() -> dict[str, object]:
    run = wandb.init(project="other", name="failed", id="failed01", settings=settings())
    run.log({"loss": 0.5})
    run.finish(exit_code=3)
    return {"name": "failed", "id": run.id, "logged": {"loss": [(0, "0.5")]}, "config": {}}


if __name__ == "__main__":
    sys.stdout.write(json.dumps([first(), failed()]))
