"""Several trainings and tests with one logger: none writes over another in silence."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint

from lightning_logger.models import Model
from runstore.lightning import RunStoreLogger
from runstore.memory.store import MemoryStore
from runstore.model import Run

pytestmark = pytest.mark.training

MakeTrainer = Callable[..., Trainer]


class Biased(Model):
    """A model whose numbers tell which one it is."""

    def __init__(self, bias: float, lr: float = 0.1) -> None:
        super().__init__(lr)
        self.save_hyperparameters()
        self.bias = bias

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:  # noqa: ARG002 - Lightning's names
        self.log("val_score", self.bias)

    def test_step(self, batch: torch.Tensor, batch_idx: int) -> None:  # noqa: ARG002 - Lightning's names
        self.log("test_acc", self.bias)


def by_age(store: MemoryStore) -> tuple[Run, ...]:
    return store.search_runs(order_by=["start_time"]).items


def values(store: MemoryStore, run: Run, name: str, kind: str) -> list[float]:
    return list(store.get_history(run.id, name, kind).values)


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("runstore")]


def test_each_fold_of_a_cross_validation_is_a_run_with_its_tests_hyperparameters_and_checkpoints(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, tags={"owner": "me"}, log_model=True)
    ids = []

    for fold in (1.0, 2.0, 3.0):
        trainer, model = make_trainer(logger=logger), Biased(fold)
        trainer.fit(model)
        trainer.test(model, verbose=False)
        ids.append(logger.run_id)

    runs = by_age(store)
    assert [run.id for run in runs] == ids
    assert [run.status for run in runs] == ["completed"] * 3
    assert [run.tags.get("from_run") for run in runs] == [None, ids[0], ids[1]]
    assert [run.tags["owner"] for run in runs] == ["me"] * 3
    assert [store.get_config(run.id)["bias"] for run in runs] == [1.0, 2.0, 3.0]
    assert [values(store, run, "score", "validation") for run in runs] == [[1.0], [2.0], [3.0]]
    assert [values(store, run, "acc", "test") for run in runs] == [[1.0], [2.0], [3.0]]
    assert [len(store.list_artifacts(run.id)) for run in runs] == [1, 1, 1]
    assert {path.parent.parent.name for path in tmp_path.rglob("*.ckpt")} == set(ids)
    assert len(warnings_in(caplog)) == 2


def test_tests_of_several_models_at_one_step_are_runs_of_their_own(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path)
    trainer = make_trainer(logger=logger, callbacks=[ModelCheckpoint(save_last=True)], max_epochs=2)
    trainer.fit(Biased(1.0))
    first = logger.run_id

    trainer.test(Biased(5.0), ckpt_path="best", verbose=False)
    second = logger.run_id
    trainer.test(Biased(6.0), ckpt_path="last", verbose=False)

    runs = by_age(store)
    assert second == first
    assert [values(store, run, "acc", "test") for run in runs] == [[5.0], [6.0]]
    assert runs[1].tags == {"from_run": first}
    assert [run.status for run in runs] == ["completed", "completed"]


def test_a_test_by_a_trainer_made_anew_is_added_to_the_training_and_the_next_one_is_not(
    store: MemoryStore, make_trainer: MakeTrainer
) -> None:
    logger = RunStoreLogger(store=store)
    make_trainer(logger=logger).fit(Biased(1.0))

    for bias in (2.0, 3.0):
        make_trainer(logger=logger).test(Biased(bias), verbose=False)

    assert [values(store, run, "acc", "test") for run in by_age(store)] == [[2.0], [3.0]]


def test_a_second_training_that_fails_before_its_first_step_leaves_the_first_one_completed(
    store: MemoryStore, make_trainer: MakeTrainer
) -> None:
    class Unready(Model):
        def setup(self, stage: str) -> None:
            raise RuntimeError(f"no data for {stage}")

    logger = RunStoreLogger(store=store)
    make_trainer(logger=logger).fit(Model())

    with pytest.raises(RuntimeError, match="no data"):
        make_trainer(logger=logger).fit(Unready())

    assert [run.status for run in by_age(store)] == ["completed", "failed"]


def test_a_training_that_never_logged_is_tried_again_in_the_same_run(
    store: MemoryStore, make_trainer: MakeTrainer
) -> None:
    class Unready(Model):
        def setup(self, stage: str) -> None:
            raise RuntimeError(f"no data for {stage}")

    logger = RunStoreLogger(store=store)
    with pytest.raises(RuntimeError, match="no data"):
        make_trainer(logger=logger).fit(Unready())

    make_trainer(logger=logger).fit(Model())

    (run,) = by_age(store)
    assert (run.status, run.attempt) == ("completed", 2)


def test_an_earlier_checkpoint_of_the_same_run_goes_on_in_it(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path)
    each = ModelCheckpoint(save_top_k=-1, filename="{epoch}")
    make_trainer(logger=logger, max_epochs=3, callbacks=[each]).fit(Model())

    (first,) = tmp_path.rglob("epoch=0.ckpt")
    make_trainer(logger=logger, max_epochs=2).fit(Model(), ckpt_path=first)

    (run,) = by_age(store)
    assert run.attempt == 2
    assert list(store.get_history(run.id, "loss_step", "train").steps) == [0, 1, 2, 3, 4, 5]


def test_a_run_that_is_named_and_has_points_is_written_over_with_a_warning_that_says_so(
    store: MemoryStore, make_trainer: MakeTrainer, caplog: pytest.LogCaptureFixture
) -> None:
    make_trainer(logger=RunStoreLogger(store=store, run_id="mine"), max_epochs=2).fit(Model())

    make_trainer(logger=RunStoreLogger(store=store, run_id="mine")).fit(Model())

    (warning,) = warnings_in(caplog)
    assert "mine" in warning
    assert "up to step 3" in warning
    assert "prefix=" in warning
