"""Checkpoints as artifacts, and the best one back."""

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


def kept(store: MemoryStore, run_id: str) -> dict[str, str]:
    return {artifact.name: artifact.metadata["role"] for artifact in store.list_artifacts(run_id)}


def best_of(mode: str = "max", **options: object) -> ModelCheckpoint:
    return ModelCheckpoint(monitor="val_score", mode=mode, filename="{epoch}", **options)  # type: ignore[arg-type]


def test_without_log_model_no_checkpoint_is_kept(store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path)

    make_trainer(logger=logger).fit(Model())

    assert store.list_artifacts(logger.run_id) == ()


def test_log_model_keeps_what_is_held_at_the_end_with_score_epoch_step_and_role(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=True)

    make_trainer(logger=logger, callbacks=[best_of(save_top_k=2, save_last=True)], max_epochs=3).fit(Model())

    metadata = {artifact.name: artifact.metadata for artifact in store.list_artifacts(logger.run_id)}
    assert kept(store, logger.run_id) == {
        "checkpoints/epoch=1.ckpt": "top_k",
        "checkpoints/epoch=2.ckpt": "best",
        "checkpoints/last.ckpt": "last",
    }
    assert metadata["checkpoints/epoch=2.ckpt"].pop("attempt")
    assert metadata["checkpoints/epoch=2.ckpt"] == {
        "role": "best",
        "score": 6.0,
        "monitor": "val_score",
        "mode": "max",
        "epoch": 2,
        "step": 6,
        "logged_step": 5,
        "file": "epoch=2.ckpt",
        "after": [],
    }
    assert metadata["checkpoints/epoch=1.ckpt"]["step"] == 4


def test_log_model_all_keeps_also_what_top_k_deletes(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model="all")
    best = best_of(save_top_k=1)

    make_trainer(logger=logger, callbacks=[best], max_epochs=3).fit(Model())

    left_on_disk = sorted(path.name for path in Path(str(best.dirpath)).iterdir())
    assert left_on_disk == ["epoch=2.ckpt"]
    assert set(kept(store, logger.run_id)) == {f"checkpoints/epoch={epoch}.ckpt" for epoch in range(3)}
    with store.open_artifact(logger.run_id, "checkpoints/epoch=0.ckpt") as file:
        assert torch.load(file, weights_only=True)["epoch"] == 0


def test_log_model_keeps_each_file_as_it_is_written_where_none_is_ever_deleted(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=True)
    each = ModelCheckpoint(save_top_k=-1, every_n_train_steps=1, filename="{step}")

    with pytest.raises(ZeroDivisionError):
        make_trainer(logger=logger, callbacks=[each]).fit(StoppedModel(lambda: 1 // 0))

    assert set(kept(store, logger.run_id)) == {"checkpoints/step=1.ckpt"}


def test_several_callbacks_are_all_kept_under_names_of_their_own(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=True)
    callbacks = [
        best_of("max", dirpath=tmp_path / "high"),
        best_of("min", dirpath=tmp_path / "low"),
        ModelCheckpoint(dirpath=tmp_path / "each", filename="{epoch}", every_n_epochs=1),
    ]

    make_trainer(logger=logger, callbacks=callbacks, max_epochs=2).fit(Model())

    assert set(kept(store, logger.run_id)) == {
        "checkpoints/epoch=1.ckpt",
        "checkpoints/epoch=0.ckpt",
        "checkpoints/each/epoch=1.ckpt",
    }


def test_roles_that_have_changed_are_written_anew_at_the_end(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model="all")

    make_trainer(logger=logger, callbacks=[best_of(save_top_k=2)], max_epochs=2).fit(Model())

    assert kept(store, logger.run_id) == {"checkpoints/epoch=0.ckpt": "top_k", "checkpoints/epoch=1.ckpt": "best"}


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_monitor_that_was_never_a_number_makes_no_checkpoint_the_best(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path, mode: str
) -> None:
    class Undefined(Model):
        def validation_step(self, batch: Any, batch_idx: int) -> None:  # noqa: ARG002 - Lightning's face
            self.log("val_score", torch.nan)

    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=True)

    make_trainer(logger=logger, callbacks=[best_of(mode, save_last=True)], max_epochs=1).fit(Undefined())

    roles = kept(store, logger.run_id)
    scores = {artifact.metadata["score"] for artifact in store.list_artifacts(logger.run_id)}
    assert (roles, scores) == ({"checkpoints/epoch=0.ckpt": "top_k", "checkpoints/last.ckpt": "last"}, {None})


def test_a_training_that_failed_keeps_what_was_logged_until_then(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=True)

    with pytest.raises(ZeroDivisionError):
        make_trainer(logger=logger).fit(StoppedModel(lambda: 1 // 0))

    assert store.list_artifacts(logger.run_id) == ()


@pytest.mark.parametrize("options", [{"log_model": True}, {"log_model": "all"}], ids=repr)
def test_the_best_checkpoint_comes_back_in_one_call_and_loads(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path, options: dict[str, Any]
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, **options)
    make_trainer(logger=logger, callbacks=[best_of("min", save_last=True)], max_epochs=2).fit(Model(lr=0.5))

    best = fetch_checkpoint(store, logger.run_id, tmp_path / "fetched")
    last = fetch_checkpoint(store, logger.run_id, tmp_path / "fetched", role="last")

    assert (best.name, last.name) == ("epoch=0.ckpt", "last.ckpt")
    assert Model.load_from_checkpoint(best).hparams["lr"] == 0.5
    assert torch.load(best, weights_only=True)["epoch"] == 0


def test_without_a_checkpoint_the_error_says_how_to_keep_one(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)
    logger.log_metrics({"a": 1.0}, step=0)

    with pytest.raises(ArtifactNotFoundError, match="log_model=True"):
        fetch_checkpoint(store, logger.run_id, ".")


def test_a_fetched_checkpoint_stays_in_its_directory_and_overwrites_nothing_unasked(
    store: MemoryStore, tmp_path: Path
) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("x"))
    (tmp_path / "stored.ckpt").write_bytes(b"stored")
    metadata = {"role": "best", "file": "../../out.ckpt"}
    store.log_artifact(run_id, tmp_path / "stored.ckpt", artifact_type="checkpoint", metadata=metadata)
    directory = tmp_path / "deep" / "fetched"

    path = fetch_checkpoint(store, run_id, directory)
    again = fetch_checkpoint(store, run_id, directory)
    path.write_bytes(b"mine")
    with pytest.raises(InvalidValueError, match="is there already"):
        fetch_checkpoint(store, run_id, directory)
    kept = path.read_bytes()
    replaced = fetch_checkpoint(store, run_id, directory, overwrite=True)

    assert path == again == replaced == directory / "out.ckpt"
    assert (kept, path.read_bytes()) == (b"mine", b"stored")
