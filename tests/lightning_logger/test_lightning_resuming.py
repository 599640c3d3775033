"""A run goes on in another process, by the id that travels in the Lightning checkpoint."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint

from lightning_logger.models import Model, StoppedModel
from runstore.lightning import RunStoreLogger
from runstore.memory.store import MemoryStore
from runstore.opening.stores import open_store

pytestmark = pytest.mark.training

MakeTrainer = Callable[..., Trainer]


@pytest.fixture
def fitted(store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path) -> tuple[RunStoreLogger, Path]:
    """A completed run of one epoch, and its checkpoint."""
    logger = RunStoreLogger(store=store, experiment="e", save_dir=tmp_path)
    trainer = make_trainer(logger=logger)
    trainer.fit(Model())
    return logger, Path(trainer.checkpoint_callback.best_model_path)  # type: ignore[union-attr]


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("runstore")]


def test_the_checkpoint_tells_the_run_in_plain_values(fitted: tuple[RunStoreLogger, Path]) -> None:
    logger, path = fitted

    checkpoint = torch.load(path, weights_only=True)

    (entry,) = checkpoint["runstore"]
    assert entry.pop("attempt")
    assert entry == {"run_id": logger.run_id, "experiment": "e", "store": None, "step": 2, "after": []}


def test_a_checkpoint_of_an_earlier_release_is_continued(
    store: MemoryStore, make_trainer: MakeTrainer, fitted: tuple[RunStoreLogger, Path], tmp_path: Path
) -> None:
    first, path = fitted
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["runstore"] = [{"run_id": first.run_id, "experiment": "e", "store": None, "step": 2}]
    torch.save(checkpoint, path)
    second = RunStoreLogger(store=store, experiment="e", save_dir=tmp_path)

    make_trainer(logger=second, max_epochs=2).fit(Model(), ckpt_path=path)

    assert second.run_id == first.run_id


def test_a_fit_from_a_checkpoint_continues_the_run_as_its_next_attempt(
    store: MemoryStore, make_trainer: MakeTrainer, fitted: tuple[RunStoreLogger, Path], tmp_path: Path
) -> None:
    first, path = fitted
    second = RunStoreLogger(store=store, experiment="e", save_dir=tmp_path)

    make_trainer(logger=second, max_epochs=2).fit(Model(), ckpt_path=path)

    (run,) = store.search_runs().items
    assert second.run_id == second.version == first.run_id == run.id
    assert (run.status, run.attempt) == ("completed", 2)
    assert list(store.get_history(run.id, "loss_step", "train").steps) == [0, 1, 2, 3]


def test_a_run_that_goes_on_calls_its_series_as_before_in_whatever_order_they_come(
    store: MemoryStore, make_trainer: MakeTrainer, fitted: tuple[RunStoreLogger, Path], tmp_path: Path
) -> None:
    first, path = fitted
    first.log_metrics({"val_loss": 1.0, "val/loss": 100.0}, step=0)
    from_a_checkpoint = RunStoreLogger(store=store, save_dir=tmp_path)
    of_an_id = RunStoreLogger(store=store, run_id=first.run_id, save_dir=tmp_path)

    make_trainer(logger=from_a_checkpoint, max_epochs=2).fit(Model(), ckpt_path=path)
    for step, logger in enumerate((from_a_checkpoint, of_an_id), start=1):
        logger.log_metrics({"val/loss": 100.0 + step}, step=step)
        logger.log_metrics({"val_loss": 1.0 + step}, step=step)

    assert list(store.get_history(first.run_id, "loss", "validation").values) == [1.0, 2.0, 3.0]
    assert list(store.get_history(first.run_id, "val/loss", "other").values) == [100.0, 101.0, 102.0]


def test_a_checkpoint_tells_the_experiment_where_the_program_names_none(
    store: MemoryStore, make_trainer: MakeTrainer, fitted: tuple[RunStoreLogger, Path], tmp_path: Path
) -> None:
    first, path = fitted
    second = RunStoreLogger(store=store, save_dir=tmp_path)

    make_trainer(logger=second, max_epochs=2).fit(Model(), ckpt_path=path)

    (run,) = store.search_runs().items
    assert (second.run_id, run.attempt) == (first.run_id, 2)
    assert (second.name, second.log_dir) == (first.name, first.log_dir)
    assert [each.name for each in store.list_experiments().items] == ["e"]


def test_the_steps_that_overlap_are_overwritten(
    store: MemoryStore, make_trainer: MakeTrainer, fitted: tuple[RunStoreLogger, Path], tmp_path: Path
) -> None:
    first, path = fitted
    ahead = RunStoreLogger(store=store, run_id=first.run_id, experiment="e")
    ahead.log_metrics({"train_loss_step": 99.0}, step=2)  # logged by the first attempt after its last checkpoint

    make_trainer(logger=RunStoreLogger(store=store, experiment="e", save_dir=tmp_path), max_epochs=2).fit(
        Model(), ckpt_path=path
    )

    history = store.get_history(first.run_id, "loss_step", "train")
    assert list(history.steps) == [0, 1, 2, 3]
    assert history.values[2] != 99.0


def test_checkpoints_go_on_in_the_runs_folder_with_their_top_k(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    def trainer_with_top_two(max_epochs: int) -> tuple[Trainer, ModelCheckpoint]:
        best = ModelCheckpoint(monitor="val_score", mode="max", save_top_k=2)
        logger = RunStoreLogger(store=store, save_dir=tmp_path)
        return make_trainer(logger=logger, callbacks=[best], max_epochs=max_epochs), best

    trainer, first = trainer_with_top_two(1)
    trainer.fit(Model())
    trainer, second = trainer_with_top_two(2)
    trainer.fit(Model(), ckpt_path=first.best_model_path)

    assert second.dirpath == first.dirpath
    assert set(second.best_k_models) == {first.best_model_path, second.best_model_path}


def test_an_explicit_run_id_wins_and_is_linked_to_the_checkpoints_run(
    store: MemoryStore, make_trainer: MakeTrainer, fitted: tuple[RunStoreLogger, Path], tmp_path: Path
) -> None:
    first, path = fitted
    logger = RunStoreLogger(store=store, experiment="e", run_id="mine", save_dir=tmp_path)

    make_trainer(logger=logger, max_epochs=2).fit(Model(), ckpt_path=path)

    assert store.get_run("mine").status == "completed"
    assert store.get_run("mine").tags == {"from_run": first.run_id}
    assert store.get_run(first.run_id).attempt == 1


def test_a_checkpoint_from_another_store_warns_and_starts_a_linked_run(
    make_trainer: MakeTrainer,
    fitted: tuple[RunStoreLogger, Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, path = fitted
    elsewhere = MemoryStore()
    logger = RunStoreLogger(store=elsewhere, experiment="e", save_dir=tmp_path)

    make_trainer(logger=logger, max_epochs=2).fit(Model(), ckpt_path=path)

    (run,) = elsewhere.search_runs().items
    (warning,) = warnings_in(caplog)
    assert run.id != first.run_id
    assert run.tags == {"from_run": first.run_id}
    assert run.provenance["from_checkpoint"]["run_id"] == first.run_id
    assert "not in this store" in warning


def test_a_checkpoint_of_another_experiment_starts_a_linked_run(
    store: MemoryStore, make_trainer: MakeTrainer, fitted: tuple[RunStoreLogger, Path], tmp_path: Path
) -> None:
    first, path = fitted
    logger = RunStoreLogger(store=store, experiment="fine-tuning", save_dir=tmp_path)

    make_trainer(logger=logger, max_epochs=2).fit(Model(), ckpt_path=path)

    assert store.get_run(logger.run_id).tags == {"from_run": first.run_id}
    assert len(store.search_runs().items) == 2


def test_a_test_of_a_checkpoint_in_a_new_process_is_a_linked_run_of_its_own(
    store: MemoryStore, make_trainer: MakeTrainer, fitted: tuple[RunStoreLogger, Path]
) -> None:
    first, path = fitted
    logger = RunStoreLogger(store=store, experiment="e")

    make_trainer(logger=logger).test(Model(), ckpt_path=path, verbose=False)

    assert logger.run_id != first.run_id
    assert store.get_run(logger.run_id).tags == {"from_run": first.run_id}


def test_a_checkpoint_written_without_our_logger_starts_a_new_run(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    trainer = make_trainer(logger=False)
    trainer.fit(Model())
    path = tmp_path / "foreign.ckpt"
    trainer.save_checkpoint(path)
    logger = RunStoreLogger(store=store, save_dir=tmp_path)

    make_trainer(logger=logger, max_epochs=2).fit(Model(), ckpt_path=path)

    assert store.get_run(logger.run_id).tags == {}


def test_a_trainer_without_our_logger_reads_our_checkpoint(
    make_trainer: MakeTrainer, fitted: tuple[RunStoreLogger, Path]
) -> None:
    _, path = fitted
    trainer = make_trainer(logger=False, max_epochs=2)

    trainer.fit(Model(), ckpt_path=path)

    assert trainer.global_step == 4


def test_two_loggers_each_find_their_own_run_in_one_checkpoint(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "two")]

    def loggers() -> list[RunStoreLogger]:
        return [RunStoreLogger(url, durable=False, save_dir=tmp_path) for url in urls]

    first = loggers()
    trainer = make_trainer(logger=first)
    trainer.fit(Model())
    path = trainer.checkpoint_callback.best_model_path  # type: ignore[union-attr]
    second = loggers()[::-1]
    make_trainer(logger=second, max_epochs=2).fit(Model(), ckpt_path=path)

    assert [logger.run_id for logger in second] == [logger.run_id for logger in first[::-1]]


def test_a_run_whose_process_was_killed_goes_on_as_a_new_attempt(
    store: MemoryStore, make_trainer: MakeTrainer, fitted: tuple[RunStoreLogger, Path], tmp_path: Path
) -> None:
    first, path = fitted
    store.ensure_run(None, run_id=first.run_id, resume=True)  # in progress, as a killed process leaves it

    make_trainer(logger=RunStoreLogger(store=store, experiment="e", save_dir=tmp_path), max_epochs=2).fit(
        Model(), ckpt_path=path
    )

    run = store.get_run(first.run_id)
    assert (run.status, run.attempt) == ("completed", 3)


def train(url: str, *, folder: Path, is_killed: bool, checkpoint: Path | None = None) -> None:
    """Six steps with a checkpoint after each second one; killed, if so, within the fourth."""

    def die() -> None:
        if is_killed:
            os.kill(os.getpid(), signal.SIGKILL)

    os.chdir(folder)
    keep = ModelCheckpoint(dirpath="kept", filename="last", every_n_train_steps=2, enable_version_counter=False)
    trainer = Trainer(
        logger=RunStoreLogger(url, experiment="e", durable=False),
        callbacks=[keep],
        max_steps=6,
        limit_train_batches=6,
        limit_val_batches=0,
        log_every_n_steps=1,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(StoppedModel(die, at=3), ckpt_path=checkpoint)


def exit_code_of(target: Callable[..., None], *args: Any, **kwargs: Any) -> int | None:
    """What a process of its own ended with. It is forked: a new Python would take half a minute to load torch."""
    process = multiprocessing.get_context("fork").Process(target=target, args=args, kwargs=kwargs)
    process.start()
    process.join()
    return process.exitcode


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it is multi-threaded, and forks, from 3.12 on
def test_a_training_killed_with_sigkill_is_lost_by_its_heartbeat_and_goes_on_elsewhere(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()

    killed = exit_code_of(train, url, folder=here, is_killed=True)
    with open_store(url, durable=False) as store:
        (left,) = store.search_runs().items
        store.heartbeat(left.id, lease_s=1e-6)  # the lease, a day in a bare store, runs out at once
        lost = store.get_run(left.id)
    resumed = exit_code_of(train, url, folder=there, is_killed=False, checkpoint=here / "kept" / "last.ckpt")

    assert (killed, resumed) == (-signal.SIGKILL, 0)
    assert (left.status, lost.status) == ("in_progress", "lost")
    with open_store(url, durable=False) as store:
        (run,) = store.search_runs().items
        assert (run.id, run.status, run.attempt) == (left.id, "completed", 2)
        assert list(store.get_history(run.id, "loss_step", "train").steps) == [0, 1, 2, 3, 4, 5]
