"""Runs that no trainer ends, or that a trainer cannot end, are ended all the same, by what happened."""
# ruff: noqa: ARG002 - Lightning names the arguments of its hooks

import gc
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning_fabric import Fabric
from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning import Callback, Trainer

from lightning_logger.models import Model, StoppedModel
from runstore.lightning import RunStoreLogger
from runstore.memory.store import MemoryStore
from runstore.opening.stores import open_store

pytestmark = pytest.mark.training

MakeTrainer = Callable[..., Trainer]


def test_a_block_ends_the_run_as_completed(store: MemoryStore) -> None:
    with RunStoreLogger(store=store) as logger:
        logger.log_metrics({"loss": 1.0})

    assert store.get_run(logger.run_id).status == "completed"


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("bad data"), "failed"), (KeyboardInterrupt(), "interrupted"), (SystemExit(1), "failed")],
)
@pytest.mark.parametrize("has_logged", [True, False])
def test_a_block_ends_the_run_by_what_leaves_it(
    store: MemoryStore, error: BaseException, status: str, *, has_logged: bool
) -> None:
    logger = RunStoreLogger(store=store)
    if has_logged:
        logger.log_metrics({"loss": 1.0})

    with pytest.raises(type(error)), logger:
        raise error

    assert store.get_run(logger.run_id).status == status


def test_a_block_in_which_nothing_happened_makes_no_run(store: MemoryStore) -> None:
    with RunStoreLogger(store=store):
        pass

    assert store.search_runs().items == ()


def test_a_block_around_a_trainer_leaves_its_end_as_it_is(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    with RunStoreLogger(store=store) as logger:
        make_trainer(logger=logger).fit(Model())

    run = store.get_run(logger.run_id)
    assert (run.status, run.attempt) == ("completed", 1)


def test_fabric_logs_to_it(store: MemoryStore, tmp_path: Path) -> None:
    with RunStoreLogger(store=store, save_dir=tmp_path) as logger:
        fabric = Fabric(accelerator="cpu", devices=1, loggers=[logger])
        fabric.launch()
        for step in range(3):
            fabric.log_dict({"train_loss": 1.0 / (step + 1), "lr": 0.1}, step)

    assert store.get_run(logger.run_id).status == "completed"
    assert list(store.get_history(logger.run_id, "loss", "train").steps) == [0, 1, 2]


SCRIPT = """
import os, signal, sys
from runstore.lightning import RunStoreLogger

def train(number):
    logger = RunStoreLogger("sqlite:///runs.db", run_id=f"run-{number}", durable=sys.argv[2] == "durable")
    for step in range(3):
        logger.log_metrics({"loss": 1.0}, step)
    return logger

kept, _ = train(0), train(1)
del _
"""


@pytest.mark.parametrize(
    ("end", "status", "durable"),
    [
        ("", "completed", "durable"),
        ("raise ValueError('bad data')", "failed", "durable"),
        ("raise KeyboardInterrupt", "interrupted", "bare"),
    ],
    ids=["good", "error", "ctrl-c"],
)
def test_a_program_without_a_trainer_ends_its_runs_with_itself(
    tmp_path: Path, durable: str, end: str, status: str
) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT + end)

    done = subprocess.run(
        [sys.executable, script, "-", durable], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    with open_store(f"sqlite:///{tmp_path}/runs.db", durable=False) as store:
        runs = [store.get_run(f"run-{number}") for number in range(2)]
        assert [store.get_history(run.id, "loss", "other").values.tolist() for run in runs] == [[1.0] * 3] * 2
    assert [run.status for run in runs] == [status, status], done.stderr
    if status == "failed":
        assert all(run.failure is not None and run.failure.message == "bad data" for run in runs)


def test_a_forked_child_ends_none_of_its_parents_runs(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        SCRIPT
        + "import time\n"
        + "child = os.fork()\n"
        + "if not child:\n    sys.exit()\n"
        + "os.waitpid(child, 0)\n"
        + "os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    done = subprocess.run([sys.executable, "-W", "ignore", script, "-", "bare"], cwd=tmp_path, check=False)

    assert done.returncode == -signal.SIGKILL
    with open_store(f"sqlite:///{tmp_path}/runs.db", durable=False) as store:
        assert store.get_run("run-0").status == "in_progress"


@pytest.mark.parametrize("options", [{}, {"durable": False}, {"system_metrics_s": 0.05}])
def test_loggers_that_are_dropped_keep_no_thread_and_no_file(options: dict[str, Any], tmp_path: Path) -> None:
    def train(number: int) -> None:
        logger = RunStoreLogger(f"sqlite:///{tmp_path}/runs.db", run_id=f"run-{number}", **options)
        logger.log_metrics({"loss": 1.0})
        pickle.loads(pickle.dumps(logger)).log_metrics({"loss": 2.0})

    def of_ours() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("runstore")]

    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    files, others = open_files(), set(of_ours())
    for number in range(5):
        train(number)
    deadline = time.monotonic() + 120
    gc.collect()
    while (set(of_ours()) - others or open_files() >= files + 5) and time.monotonic() < deadline:
        time.sleep(0.05)
        gc.collect()  # a heartbeat under way may leave its connection to the collector

    assert set(of_ours()) <= others
    assert open_files() < files + 5
    with open_store(f"sqlite:///{tmp_path}/runs.db", durable=False) as store:
        assert len(store.search_runs().items) == 5


def test_a_checkpoint_without_a_fit_begins_no_run_where_none_is_kept(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)

    logger.after_save_checkpoint(object())

    assert store.search_runs().items == ()


class Fails(Callback):
    """Another one's callback, which fails when it is told of a failure."""

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        raise OSError("no connection to the pager")


@pytest.mark.parametrize("position", [0, 1])
def test_a_callback_that_fails_on_exception_does_not_hide_the_error(
    store: MemoryStore, make_trainer: MakeTrainer, position: int
) -> None:
    callbacks: list[Callback] = [Callback()]
    callbacks.insert(position, Fails())
    logger = RunStoreLogger(store=store)

    with pytest.raises(OSError, match="pager"):
        make_trainer(logger=logger, callbacks=callbacks).fit(StoppedModel(lambda: 1 // 0))

    run = store.get_run(logger.run_id)
    assert run.status == "failed"
    assert run.failure is not None
    assert run.failure.type == "ZeroDivisionError"


def test_our_callback_is_asked_before_all_others_and_each_of_them_once_and_in_its_order(
    store: MemoryStore, make_trainer: MakeTrainer
) -> None:
    asked: list[str] = []

    class Named(Callback):
        def __init__(self, name: str) -> None:
            self.name = name

        @property
        def state_key(self) -> str:
            return self.name

        def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
            asked.append(f"setup {self.name}")

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            asked.append(type(trainer.callbacks[0]).__name__)

        def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
            asked.append(f"teardown {self.name}")

    trainer = make_trainer(logger=RunStoreLogger(store=store), callbacks=[Named("a"), Named("b")])
    before: list[Callback] = list(vars(trainer)["callbacks"])
    trainer.fit(Model())

    assert asked == ["setup a", "setup b", *["RunStoreCallback"] * 2, "teardown a", "teardown b"]
    assert vars(trainer)["callbacks"] == before


def test_a_pruned_trial_is_interrupted(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    kind = type("TrialPruned", (Exception,), {"__module__": "optuna.exceptions"})  # it is known by its name

    def prune() -> None:
        raise kind("pruned at epoch 0")

    logger = RunStoreLogger(store=store)
    with pytest.raises(kind):
        make_trainer(logger=logger).fit(StoppedModel(prune))

    assert store.get_run(logger.run_id).status == "interrupted"


def test_a_training_whose_trainer_is_the_first_of_its_world_is_logged_whatever_the_cluster_calls_it(
    store: MemoryStore, make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rank_zero_only, "rank", 1)  # as SLURM_PROCID=1 makes it, in a task that trains alone
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=True)

    make_trainer(logger=logger).fit(Model())

    run = store.get_run(logger.run_id)
    assert (run.status, store.get_config(run.id)) == ("completed", {"lr": 0.1})
    assert list(store.get_history(run.id, "loss_step", "train").steps) == [0, 1]
    assert len(store.list_artifacts(run.id)) == 1


def test_a_process_that_a_cluster_keeps_from_writing_says_so_once(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLURM_PROCID", "1")
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    logger = RunStoreLogger(store=store)

    for step in range(2):
        logger.log_metrics({"loss": 1.0}, step)

    (warning,) = [record.getMessage() for record in caplog.records if record.name.startswith("runstore")]
    assert "SLURM_PROCID=1" in warning
    assert store.search_runs().items == ()


def test_numbers_that_are_added_to_another_ones_running_training_do_not_end_it(store: MemoryStore) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("e"))  # another process is training it

    with RunStoreLogger(store=store, experiment="e", run_id=run_id) as logger:
        logger.log_metrics({"extra": 1.0}, step=0)

    assert store.get_run(run_id).status == "in_progress"
    assert list(store.get_history(run_id, "extra", "other").values) == [1.0]
