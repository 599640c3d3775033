"""Checkpoints of every kind are kept whole: unfinished, sharded, remote, of an exception, of an earlier process."""

import io
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins.io import AsyncCheckpointIO, TorchCheckpointIO

from lightning_logger.models import Model, StoppedModel
from runstore.lightning import RunStoreLogger, fetch_checkpoint
from runstore.memory.store import MemoryStore

pytestmark = pytest.mark.training

MakeTrainer = Callable[..., Trainer]


class Slow(TorchCheckpointIO):
    """Writes a checkpoint in ten parts with pauses in between, as a disk on a network does."""

    is_zip = True

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:  # noqa: ARG002 - Lightning's names
        whole = io.BytesIO()
        torch.save(checkpoint, whole, _use_new_zipfile_serialization=self.is_zip)
        data = whole.getvalue()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        time.sleep(0.05)
        with Path(path).open("wb", buffering=0) as file:
            for start in range(0, len(data), len(data) // 10 + 1):
                file.write(data[start : start + len(data) // 10 + 1])
                time.sleep(0.02)


class SlowAndOld(Slow):
    """The same in a format that does not tell its end."""

    is_zip = False


class Sharded(TorchCheckpointIO):
    """Writes a folder, as FSDP and ModelParallelStrategy do, with a hidden file and one in a folder of its own."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:  # noqa: ARG002 - Lightning's names
        folder = Path(path)
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "shards").mkdir(parents=True, exist_ok=True)
        (folder / ".metadata").write_text("m")
        (folder / "shards" / f"{checkpoint['global_step']}.distcp").write_bytes(b"shard")
        torch.save(checkpoint, folder / "meta.pt")

    def remove_checkpoint(self, path: Any) -> None:
        shutil.rmtree(path)


def best(mode: str = "max", **options: Any) -> ModelCheckpoint:
    return ModelCheckpoint(monitor="val_score", mode=mode, filename="{epoch}", **options)


def metadata(store: MemoryStore, run_id: str) -> dict[str, dict[str, Any]]:
    return {artifact.name: artifact.metadata for artifact in store.list_artifacts(run_id)}


def epoch_in(store: MemoryStore, run_id: str, name: str) -> int:
    with store.open_artifact(run_id, name) as file:
        return int(torch.load(file, weights_only=True)["epoch"])


@pytest.mark.parametrize("disk", [Slow, SlowAndOld])
@pytest.mark.parametrize("log_model", [True, "all"])
def test_a_checkpoint_that_is_written_in_the_background_is_kept_when_it_is_whole(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path, disk: type[Slow], log_model: Any
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=log_model)

    make_trainer(logger=logger, callbacks=[best(save_top_k=2)], plugins=[AsyncCheckpointIO(disk())], max_epochs=3).fit(
        Model()
    )

    known = metadata(store, logger.run_id)
    first = {"checkpoints/epoch=0.ckpt": 0} if log_model == "all" else {}
    expected = {**first, "checkpoints/epoch=1.ckpt": 1, "checkpoints/epoch=2.ckpt": 2}
    assert {name: epoch_in(store, logger.run_id, name) for name in known} == expected
    assert {name: told["epoch"] for name, told in known.items()} == expected
    assert {name: told["step"] for name, told in known.items()} == {name: 2 * n + 2 for name, n in expected.items()}
    assert known["checkpoints/epoch=2.ckpt"]["role"] == "best"


def test_a_checkpoint_in_the_background_is_kept_also_where_training_fails(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model="all")
    each = ModelCheckpoint(every_n_train_steps=1, save_top_k=-1, filename="{step}")

    with pytest.raises(ZeroDivisionError):
        make_trainer(logger=logger, callbacks=[each], plugins=[AsyncCheckpointIO(Slow())]).fit(
            StoppedModel(lambda: 1 // 0)
        )

    assert store.get_run(logger.run_id).status == "failed"
    assert epoch_in(store, logger.run_id, "checkpoints/step=1.ckpt") == 0


@pytest.mark.parametrize("log_model", [True, "all"])
def test_a_sharded_checkpoint_comes_back_as_its_folder(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path, log_model: Any
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=log_model)
    keep = best(save_last=True)
    make_trainer(logger=logger, callbacks=[keep], plugins=[Sharded()], max_epochs=2).fit(Model())

    for role, epoch in (("best", 1), ("last", 1)):
        fetched = fetch_checkpoint(store, logger.run_id, tmp_path / "fetched", role=role)

        inside = sorted(str(file.relative_to(fetched)) for file in fetched.rglob("*") if file.is_file())
        assert inside == [".metadata", "meta.pt", "shards/4.distcp"]
        assert torch.load(fetched / "meta.pt", weights_only=True)["epoch"] == epoch
        assert fetched.name == ("epoch=1.ckpt" if role == "best" else "last.ckpt")
    assert sorted(path.name for path in (tmp_path / "fetched").iterdir()) == ["epoch=1.ckpt", "last.ckpt"]


def test_a_fetched_folder_is_left_as_it_is_where_it_is_already_and_replaced_only_when_asked(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=True)
    make_trainer(logger=logger, callbacks=[best()], plugins=[Sharded()]).fit(Model())
    fetched = fetch_checkpoint(store, logger.run_id, tmp_path / "fetched")

    again = fetch_checkpoint(store, logger.run_id, tmp_path / "fetched")
    (fetched / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="overwrite=True"):
        fetch_checkpoint(store, logger.run_id, tmp_path / "fetched")
    replaced = fetch_checkpoint(store, logger.run_id, tmp_path / "fetched", overwrite=True)

    assert again == fetched == replaced
    assert not (fetched / "notes.txt").exists()
    assert [path.name for path in (tmp_path / "fetched").iterdir()] == ["epoch=0.ckpt"]


@pytest.mark.parametrize("log_model", [True, "all"])
def test_a_checkpoint_on_a_remote_file_system_is_kept_like_any_other(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path, log_model: Any
) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=log_model)
    remote = f"memory://kept/{logger.run_id}"

    make_trainer(logger=logger, callbacks=[best(dirpath=remote, save_last=True)], max_epochs=2).fit(Model())

    fetched = fetch_checkpoint(store, logger.run_id, tmp_path / "fetched")
    assert fetched.name == "epoch=1.ckpt"
    assert torch.load(fetched, weights_only=True)["epoch"] == 1
    assert fetch_checkpoint(store, logger.run_id, tmp_path / "fetched", role="last").name == "last.ckpt"
    fsspec.filesystem("memory").rm("/kept", recursive=True)


def test_a_checkpoint_that_cannot_be_read_is_named_in_a_warning(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Nowhere(TorchCheckpointIO):
        def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
            pass

    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model="all")

    make_trainer(logger=logger, callbacks=[best()], plugins=[Nowhere()]).fit(Model())

    assert store.list_artifacts(logger.run_id) == ()
    assert any(
        "epoch=0.ckpt is not kept" in record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING
    )


def test_the_checkpoint_of_an_exception_is_kept(store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path) -> None:
    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model="all")
    saving = ModelCheckpoint(save_on_exception=True, every_n_epochs=10, filename="{step}")

    with pytest.raises(ZeroDivisionError):
        make_trainer(logger=logger, callbacks=[saving]).fit(StoppedModel(lambda: 1 // 0))

    known = metadata(store, logger.run_id)
    assert {name: told["role"] for name, told in known.items()} == {"checkpoints/step=1.ckpt": "exception"}
    assert fetch_checkpoint(store, logger.run_id, tmp_path / "fetched", role="exception").exists()
    assert store.get_run(logger.run_id).status == "failed"


def test_with_two_optimizers_the_step_of_the_curves_is_told_as_well(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    class Two(Model):
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = False

        def training_step(self, batch: torch.Tensor, batch_idx: int) -> None:  # type: ignore[override]  # noqa: ARG002
            for optimizer in self.optimizers():  # type: ignore[union-attr]
                optimizer.zero_grad()
                loss = self.step(batch)
                self.manual_backward(loss)
                optimizer.step()
            self.log("train_loss", loss)

        def configure_optimizers(self) -> Any:
            return [torch.optim.SGD(self.parameters(), 0.1) for _ in range(2)]

    logger = RunStoreLogger(store=store, save_dir=tmp_path, log_model=True)

    make_trainer(logger=logger, callbacks=[best()], max_epochs=2).fit(Two())

    told = metadata(store, logger.run_id)["checkpoints/epoch=1.ckpt"]
    last = store.get_history(logger.run_id, "score", "validation").steps[-1]
    assert (told["step"], told["logged_step"]) == (8, last)


def test_folders_of_a_url_stay_a_url(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store, experiment="e", run_id="r", save_dir="s3://bucket/files")

    assert logger.root_dir == "s3://bucket/files/e"
    assert logger.log_dir == "s3://bucket/files/e/r"
