"""The best checkpoint is the best one: by its monitor, by its score, of the branch that training went on from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint

from lightning_logger.models import Model, StoppedModel
from runstore.errors import ArtifactNotFoundError, InvalidValueError
from runstore.lightning import RunStoreLogger, fetch_checkpoint
from runstore.memory.store import MemoryStore

pytestmark = pytest.mark.training

MakeTrainer = Callable[..., Trainer]


class Scored(Model):
    """Its validation gives the scores that it was made with, one an epoch."""

    def __init__(self, *scores: float) -> None:
        super().__init__()
        self.scores = scores

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:  # noqa: ARG002 - Lightning's names
        self.log("val_score", self.scores[self.current_epoch])
        self.log("val_other", -self.scores[self.current_epoch])


def best(monitor: str = "val_score", **options: Any) -> ModelCheckpoint:
    return ModelCheckpoint(monitor=monitor, mode="max", filename="{epoch}", **options)


def roles(store: MemoryStore, run_id: str) -> dict[str, str]:
    return {artifact.name: artifact.metadata["role"] for artifact in store.list_artifacts(run_id)}


@pytest.mark.parametrize("log_model", [True, "all"])
def test_each_monitor_has_its_best(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path, log_model: Any
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=log_model)
    callbacks = [best(dirpath=tmp_path / "a"), best("val_other", dirpath=tmp_path / "b")]

    make_trainer(logger=logger, callbacks=callbacks, max_epochs=3).fit(Scored(2.0, 3.0, 1.0))

    score = fetch_checkpoint(store, logger.run_id, tmp_path / "fetched", monitor="val_score")
    other = fetch_checkpoint(store, logger.run_id, tmp_path / "fetched", monitor="val_other")
    assert (score.name, other.name) == ("epoch=1.ckpt", "epoch=2.ckpt")
    with pytest.raises(InvalidValueError, match=r"val_other, val_score.*monitor="):
        fetch_checkpoint(store, logger.run_id, tmp_path)
    with pytest.raises(ArtifactNotFoundError, match="val_other, val_score"):
        fetch_checkpoint(store, logger.run_id, tmp_path, monitor="val_typo")


def test_a_callback_that_watches_nothing_does_not_hide_the_one_that_does(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=True)
    callbacks = [best(dirpath=tmp_path / "a"), ModelCheckpoint(dirpath=tmp_path / "b", filename="each-{epoch}")]

    make_trainer(logger=logger, callbacks=callbacks, max_epochs=3).fit(Scored(3.0, 2.0, 1.0))

    assert fetch_checkpoint(store, logger.run_id, tmp_path / "fetched").name == "epoch=0.ckpt"


def test_only_the_best_is_called_so_at_the_end_also_over_several_fits(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model="all")
    trainer, model = make_trainer(logger=logger, callbacks=[best()], max_epochs=2), Scored(1.0, 2.0, 3.0)

    trainer.fit(model)
    after_one = roles(store, logger.run_id)
    trainer.fit_loop.max_epochs = 3
    trainer.fit(model)

    assert after_one == {"checkpoints/epoch=0.ckpt": "top_k", "checkpoints/epoch=1.ckpt": "best"}
    assert roles(store, logger.run_id) == {
        "checkpoints/epoch=0.ckpt": "top_k",
        "checkpoints/epoch=1.ckpt": "top_k",
        "checkpoints/epoch=2.ckpt": "best",
    }
    with store.open_artifact(logger.run_id, "checkpoints/epoch=1.ckpt") as file:
        assert torch.load(file, weights_only=True)["epoch"] == 1


def test_the_best_of_a_training_that_failed_is_found_by_its_score(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    class Stopped(Scored):
        def on_train_epoch_start(self) -> None:
            if self.current_epoch == 3:
                raise ZeroDivisionError

    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model="all")

    with pytest.raises(ZeroDivisionError):
        make_trainer(logger=logger, callbacks=[best(save_top_k=3)], max_epochs=9).fit(Stopped(1.0, 3.0, 2.0))

    assert fetch_checkpoint(store, logger.run_id, tmp_path / "fetched").name == "epoch=1.ckpt"


@pytest.mark.parametrize("log_model", [True, "all"])
def test_a_file_that_an_earlier_process_has_kept_is_not_kept_again_and_its_record_stays(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path, log_model: Any
) -> None:
    def fit(*scores: float, checkpoint: Path | None = None) -> RunStoreLogger:
        logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=log_model)
        keep = best(save_top_k=2, save_last=True, dirpath=tmp_path / "kept")
        trainer = make_trainer(logger=logger, callbacks=[keep], max_epochs=len(scores))
        trainer.fit(Scored(*scores), ckpt_path=checkpoint)
        return logger

    first = fit(3.0, 1.0)
    before = {artifact.name: artifact for artifact in store.list_artifacts(first.run_id)}

    second = fit(3.0, 1.0, 2.0, checkpoint=tmp_path / "kept" / "last.ckpt")

    after = {artifact.name: artifact for artifact in store.list_artifacts(second.run_id)}
    assert second.run_id == first.run_id
    assert after["checkpoints/epoch=0.ckpt"] == before["checkpoints/epoch=0.ckpt"]
    assert after["checkpoints/epoch=0.ckpt"].metadata["role"] == "best"
    assert {name: artifact.metadata["epoch"] for name, artifact in after.items() if "last" not in name} == {
        "checkpoints/epoch=0.ckpt": 0,
        "checkpoints/epoch=1.ckpt": 1,
        "checkpoints/epoch=2.ckpt": 2,
    }
    (last,) = (artifact for name, artifact in after.items() if artifact.metadata["role"] == "last" and "v1" not in name)
    assert (last.metadata["epoch"], last.metadata["score"]) == (2, 2.0)


def test_what_was_held_and_never_kept_is_kept_with_its_own_epoch_and_step(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    class Stopped(Scored):
        def on_train_epoch_start(self) -> None:
            if self.current_epoch == 2:
                raise ZeroDivisionError

    def logger() -> RunStoreLogger:
        return RunStoreLogger(store=store, save_dir=tmp_path, log_model=True)

    keep = best(save_top_k=1, save_last=True, dirpath=tmp_path / "kept")
    with pytest.raises(ZeroDivisionError):
        make_trainer(logger=logger(), callbacks=[keep], max_epochs=3).fit(Stopped(3.0, 1.0, 1.0))
    keep = best(save_top_k=1, save_last=True, dirpath=tmp_path / "kept")
    second = logger()
    make_trainer(logger=second, callbacks=[keep], max_epochs=3).fit(
        Scored(3.0, 1.0, 1.0), ckpt_path=tmp_path / "kept" / "last.ckpt"
    )

    kept = {artifact.name: artifact.metadata for artifact in store.list_artifacts(second.run_id)}
    told = kept["checkpoints/epoch=0.ckpt"]
    assert (told["role"], told["score"], told["epoch"], told["step"]) == ("best", 3.0, 0, 2)


def test_what_a_later_attempt_abandoned_is_not_fetched_and_a_warning_names_its_points(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fit(folder: str, *scores: float, checkpoint: Path | None = None) -> RunStoreLogger:
        logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model="all")
        keep = best(save_top_k=-1, dirpath=tmp_path / folder)
        trainer = make_trainer(logger=logger, callbacks=[keep], max_epochs=len(scores))
        trainer.fit(Scored(*scores), ckpt_path=checkpoint)
        return logger

    first = fit("one", 1.0, 2.0, 3.0, 9.0)
    second = fit("two", 1.0, 2.0, 2.5, checkpoint=tmp_path / "one" / "epoch=1.ckpt")

    fetched = fetch_checkpoint(store, first.run_id, tmp_path / "fetched")
    warned = [record.getMessage() for record in caplog.records if record.name.startswith("runstore")]
    assert second.run_id == first.run_id
    assert fetched.name == "epoch=2.ckpt"
    assert torch.load(fetched, weights_only=True)["callbacks"]
    newest = [a for a in store.list_artifacts(first.run_id) if a.name.endswith("epoch=2.ckpt")]
    assert max(newest, key=lambda artifact: artifact.created_at).metadata["score"] == 2.5
    assert any("goes on from step 4" in message and "up to step 7" in message for message in warned)


def test_what_lies_before_the_step_that_training_went_on_from_may_be_the_best(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    def fit(*scores: float, folder: str, checkpoint: Path | None = None) -> RunStoreLogger:
        logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model="all")
        keep = best(save_top_k=-1, dirpath=tmp_path / folder)
        make_trainer(logger=logger, callbacks=[keep], max_epochs=len(scores)).fit(Scored(*scores), ckpt_path=checkpoint)
        return logger

    logger = fit(7.0, 2.0, 9.0, folder="one")
    fit(7.0, 2.0, 3.0, folder="two", checkpoint=tmp_path / "one" / "epoch=1.ckpt")

    assert fetch_checkpoint(store, logger.run_id, tmp_path / "fetched").name == "epoch=0.ckpt"


def test_checkpoints_of_an_earlier_release_are_fetched_by_role_and_score(store: MemoryStore, tmp_path: Path) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("e"))
    for epoch, score in enumerate((1.0, 3.0, 2.0)):
        file = tmp_path / f"epoch={epoch}.ckpt"
        file.write_text(str(epoch))
        known = {"role": "best", "score": score, "monitor": "val_score", "mode": "max", "epoch": epoch, "step": epoch}
        store.log_artifact(
            run_id,
            file,
            name=f"checkpoints/{file.name}",
            artifact_type="checkpoint",
            metadata=known | {"file": file.name},
        )

    assert fetch_checkpoint(store, run_id, tmp_path / "fetched").name == "epoch=1.ckpt"


def test_a_run_that_never_trained_with_checkpoints_still_says_how_to_keep_one(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path)
    with pytest.raises(ZeroDivisionError):
        make_trainer(logger=logger).fit(StoppedModel(lambda: 1 // 0))

    with pytest.raises(ArtifactNotFoundError, match="log_model=True"):
        fetch_checkpoint(store, logger.run_id, tmp_path)
