"""Makes runs with MLflow itself, of any release from 1.30 on: ``python mlflow_runs.py TRACKING_URI [FOLDER]``, the folder for artifacts.

What was logged is printed as JSON, as MLflow's own client reads it back.
"""

import json
import math
import os
import sys
import tempfile
from pathlib import Path

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # 3.13 and later refuse a folder otherwise
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

HOUR = 3_600_000
START = 1_700_000_000_000  # milliseconds


def log(client: MlflowClient, run_id: str, key: str, points: list[tuple[float, int, int]]) -> None:
    client.log_batch(run_id, metrics=[Metric(key, value, START + moment, step) for value, moment, step in points])


def make(client: MlflowClient, folder: Path | None) -> None:
    location = None if folder is None else (folder / "kept").as_uri()
    experiment = client.create_experiment("chest x-rays", artifact_location=location)
    client.set_experiment_tag(experiment, "mlflow.note.content", "Who has pneumonia?")
    client.set_experiment_tag(experiment, "team", "radiology")

    parent = client.create_run(experiment, start_time=START, tags={"mlflow.runName": "sweep"}).info.run_id
    for content in b"12" if hasattr(client, "create_logged_model") else b"":  # release 3 has them
        model = client.create_logged_model(experiment, name="net", source_run_id=parent)
        with tempfile.TemporaryDirectory() as made:
            (Path(made) / "weights").write_bytes(bytes([content]))
            client.log_model_artifacts(model.model_id, made)
    client.set_terminated(parent, "FINISHED", end_time=START + HOUR)

    child = client.create_run(
        experiment, start_time=START + 1_234, tags={"mlflow.runName": "first try", "mlflow.parentRunId": parent}
    ).info.run_id
    params = {
        "lr": "0.001",
        "epochs": "10",
        "amp": "True",
        "seed": "007",
        "net/name": "resnet-18",
        "note": "a b: c",
        "nothing": "None",
        "big": "1e-3",
        "weights.path": "x/y",
    }
    tags = {
        "owner": "Jörg",
        "mlflow.note.content": "# Looks good\n\nbut *check* it",
        "empty": "",
        "many lines": "a\nb\n",
    }
    client.log_batch(
        child, params=[Param(*each) for each in params.items()], tags=[RunTag(*each) for each in tags.items()]
    )
    log(client, child, "train/loss", [(1 / (1 + step), step * 1000, step) for step in range(1200)])
    log(client, child, "val_auroc", [(0.5, 10, 0), (0.75, 20, 1), (0.5, 30, 2)])
    log(client, child, "odd", [(math.nan, 1, 0), (math.inf, 2, 1), (-math.inf, 3, 2), (-0.0, 4, 3), (5e-324, 5, 4)])
    log(client, child, "repeated", [(1.0, 1, 0), (2.0, 2, 5), (3.0, 9, 5), (2.5, 5, 5), (4.0, 10, 6)])
    log(client, child, "below", [(1.0, 1, -2), (2.0, 2, -1), (3.0, 3, 0), (4.0, 4, 1)])
    log(client, child, "no steps", [(3.0, 30, 0), (1.0, 10, 0), (2.0, 20, 0)])
    log(client, child, "deep/er/name", [(7.0, 0, 0)])
    log(client, child, "late", [(2.0, 200, 20), (1.0, 100, 10)])
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "model").mkdir()
        (Path(made) / "model" / "weights.bin").write_bytes(bytes(range(256)) * 40)
        (Path(made) / "report.txt").write_text("all well\n")
        client.log_artifacts(child, made)
    client.set_terminated(child, "FAILED", end_time=START + HOUR // 2)

    client.create_run(experiment, start_time=START + 5, tags={"mlflow.runName": "going on"})
    killed = client.create_run(client.create_experiment("other"), start_time=START + 6).info.run_id
    client.set_terminated(killed, "KILLED", end_time=START + 7)
    gone = client.create_run(experiment, start_time=START + 8).info.run_id
    client.delete_run(gone)


def told(client: MlflowClient) -> dict[str, object]:
    found: dict[str, object] = {}
    experiments = client.search_experiments()
    for each in client.search_runs([one.experiment_id for one in experiments], max_results=1000):
        run = client.get_run(each.info.run_id)
        found[run.info.run_id] = {
            "experiment": client.get_experiment(run.info.experiment_id).name,
            "status": run.info.status,
            "start": run.info.start_time,
            "end": run.info.end_time,
            "params": run.data.params,
            "tags": run.data.tags,
            "metrics": {
                key: [[m.step, repr(m.value), m.timestamp] for m in client.get_metric_history(run.info.run_id, key)]
                for key in run.data.metrics
            },
        }
    return found


if __name__ == "__main__":
    client = MlflowClient(sys.argv[1])
    make(client, Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    sys.stdout.write(json.dumps(told(client)))
