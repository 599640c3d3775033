"""Fabric, which tells a logger nothing of an end: a block's end, or the process's, is the run's."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric

from runstore.lightning import RunStoreLogger
from runstore.memory.store import MemoryStore
from runstore.model import Run
from runstore.opening.stores import open_reader
from support.waiting import wait_until

pytestmark = pytest.mark.training

SCRIPT = """
import contextlib, os, sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)
from lightning_fabric import Fabric
from runstore.lightning import RunStoreLogger

def train(fabric, logger):
    model = torch.nn.Linear(2, 1)
    model, optimizer = fabric.setup(model, torch.optim.SGD(model.parameters(), lr=0.1))
    for step in range(2):
        loss = model(torch.ones(4, 2)).mean()
        fabric.backward(loss)
        optimizer.step()
        fabric.log("train_loss", loss, step=step)
        if "CRASH" in os.environ and fabric.global_rank == int(os.environ["CRASH"]):
            raise ValueError("out of memory")
    fabric.log_dict({"val_loss": 1.0, "val_acc": torch.tensor(0.5)}, step=2)
    Path(f"rank-{fabric.global_rank}").write_text(f"{type(logger.experiment).__name__} {'sqlalchemy' in sys.modules}")
    while "WAIT" in os.environ:
        time.sleep(0.05)
    # PyTorch asks it of each program: gloo's threads that are there when Python ends may abort the process.
    torch.distributed.destroy_process_group()

def main(strategy):
    logger = RunStoreLogger(sys.argv[1], experiment="fabric", durable=False)
    fabric = Fabric(accelerator="cpu", devices=2, strategy=strategy, loggers=[logger])
    if strategy == "ddp":
        fabric.launch()
        train(fabric, logger)
    elif "BLOCK" in os.environ:
        with logger, contextlib.suppress(Exception if "CAUGHT" in os.environ else ()):
            fabric.launch(train, logger)
    else:
        fabric.launch(train, logger)

if __name__ == "__main__":
    main(sys.argv[2])
"""


def fabric(store: MemoryStore, **options: Any) -> tuple[Fabric, RunStoreLogger]:
    logger = RunStoreLogger(store=store, experiment="fabric", **options)
    return Fabric(accelerator="cpu", devices=1, loggers=[logger]), logger


def start(folder: Path, strategy: str, **environment: str) -> subprocess.Popen[str]:
    script = folder / "train.py"
    script.write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, script, f"sqlite:///{folder}/runs.db", strategy],
        cwd=folder,
        env=dict(os.environ) | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def runs_of(folder: Path) -> list[Run]:
    with open_reader(f"sqlite:///{folder}/runs.db") as reader:
        return list(reader.search_runs().items)


def test_what_fabric_logs_is_one_run_that_its_block_ends(store: MemoryStore) -> None:
    fab, logger = fabric(store)

    with logger:
        fab.logger.log_hyperparams({"lr": 0.1})
        for step in range(3):
            fab.log("train_loss", torch.tensor(1.0 / (step + 1)), step=step)
        fab.log_dict({"val_loss": 0.5, "val_acc": torch.tensor(0.75)}, step=3)
        assert store.get_run(logger.run_id).status == "in_progress"

    (run,) = store.search_runs().items
    assert (run.id, run.status) == (logger.run_id, "completed")
    assert store.get_config(run.id) == {"lr": 0.1}
    assert [(each.name, str(each.dataset_type), each.count) for each in store.get_summaries(run.id)] == [
        ("acc", "validation", 1),
        ("loss", "train", 3),
        ("loss", "validation", 1),
    ]


@pytest.mark.parametrize(("error", "status"), [(ValueError("no"), "failed"), (KeyboardInterrupt(), "interrupted")])
def test_what_leaves_the_block_ends_the_run(error: BaseException, status: str, store: MemoryStore) -> None:
    fab, logger = fabric(store)

    def train() -> None:
        with logger:
            fab.log("train_loss", 1.0, step=0)
            raise error

    with pytest.raises(type(error)):
        train()

    assert store.get_run(logger.run_id).status == status


@pytest.mark.parametrize("strategy", ["ddp", "ddp_spawn"])
def test_two_processes_make_one_run_which_rank_zero_writes_and_its_end_completes(strategy: str, tmp_path: Path) -> None:
    done = start(tmp_path, strategy)
    output, _ = done.communicate()

    (run,) = runs_of(tmp_path)
    assert done.returncode == 0, output
    assert (run.status, run.attempt) == ("completed", 1)
    assert (tmp_path / "rank-0").read_text() == "RunSession True"
    assert (tmp_path / "rank-1").read_text() == "_DummyExperiment False"


@pytest.mark.parametrize("strategy", ["ddp", "ddp_spawn"])
def test_an_error_in_rank_zero_ends_the_run_with_it(strategy: str, tmp_path: Path) -> None:
    done = start(tmp_path, strategy, CRASH="0")
    done.communicate()

    (run,) = runs_of(tmp_path)
    assert (run.status, run.attempt) == ("failed", 1)
    assert run.failure is not None
    assert (run.failure.type, run.failure.message) == ("ValueError", "out of memory")
    assert "train(fabric, logger)" in run.failure.traceback or "in train" in run.failure.traceback


@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_block_around_the_launch_of_children_tells_what_became_of_them_once(rank: str, tmp_path: Path) -> None:
    done = start(tmp_path, "ddp_spawn", CRASH=rank, BLOCK="1")
    done.communicate()

    (run,) = runs_of(tmp_path)
    assert done.returncode != 0
    assert (run.status, run.attempt) == ("failed", 1)
    assert run.failure is not None
    assert (run.failure.type, run.failure.message) == ("ValueError", "out of memory")
    assert "in train" in run.failure.traceback


def test_a_program_that_catches_what_its_children_raised_leaves_no_run_under_way(tmp_path: Path) -> None:
    done = start(tmp_path, "ddp_spawn", CRASH="0", BLOCK="1", CAUGHT="1")
    output, _ = done.communicate()

    (run,) = runs_of(tmp_path)
    assert done.returncode == 0, output
    assert (run.status, run.attempt) == ("failed", 1)


def test_ctrl_c_in_spawned_children_interrupts_the_run(tmp_path: Path) -> None:
    done = start(tmp_path, "ddp_spawn", WAIT="1")
    wait_until(
        lambda: (tmp_path / "rank-0").exists() or done.poll() is not None,
        "the first process to have trained",
        at_most_s=240,
    )

    os.killpg(done.pid, signal.SIGINT)
    output, _ = done.communicate()

    assert [run.status for run in runs_of(tmp_path)] == ["interrupted"], output


def test_the_machine_is_watched_without_a_trainer_too(store: MemoryStore) -> None:
    fab, logger = fabric(store, system_metrics_s=60.0)

    with logger:
        fab.log("train_loss", 1.0, step=0)

    assert "system/cpu_percent" in {each.name for each in store.get_summaries(logger.run_id)}


def test_media_is_kept_at_the_step_of_what_fabric_logged_last(store: MemoryStore) -> None:
    fab, logger = fabric(store)

    with logger:
        fab.log("train_loss", 1.0, step=5)
        logger.log_image("overlay", [torch.rand(4, 4)])
        logger.experiment.log_text("note", "words")

    assert [artifact.name for artifact in store.list_artifacts(logger.run_id)] == ["note.txt", "overlay/000000005.png"]
