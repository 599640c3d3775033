"""How quickly the runs of other tools are imported: ``python -m benchmarks.imports FOLDER [TOOL]...``.

MLflow, W&B and tensorboardX make the sources themselves, in environments of their own below FOLDER, which are kept: MLflow the
tables of a database, to which 10⁶ points in ten series of one run are added as it writes them; W&B an offline run of 10⁵ rows
of ten values; tensorboardX an event file of as many. A file of Lightning's CSVLogger is written as that does, without Lightning. Each
is brought into a new SQLite store by the command. Beside it stands the reading alone: of MLflow the same rows in the same
order by the driver, of W&B and TensorBoard each record of the file with its checksum, of Lightning each row.
"""

import csv
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from benchmarks.environments import Environments
from runstore.importing import tensorboard_records, wandb_records

_ROWS, _SERIES = 100_000, 10

_MAKE_MLFLOW = """
from mlflow.tracking import MlflowClient
client = MlflowClient("sqlite:///mlflow.db")
print(client.create_run(client.create_experiment("big")).info.run_id)
"""

_MAKE_WANDB = f"""
import os, random
os.environ |= {{"WANDB_MODE": "offline", "WANDB_SILENT": "true"}}
import wandb
run = wandb.init(project="big", settings=wandb.Settings(console="off"))
for _ in range({_ROWS}):
    run.log({{f"m{{k}}": random.random() for k in range({_SERIES})}})
run.finish()
"""


_MAKE_TENSORBOARD = f"""
import random
from tensorboardX import SummaryWriter
with SummaryWriter("logs") as writer:
    for step in range({_ROWS}):
        for key in range({_SERIES}):
            writer.add_scalar(f"m{{key}}", random.random(), step)
"""


def make_mlflow(python: Path, folder: Path) -> Path:
    place = folder / "mlflow.db"
    if place.exists():
        return place
    done = subprocess.run([python, "-c", _MAKE_MLFLOW], cwd=folder, check=True, capture_output=True, text=True)
    run_id = done.stdout.split()[-1]
    with closing(sqlite3.connect(place)) as connection, connection:
        rows = (
            (f"m{key}", step / 7 + key, 1_700_000_000_000 + step * 100, run_id, step, 0)
            for step in range(_ROWS)
            for key in range(_SERIES)
        )
        connection.executemany(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
    connection.close()
    return place


def make_wandb(python: Path, folder: Path) -> Path:
    place = folder / "wandb"
    if not place.exists():
        subprocess.run([python, "-c", _MAKE_WANDB], cwd=folder, check=True)
    return place


def make_tensorboard(python: Path, folder: Path) -> Path:
    place = folder / "logs"
    if not place.exists():
        subprocess.run([python, "-c", _MAKE_TENSORBOARD], cwd=folder, check=True)
    return place


def make_csv(python: Path, folder: Path) -> Path:  # noqa: ARG001 - the CSVLogger would need PyTorch
    place = folder / "lightning_logs" / "version_0"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "metrics.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        names = [f"m{key}" for key in range(_SERIES)]
        rows.writerow(["epoch", *names, "step"])
        rows.writerows([0, *(step / 7 + key for key in range(_SERIES)), step] for step in range(_ROWS))
    return place.parent


def read_rows(place: Path) -> None:
    with closing(sqlite3.connect(place)) as connection, connection:
        asked = "SELECT key, step, timestamp, value, is_nan FROM metrics ORDER BY key, step, timestamp, value"
        for _ in connection.execute(asked):
            pass
    connection.close()


def read_records(place: Path) -> None:
    (path,) = place.glob("offline-run-*/*.wandb")
    with path.open("rb") as file:
        for _ in wandb_records.records_in(file, str(path)):
            pass


def read_events(place: Path) -> None:
    (path,) = place.glob("*tfevents*")
    with path.open("rb") as file:
        for _ in tensorboard_records.records_in(file, str(path), is_checked=True):
            pass


def read_csv(place: Path) -> None:
    with (place / "version_0" / "metrics.csv").open(newline="") as file:
        for _ in csv.reader(file):
            pass


def measured(work: Callable[[], object], whose: int) -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    before, began = resource.getrusage(whose), time.perf_counter()
    work()
    took, after = time.perf_counter() - began, resource.getrusage(whose)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    environments = Environments(folder / "environments")
    points = _ROWS * _SERIES
    sources = {
        "mlflow": (make_mlflow, read_rows),
        "wandb": (make_wandb, read_records),
        "tensorboard": (make_tensorboard, read_events),
        "csvlogger": (make_csv, read_csv),
    }
    for name in sys.argv[2:] or sources:
        make, read = sources[name]
        python = Path(sys.executable) if name == "csvlogger" else environments.python(name)
        place = make(python, folder)
        target = folder / "imported"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        command = [sys.executable, "-m", "runstore", "import", str(place), "--store", f"sqlite:///{target}/runs.db"]
        bring = partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
        for what, work, whose in (
            ("reading alone", partial(read, place), resource.RUSAGE_SELF),
            ("import", bring, resource.RUSAGE_CHILDREN),
            ("import again", bring, resource.RUSAGE_CHILDREN),
        ):
            took, busy = measured(work, whose)
            print(f"{name:11} {what:14} {took:6.2f} s  {points / took:11,.0f} points/s  {busy:6.2f} s of a processor")


if __name__ == "__main__":
    main()
