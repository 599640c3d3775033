"""Two processes train one model (gloo, CPU): one run, written by rank zero alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runstore.model import Run
from runstore.opening.stores import open_store

pytestmark = pytest.mark.training

SCRIPT = """
import atexit, os, sys
import torch
torch.set_num_threads(1)
from pathlib import Path
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.demos.boring_classes import BoringModel
from runstore.lightning import RunStoreLogger

@atexit.register
def end_group():  # PyTorch asks it of each program: gloo's threads that are there when Python ends may abort the process
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()

class Model(BoringModel):
    def setup(self, stage):
        if "UNREADY" in os.environ:
            raise ValueError("no data on this machine")

    def training_step(self, batch, batch_idx):
        if self.global_rank == 1 and "CRASH" in os.environ:
            raise ValueError("rank one is out of memory")
        loss = self.step(batch)
        self.log("train_loss", loss)
        return loss

class Tell(Callback):
    def on_fit_end(self, trainer, pl_module):
        logger = trainer.logger
        told = [type(logger.experiment).__name__, "sqlalchemy" in sys.modules, logger.run_id, logger.version, logger.log_dir]
        Path(f"rank-{trainer.global_rank}").write_text(repr(told))

def fit(strategy, epochs=1, checkpoint=None):
    logger = RunStoreLogger(sys.argv[1], durable=False)
    Trainer(
        logger=logger, callbacks=[Tell()], max_epochs=epochs, limit_train_batches=2, limit_val_batches=0,
        log_every_n_steps=1, accelerator="cpu", devices=2, strategy=strategy, enable_progress_bar=False,
    ).fit(Model(), ckpt_path=checkpoint)
"""


def run_script(folder: Path, text: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[Run]]:
    script = folder / "train.py"
    script.write_text(SCRIPT + text)
    done = subprocess.run(
        [sys.executable, script, f"sqlite:///{folder}/runs.db"],
        cwd=folder,
        env=dict(os.environ) | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    with open_store(f"sqlite:///{folder}/runs.db", durable=False) as store:
        return done, list(store.search_runs(order_by=["start_time"]).items)


def test_two_processes_make_one_run_and_only_rank_zero_touches_the_store(tmp_path: Path) -> None:
    done, runs = run_script(tmp_path, "fit('ddp')")

    assert done.returncode == 0, done.stderr
    assert [run.status for run in runs] == ["completed"]
    run_id = runs[0].id
    ids = [run_id, run_id, f"./default/{run_id}"]
    assert (tmp_path / "rank-0").read_text() == repr(["RunSession", True, *ids])
    assert (tmp_path / "rank-1").read_text() == repr(["_DummyExperiment", False, *ids])
    with open_store(f"sqlite:///{tmp_path}/runs.db", durable=False) as store:
        assert list(store.get_history(runs[0].id, "loss", "train").steps) == [0, 1]


def test_a_crash_of_rank_one_ends_the_run_as_failed(tmp_path: Path) -> None:
    done, runs = run_script(tmp_path, "fit('ddp')", CRASH="1")

    assert done.returncode != 0
    assert "rank one is out of memory" in done.stderr
    assert [run.status for run in runs] == ["failed"]


def test_ranks_that_resume_agree_on_the_run_and_a_parent_ends_the_run_of_its_forks(tmp_path: Path) -> None:
    text = """
fit('ddp_fork')
checkpoint, = Path().rglob("*.ckpt")
fit('ddp_fork', epochs=2, checkpoint=checkpoint)
os.environ["CRASH"] = "1"
fit('ddp_fork')
"""

    done, (resumed, failed) = run_script(tmp_path, text)

    assert "rank one is out of memory" in done.stderr
    assert (resumed.status, resumed.attempt) == ("completed", 2)
    assert {path.parent.parent.name for path in tmp_path.rglob("*.ckpt")} == {resumed.id}
    assert (failed.status, failed.attempt) == ("failed", 1)
    assert failed.failure is not None
    assert (failed.failure.type, failed.failure.message) == ("ValueError", "rank one is out of memory")


def test_an_error_in_setup_in_a_child_leaves_a_failed_run_that_tells_it(tmp_path: Path) -> None:
    done, runs = run_script(tmp_path, "fit('ddp_fork')", UNREADY="1")

    assert done.returncode != 0
    assert [run.status for run in runs] == ["failed"]
    assert runs[0].failure is not None
    assert "no data on this machine" in runs[0].failure.message


def test_a_second_training_of_two_processes_has_a_run_of_its_own_on_both(tmp_path: Path) -> None:
    text = """
logger = RunStoreLogger(sys.argv[1], durable=False)
for fold in range(2):
    Trainer(
        logger=logger, callbacks=[Tell()], max_epochs=1, limit_train_batches=2, limit_val_batches=0,
        log_every_n_steps=1, accelerator="cpu", devices=2, strategy="ddp", enable_progress_bar=False,
    ).fit(Model())
"""

    done, runs = run_script(tmp_path, text)

    assert done.returncode == 0, done.stderr
    assert [run.status for run in runs] == ["completed", "completed"]
    assert runs[1].tags == {"from_run": runs[0].id}
    assert runs[1].id in (tmp_path / "rank-1").read_text()
    assert {path.parent.parent.name for path in tmp_path.rglob("*.ckpt")} == {run.id for run in runs}


def test_a_second_training_of_forked_children_says_what_it_writes_over(tmp_path: Path) -> None:
    text = """
logger = RunStoreLogger(sys.argv[1], durable=False)
for fold in range(2):
    Trainer(
        logger=logger, max_epochs=1, limit_train_batches=2, limit_val_batches=0, enable_checkpointing=False,
        log_every_n_steps=1, accelerator="cpu", devices=2, strategy="ddp_fork", enable_progress_bar=False,
    ).fit(Model())
"""

    done, runs = run_script(tmp_path, text)

    assert done.returncode == 0, done.stderr
    assert [(run.status, run.attempt) for run in runs] == [("completed", 2)]
    assert "has points up to step 1 already" in done.stderr
