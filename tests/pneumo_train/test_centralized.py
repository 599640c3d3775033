"""The trainer as a whole: what it gives back, what it keeps, how it ends, and that a seed repeats it."""

import json
import math
import os
import signal
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pytest
import pytorch_lightning as pl
import torch

from pneumo_train.centralized import CentralizedTrainer
from pneumo_train.config.settings import TrainConfig, load_config
from pneumo_train.errors import ConfigError, DataError, DivergedError, SourceError
from pneumo_train.network.lightning_model import LitResNet
from pneumo_train.result import BEST_CHECKPOINT, METRICS_TABLE, TRAINING_PLOT
from runstore import RunStatus, StoreClosedError
from runstore.errors import UnknownSchemeError
from runstore.memory.store import MemoryStore

pytestmark = pytest.mark.training

OLD_KEYS = {
    "best_model_path",
    "best_model_score",
    "current_epoch",
    "global_step",
    "state",
    "model_summary",
    "checkpoint_dir",
    "logs_dir",
    "metrics_history",
    "metrics_metadata",
    "total_epochs_trained",
    "run_id",
    "final_metrics",
}

TrainerOf = Callable[..., CentralizedTrainer]


class ActAtEpoch(pl.Callback):
    """Does something of the test's choice when the second epoch begins."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        if trainer.current_epoch == 1:
            self.act()


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as opened:
        yield opened


@pytest.fixture
def trainer_of(store: MemoryStore, tiny_config: TrainConfig, fast_path: Path) -> TrainerOf:
    def make(*callbacks: pl.Callback, **overrides: object) -> CentralizedTrainer:
        return CentralizedTrainer(
            checkpoint_dir=fast_path / "checkpoints",
            logs_dir=fast_path / "logs",
            store=store,
            config=load_config(overrides=overrides, base=tiny_config),
            callbacks=callbacks,
        )

    return make


PICTURES = ("roc", "precision-recall", "confusion", "reliability", "failures", "grad-cam")


def test_the_result_is_a_mapping_of_the_old_keys_and_all_files_are_there(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore, fast_path: Path
) -> None:
    result = trainer_of().train(phantoms)

    assert isinstance(result, Mapping)
    assert set(result) >= OLD_KEYS
    assert all(result[key] == getattr(result, key) for key in result)
    assert (result.total_epochs_trained, result.current_epoch, len(result.metrics_history)) == (2, 2, 2)
    assert Path(result.checkpoint_dir) == fast_path / "checkpoints" / result.run_id
    assert {path.name for path in Path(result.checkpoint_dir).iterdir()} == {
        "last.ckpt",
        Path(result.best_model_path).name,
    }
    assert Path(result.plot_path).read_bytes().startswith(b"\x89PNG")
    names = {artifact.name: artifact.artifact_type for artifact in store.list_artifacts(result.run_id)}
    assert names == {
        BEST_CHECKPOINT: "model",
        TRAINING_PLOT: "image",
        METRICS_TABLE: "log",
        "data/report.json": "text",
        "data/report.txt": "text",
        "data/split.csv": "data",
        "reports/model-card.md": "text",
        "evaluation/validation.json": "evaluation",
        "evaluation/validation-subgroups.parquet": "table",
        "predictions/validation.csv.gz": "predictions",
        **{f"plots/{name}-validation.png": "figure" for name in PICTURES},
    }
    assert store.get_run(result.run_id).status is RunStatus.COMPLETED
    assert result.is_recorded


def test_the_same_seed_gives_the_same_metrics_and_another_seed_others(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore
) -> None:
    once = {"training.max_epochs": 1}
    first, again = trainer_of(**once).train(phantoms), trainer_of(**once).train(phantoms)
    other = trainer_of(**once, seed=4).train(phantoms)

    assert first.run_id != again.run_id
    assert first.metrics_history == again.metrics_history
    assert first.final_metrics == again.final_metrics
    assert store.get_config(first.run_id) == store.get_config(again.run_id)
    assert first.metrics_history != other.metrics_history


def test_a_zip_is_trained_on_and_leaves_nothing_behind(
    trainer_of: TrainerOf, phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: MemoryStore
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        for file in sorted(phantoms.rglob("*.*")):
            archive.write(file, file.relative_to(phantoms))

    result = trainer_of(**{"training.max_epochs": 1}).train(tmp_path / "films.zip")

    assert store.get_config(result.run_id)["source"]["path"] == str(tmp_path / "films.zip")
    assert store.get_run(result.run_id).source_path == str(tmp_path / "films.zip")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_the_checkpoint_in_the_store_rebuilds_the_network_without_any_other_file(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore, tmp_path: Path
) -> None:
    donor = tmp_path / "weights.pth"
    torch.save(LitResNet().backbone.state_dict(), donor)
    result = trainer_of(**{"training.max_epochs": 1, "model.weights_path": str(donor)}).train(phantoms)
    donor.unlink()
    copy = tmp_path / "best.ckpt"
    with store.open_artifact(result.run_id, BEST_CHECKPOINT) as stream:
        copy.write_bytes(stream.read())

    model = LitResNet.load_from_checkpoint(copy, map_location="cpu")

    assert model.eval()(torch.zeros(1, 1, 32, 32)).shape == (1,)


def test_ctrl_c_ends_the_run_as_interrupted_and_keeps_the_best_checkpoint_so_far(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore
) -> None:
    press = ActAtEpoch(lambda: os.kill(os.getpid(), signal.SIGINT))

    with pytest.raises(KeyboardInterrupt):
        trainer_of(press).train(phantoms, run_id="pressed")

    assert store.get_run("pressed").status is RunStatus.INTERRUPTED
    assert [artifact.name for artifact in store.list_artifacts("pressed")] == [BEST_CHECKPOINT]
    assert len(store.get_history("pressed", "auroc", "validation")) == 1


def test_ctrl_c_while_a_better_checkpoint_is_written_keeps_the_whole_one_before(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = torch.save

    def press_in_the_middle(checkpoint: dict[str, Any], file: IO[bytes]) -> None:
        write(checkpoint, file)
        if checkpoint["epoch"] > 0 and Path(file.name).name.startswith("epoch"):
            file.truncate(file.tell() // 2)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(torch, "save", press_in_the_middle)
    trainer = trainer_of(
        **{"training.max_epochs": 50, "training.monitor": "val_loss", "training.early_stopping_patience": 0}
    )

    with pytest.raises(KeyboardInterrupt):
        trainer.train(phantoms, run_id="pressed")

    (kept,) = store.list_artifacts("pressed")
    history = store.get_history("pressed", "loss", "validation")
    copy = tmp_path / "best.ckpt"
    with store.open_artifact("pressed", BEST_CHECKPOINT) as stream:
        copy.write_bytes(stream.read())
    assert store.get_run("pressed").status is RunStatus.INTERRUPTED
    assert kept.metadata["score"] == pytest.approx(min(history.values[:-1]))
    assert LitResNet.load_from_checkpoint(copy, map_location="cpu") is not None


def test_an_error_ends_the_run_as_failed_with_its_traceback(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore
) -> None:
    def burst() -> None:
        raise RuntimeError("the GPU is on fire")

    with pytest.raises(RuntimeError, match="on fire"):
        trainer_of(ActAtEpoch(burst)).train(phantoms, run_id="burst")

    failure = store.get_run("burst").failure
    assert store.get_run("burst").status is RunStatus.FAILED
    assert failure is not None
    assert "the GPU is on fire" in failure.traceback


class LogsDistance(pl.Callback):
    """Logs a metric of its own: the further the first epoch, the better the second."""

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        pl_module.log("val/distance", [0.5, 0.25, 0.75, 0.6][trainer.current_epoch])


@pytest.mark.parametrize(("mode", "best"), [("min", (1, 3)), ("auto", (0, 2))])
def test_any_metric_that_is_logged_picks_the_best_checkpoint_and_stops_early(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore, mode: str, best: tuple[int, int]
) -> None:
    trainer = trainer_of(
        LogsDistance(),
        **{
            "training.monitor": "val/distance",
            "training.monitor_mode": mode,
            "training.early_stopping_patience": 1,
            "training.max_epochs": 3,
        },
    )

    result = trainer.train(phantoms)

    (kept,) = [a for a in store.list_artifacts(result.run_id) if a.name == BEST_CHECKPOINT]
    assert (result.best_epoch, result.total_epochs_trained) == best
    assert kept.metadata["monitor"] == "val/distance"
    assert kept.metadata["mode"] == {"min": "min", "auto": "max"}[mode]
    assert Path(result.best_model_path).name == f"epoch{best[0]:03d}-val-distance{result.best_model_score:.4f}.ckpt"


def test_a_metric_that_is_logged_in_the_first_epoch_and_now_and_then_counts_with_its_last_value_between(
    trainer_of: TrainerOf, phantoms: Path
) -> None:
    class NowAndThen(pl.Callback):
        def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            if trainer.current_epoch % 2 == 0:
                pl_module.log("val/rare", 0.5 + trainer.current_epoch / 10)

    result = trainer_of(NowAndThen(), **{"training.monitor": "val/rare", "training.max_epochs": 4}).train(phantoms)

    assert (result.best_epoch, result.total_epochs_trained) == (2, 4)
    assert result.best_model_score == pytest.approx(0.7)


def test_a_metric_of_the_training_part_may_be_monitored(trainer_of: TrainerOf, phantoms: Path) -> None:
    result = trainer_of(**{"training.monitor": "train_loss"}).train(phantoms)

    assert result.best_model_score == min(row["train_loss"] for row in result.metrics_history)


def test_a_monitored_metric_that_nothing_logs_is_refused_before_a_run_is_made(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore
) -> None:
    with pytest.raises(ConfigError, match=r"'val_auc': no metric .* did you mean 'val_auroc'\? There are: val_auroc, "):
        trainer_of(**{"training.monitor": "val_auc"}).train(phantoms)

    assert store.search_runs().items == ()


def test_a_monitored_metric_that_no_callback_logs_ends_the_run_after_the_first_epoch_with_what_there_is(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore
) -> None:
    told = r"'val/distanse'.* less often logs it in the first epoch, too.* did you mean 'val/distance'\?.* train_auroc"
    with pytest.raises(ConfigError, match=told):
        trainer_of(LogsDistance(), **{"training.monitor": "val/distanse"}).train(phantoms, run_id="mistaken")

    failure = store.get_run("mistaken").failure
    assert failure is not None
    assert "'val/distanse'" in failure.message
    assert len(store.get_history("mistaken", "loss", "train")) == 1


def test_a_monitored_metric_that_never_is_a_number_is_told(trainer_of: TrainerOf, phantoms: Path) -> None:
    class LogsNaN(pl.Callback):
        def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
            pl_module.log("val_nothing", math.nan)

    with pytest.raises(DivergedError, match=r"'val_nothing': was NaN or infinite in each epoch"):
        trainer_of(LogsNaN(), **{"training.monitor": "val_nothing"}).train(phantoms)


@pytest.mark.parametrize("monitor", ["val_auroc", "val_loss", "val_accuracy"])
def test_a_training_that_diverges_fails_and_leaves_no_best_checkpoint(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore, fast_path: Path, monitor: str
) -> None:
    trainer = trainer_of(**{"training.monitor": monitor, "optimizer.learning_rate": 1e30})

    with pytest.raises(DivergedError, match=r"NaN since epoch 0; lower optimizer\.learning_rate \(it was 1e\+30\)"):
        trainer.train(phantoms, run_id="diverged")

    run = store.get_run("diverged")
    (table,) = (fast_path / "logs").glob("*.json")
    assert run.status is RunStatus.FAILED
    assert run.failure is not None
    assert "lower optimizer.learning_rate" in run.failure.message
    assert all(math.isnan(value) for value in store.get_history("diverged", "auroc", "validation").values)
    assert store.search_runs("metric.validation.auroc.max >= 0").items == ()
    assert store.list_artifacts("diverged") == ()
    assert list((fast_path / "checkpoints").rglob("*.ckpt")) == []
    assert json.loads(table.read_text(encoding="utf-8"))["status"] == "failed"


def test_a_training_that_diverges_later_keeps_the_best_checkpoint_before(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore, fast_path: Path
) -> None:
    class Ruin(pl.Callback):
        def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
            if trainer.current_epoch == 1:
                for parameter in pl_module.parameters():
                    parameter.data.fill_(torch.nan)

    with pytest.raises(DivergedError, match="since epoch 1"):
        trainer_of(Ruin(), **{"training.save_top_k": 3}).train(phantoms, run_id="diverged")

    (kept,) = store.list_artifacts("diverged")
    assert (kept.name, kept.metadata["epoch"]) == (BEST_CHECKPOINT, 0)
    for file in (fast_path / "checkpoints").rglob("*.ckpt"):
        state = torch.load(file, weights_only=True)["state_dict"]
        assert all(torch.isfinite(value).all() for value in state.values())


def test_an_existing_run_is_used(trainer_of: TrainerOf, phantoms: Path, store: MemoryStore) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("pneumonia_detection"), name="reserved")

    result = trainer_of(**{"training.max_epochs": 1}).train(phantoms, run_id=run_id)

    assert result.run_id == run_id
    assert [run.name for run in store.search_runs().items] == ["reserved"]


@pytest.mark.parametrize(
    ("overrides", "error"),
    [
        ({"data.patient_column": "person"}, DataError),
        ({"data.csv_filename": "absent.csv"}, SourceError),
        ({"model.weights_path": "absent.pth"}, ConfigError),
    ],
)
def test_a_mistake_is_an_error_before_training_and_creates_no_run(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore, overrides: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        trainer_of(**overrides).train(phantoms)

    assert store.search_runs().items == ()


def test_a_store_url_of_an_unknown_scheme_is_an_error_before_anything_is_read(
    tiny_config: TrainConfig, tmp_path: Path
) -> None:
    trainer = CentralizedTrainer(
        checkpoint_dir=tmp_path, logs_dir=tmp_path, store="oracle://host/database", config=tiny_config
    )

    with pytest.raises(UnknownSchemeError, match="oracle"):
        trainer.train(tmp_path / "not even looked for")


def test_without_a_store_training_goes_on_with_a_warning_and_files(
    tiny_config: TrainConfig,
    phantoms: Path,
    fast_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    monkeypatch.chdir(fast_path)
    config = load_config(overrides={"training.max_epochs": 1}, base=tiny_config)

    result = CentralizedTrainer(checkpoint_dir=fast_path / "c", logs_dir=fast_path / "l", config=config).train(phantoms)

    assert "no store is configured" in caplog.text
    assert result.is_recorded is False
    assert any(path.suffix == ".csv" and result.run_id in path.name for path in (fast_path / "l").iterdir())


def test_a_store_that_was_given_is_not_closed(trainer_of: TrainerOf, phantoms: Path, store: MemoryStore) -> None:
    trainer_of(**{"training.max_epochs": 1}).train(phantoms)

    assert store.search_runs().items
    store.close()
    with pytest.raises(StoreClosedError):
        store.search_runs()


def test_threads_and_determinism_of_the_process_are_put_back(trainer_of: TrainerOf, phantoms: Path) -> None:
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()

    trainer_of(**{"training.max_epochs": 1}).train(phantoms)

    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_a_run_id_that_looks_like_a_path_leads_nowhere_else(
    trainer_of: TrainerOf, phantoms: Path, fast_path: Path
) -> None:
    result = trainer_of(**{"training.max_epochs": 1}).train(phantoms, run_id="../../elsewhere/run")

    assert result.run_id == "../../elsewhere/run"
    assert Path(result.best_model_path).parent.parent == fast_path / "checkpoints"
    assert Path(result.plot_path).parent == fast_path / "logs"


def test_a_trainer_validates_a_source(trainer_of: TrainerOf, phantoms: Path) -> None:
    report = trainer_of().validate_source(phantoms)

    assert (report["valid"], report["csv_file"]) == (True, "stage2_train_metadata.csv")


def test_the_configuration_file_is_read_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text("training:\n  max_epochs: 3\n", encoding="utf-8")

    assert CentralizedTrainer(file).config.training.max_epochs == 3
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        CentralizedTrainer(tmp_path / "absent.yaml")
