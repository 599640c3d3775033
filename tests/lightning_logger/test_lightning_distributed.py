"""Two processes train one model (gloo, CPU): one run, written by rank zero alone."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytorch_lightning import Trainer

from lightning_logger.models import Model
from runstore.lightning import RunStoreLogger
from runstore.model import Run
from runstore.opening import open_store

pytestmark = pytest.mark.training

SCRIPT = """
import os, sys
import torch
torch.set_num_threads(1)
from pathlib import Path
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.demos.boring_classes import BoringModel
from runstore.lightning import RunStoreLogger

class Model(BoringModel):
    def training_step(self, batch, batch_idx):
        if batch_idx == 1 and self.global_rank == 1 and "CRASH" in os.environ:
            raise ValueError("rank one is out of memory")
        loss = self.step(batch)
        self.log("train_loss", loss)
        return loss

class Tell(Callback):
    def on_fit_end(self, trainer, pl_module):
        told = [type(trainer.logger.experiment).__name__, "sqlalchemy" in sys.modules, trainer.log_dir]
        Path(f"rank-{trainer.global_rank}").write_text(repr(told))

Trainer(
    logger=RunStoreLogger(sys.argv[1], durable=False), callbacks=[Tell()], max_steps=3, limit_val_batches=1,
    log_every_n_steps=1, accelerator="cpu", devices=2, strategy="ddp", enable_progress_bar=False,
).fit(Model())
"""


def train(folder: Path, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[Run], str]:
    script = folder / "train.py"
    script.write_text(SCRIPT)
    url = f"sqlite:///{folder}/runs.db"
    done = subprocess.run(
        [sys.executable, script, url],
        cwd=folder,
        env=dict(os.environ) | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    with open_store(url, durable=False) as store:
        return done, list(store.search_runs().items), url


def test_two_processes_make_one_run_and_only_rank_zero_touches_the_store(tmp_path: Path) -> None:
    done, runs, url = train(tmp_path)

    assert done.returncode == 0, done.stderr
    assert [run.status for run in runs] == ["completed"]
    assert (tmp_path / "rank-0").read_text() == "['RunSession', True, '.']"
    assert (tmp_path / "rank-1").read_text() == "['_DummyExperiment', False, '.']"
    with open_store(url, durable=False) as store:
        assert list(store.get_history(runs[0].id, "loss", "train").steps) == [0, 1, 2]


def test_a_crash_of_rank_one_ends_the_run_as_failed(tmp_path: Path) -> None:
    done, runs, _url = train(tmp_path, CRASH="1")

    assert done.returncode != 0
    assert "rank one is out of memory" in done.stderr
    assert [run.status for run in runs] == ["failed"]


def fit_in_forks(url: str, folder: Path, act: Callable[[], None]) -> None:
    class Forked(Model):
        def on_train_batch_end(self, *_: object) -> None:
            act()

    logger = RunStoreLogger(url, durable=False, save_dir=folder)
    Trainer(
        logger=logger,
        max_steps=1,
        limit_val_batches=0,
        log_every_n_steps=1,
        accelerator="cpu",
        devices=2,
        strategy="ddp_fork",
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(Forked())


def fail() -> None:
    raise ValueError("a forked rank failed")


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it is multi-threaded, and forks, from 3.12 on
@pytest.mark.parametrize(("act", "status"), [(int, "completed"), (fail, "failed")])
def test_processes_that_the_trainer_starts_itself_make_one_run_that_their_parent_can_end(
    tmp_path: Path, act: Callable[[], None], status: str
) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    # In a process of its own, because Lightning leaves the ranks' environment behind.
    parent = multiprocessing.get_context("fork").Process(target=fit_in_forks, args=(url, tmp_path, act))

    parent.start()
    parent.join()

    with open_store(url, durable=False) as store:
        (run,) = store.search_runs().items
    assert run.status == status
    assert run.failure is None or "a forked rank failed" in run.failure.message
