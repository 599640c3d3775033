"""The behaviours that the project was asked for first, each under its own name."""

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from pneumo_train.centralized import CentralizedTrainer
from pneumo_train.collector import MetricsCollectorCallback
from pneumo_train.config.settings import TrainConfig, as_dict, load_config
from pneumo_train.result import BEST_CHECKPOINT, TrainingResult
from runstore import RunStatus, StoreUnavailableError, open_reader, open_store
from runstore.artifacts import ArtifactRequest
from runstore.backend import NewExperiment, NewRun, RunEnd
from runstore.memory.store import MemoryStore
from runstore.model import Artifact
from runstore.series import Points
from runstore.values import ConfigDocument
from support.processes import fast_directory

_NO_WORKERS = pytest.mark.filterwarnings("ignore:.*does not have many workers")
_LIGHTNING_ON_TORCH_2_15 = pytest.mark.filterwarnings("ignore:.*LeafSpec")
pytestmark = [pytest.mark.training, _NO_WORKERS, _LIGHTNING_ON_TORCH_2_15]


class OneWeight(pl.LightningModule):
    """Logs a training loss and a validation AUROC; ``act`` runs in the middle of the first epoch."""

    def __init__(self, act: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.act = act

    def training_step(self, batch: list[Tensor], batch_index: int) -> Tensor:  # noqa: ARG002 - the hook's signature
        self.act()
        loss = ((self.weight - batch[0]) ** 2).mean()
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: list[Tensor], batch_index: int) -> None:  # noqa: ARG002 - the hook's signature
        self.log("val_auroc", 0.5 + 0.25 * self.current_epoch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Unreachable(MemoryStore):
    """A store whose database is away: after ``taken`` calls every further one fails."""

    def __init__(self, taken: int = 0) -> None:
        super().__init__()
        self.taken = taken

    def _answer(self) -> None:
        self.taken -= 1
        if self.taken < 0:
            raise StoreUnavailableError("the database is away; try again")

    def make_experiment(self, new: NewExperiment) -> None:
        self._answer()
        super().make_experiment(new)

    def begin_run(self, new: NewRun) -> None:
        self._answer()
        super().begin_run(new)

    def take_points(self, run_id: str, points: Points) -> None:
        self._answer()
        super().take_points(run_id, points)

    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        self._answer()
        super().merge_config(run_id, config)

    def keep_artifact(self, run_id: str, request: ArtifactRequest) -> Artifact:
        self._answer()
        return super().keep_artifact(run_id, request)

    def end_run(self, run_id: str, end: RunEnd) -> None:
        self._answer()
        super().end_run(run_id, end)


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as opened:
        yield opened


@pytest.fixture(scope="module")
def module_path() -> Iterator[Path]:
    """A directory in memory where the machine has one: checkpoints are large."""
    path = Path(tempfile.mkdtemp(prefix="trained-", dir=fast_directory()))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def trained_url(module_path: Path) -> str:
    return f"sqlite:///{module_path / 'runs.db'}"


@pytest.fixture(scope="module")
def trained(phantoms: Path, module_path: Path, trained_url: str, request: pytest.FixtureRequest) -> TrainingResult:
    """One real training of two epochs into SQLite, opened by its URL; many tests look at it."""
    config: TrainConfig = request.getfixturevalue("tiny_config")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNSTORE_STATE_DIR", str(module_path / "state"))
        return CentralizedTrainer(
            checkpoint_dir=module_path / "checkpoints", logs_dir=module_path / "logs", store=trained_url, config=config
        ).train(phantoms, "seed-behaviours")


def fit(*callbacks: pl.Callback, root: Path, module: OneWeight | None = None) -> None:
    data: DataLoader[Any] = DataLoader(TensorDataset(torch.ones(4, 1)), batch_size=2)
    pl.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=root,
        log_every_n_steps=1,
        callbacks=list(callbacks),
    ).fit(module or OneWeight(), data, data)


def test_fk_violation_cured_metrics_are_never_written_before_their_run(sqlite_url: str, tmp_path: Path) -> None:
    """On a store with real foreign keys, without anybody having made the run."""
    with open_store(sqlite_url, durable=False) as store:
        collector = MetricsCollectorCallback(
            tmp_path, "fk", experiment_id=store.get_or_create_experiment("fk"), store=store
        )

        fit(collector, root=tmp_path)

        assert list(store.get_history(collector.run_id, "auroc", "validation").values) == [0.5, 0.75]


def test_run_created_automatically(store: MemoryStore, tmp_path: Path) -> None:
    experiment_id = store.get_or_create_experiment("auto")
    collector = MetricsCollectorCallback(tmp_path, "auto", experiment_id=experiment_id, store=store)

    fit(collector, root=tmp_path)

    (run,) = store.search_runs().items
    assert (run.id, run.experiment_id, run.training_mode) == (collector.run_id, experiment_id, "centralized")


def test_existing_run_used(store: MemoryStore, tmp_path: Path) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("mine"), name="made before")

    fit(MetricsCollectorCallback(tmp_path, "mine", run_id=run_id, store=store), root=tmp_path)

    (run,) = store.search_runs().items
    assert (run.id, run.name, run.status) == (run_id, "made before", RunStatus.COMPLETED)
    assert len(store.get_history(run_id, "auroc", "validation")) == 2


def test_clear_error_without_experiment_id(store: MemoryStore, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="experiment_id is missing"):
        fit(MetricsCollectorCallback(tmp_path, "nameless", store=store), root=tmp_path)

    assert store.search_runs().items == ()


def test_clear_error_without_experiment_id_for_a_run_that_does_not_exist(store: MemoryStore, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="experiment_id"):
        fit(MetricsCollectorCallback(tmp_path, "nameless", run_id="never made", store=store), root=tmp_path)

    assert store.search_runs().items == ()


def test_in_progress_at_start(store: MemoryStore, tmp_path: Path) -> None:
    collector = MetricsCollectorCallback(
        tmp_path, "early", experiment_id=store.get_or_create_experiment("early"), store=store
    )
    seen: list[tuple[RunStatus, object]] = []

    def look() -> None:
        run = store.get_run(collector.run_id)
        seen.append((run.status, run.end_time))

    fit(collector, module=OneWeight(look), root=tmp_path)

    assert set(seen) == {(RunStatus.IN_PROGRESS, None)}
    assert store.get_run(collector.run_id).status is RunStatus.COMPLETED


def test_epochs_metrics_with_dataset_type(trained: TrainingResult, trained_url: str) -> None:
    names = ("loss", "accuracy", "precision", "recall", "f1", "auroc")
    with open_reader(trained_url) as reader:
        stored = {
            (name, dataset_type): list(reader.get_history(trained.run_id, name, dataset_type))
            for name in names
            for dataset_type in ("train", "validation")
        }

    for (name, dataset_type), points in stored.items():
        key = f"{'val' if dataset_type == 'validation' else 'train'}_{name}"
        assert [(point.step, point.value) for point in points] == [
            (row["epoch"], row[key]) for row in trained.metrics_history
        ]
    assert len(trained.metrics_history) == 2


def test_configuration_row(trained: TrainingResult, trained_url: str, tiny_config: TrainConfig, phantoms: Path) -> None:
    with open_reader(trained_url) as reader:
        stored, run = reader.get_config(trained.run_id), reader.get_run(trained.run_id)

    assert {key: stored[key] for key in as_dict(tiny_config)} == as_dict(tiny_config)
    assert len(stored["data_set"]["hash"]) == len(stored["split"]["hash"]) == 64
    assert stored["split"]["train"]["patients"] + stored["split"]["validation"]["patients"] == 20
    assert stored["source"] == {"path": str(phantoms), "csv": "stage2_train_metadata.csv"}
    assert run.source_path == str(phantoms)
    assert run.provenance["seed"] == 3
    assert run.provenance["versions"]["torch"].startswith("2.")
    assert run.provenance["host"]["name"]


def test_best_checkpoint_artifact(trained: TrainingResult, trained_url: str, tmp_path: Path) -> None:
    with open_reader(trained_url) as reader:
        (record,) = [a for a in reader.list_artifacts(trained.run_id) if a.artifact_type == "model"]
        with reader.open_artifact(trained.run_id, BEST_CHECKPOINT) as stream:
            content = stream.read()

    assert record.name == BEST_CHECKPOINT
    assert record.metadata["role"] == "best"
    assert record.metadata["monitor"] == "val_auroc"
    assert record.metadata["score"] == max(row["val_auroc"] for row in trained.metrics_history)
    assert record.metadata["epoch"] == trained.best_epoch
    assert content == Path(trained.best_model_path).read_bytes()
    file = tmp_path / "best.ckpt"
    file.write_bytes(content)
    assert torch.load(file, weights_only=False)["epoch"] == trained.best_epoch


def test_experiment_get_or_create_by_name(trained: TrainingResult, trained_url: str) -> None:
    with open_store(trained_url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("seed-behaviours")

        assert store.get_run(trained.run_id).experiment_id == experiment_id
        assert [experiment.name for experiment in store.list_experiments().items] == ["seed-behaviours"]


def test_a_metric_that_cannot_be_kept_takes_no_other_with_it(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A name that no store may keep is left out and named; the rest of the epoch is stored."""

    class BadName(OneWeight):
        def validation_step(self, batch: list[Tensor], batch_index: int) -> None:
            super().validation_step(batch, batch_index)
            if self.current_epoch == 1:
                self.log("val_line\nbreak", 1.0)

    with open_store(sqlite_url, durable=False) as store:
        collector = MetricsCollectorCallback(
            tmp_path, "atomic", experiment_id=store.get_or_create_experiment("atomic"), store=store
        )

        fit(collector, module=BadName(), root=tmp_path)

        assert list(store.get_history(collector.run_id, "auroc", "validation").steps) == [0, 1]
        assert list(store.get_history(collector.run_id, "loss", "train").steps) == [0, 1]
        assert store.get_run(collector.run_id).status is RunStatus.COMPLETED
    assert "'line\\nbreak'" in caplog.text


@pytest.mark.parametrize("taken", [0, 4])
def test_database_failure_leaves_training_successful(
    taken: int, phantoms: Path, tiny_config: TrainConfig, fast_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The database is away from the start, or from the fifth call on."""
    trainer = CentralizedTrainer(
        checkpoint_dir=fast_path / "checkpoints",
        logs_dir=fast_path / "logs",
        store=Unreachable(taken),
        config=load_config(overrides={"training.max_epochs": 1}, base=tiny_config),
    )

    with caplog.at_level(logging.WARNING):
        result = trainer.train(phantoms, "unlucky")

    assert result.total_epochs_trained == 1
    assert Path(result.best_model_path).is_file()
    assert result.run_id
    assert result.is_recorded is False
    assert "training goes on" in caplog.text
    assert "the database is away" in caplog.text


def test_run_id_in_the_results(trained: TrainingResult, trained_url: str) -> None:
    with open_reader(trained_url) as reader:
        run = reader.get_run(trained["run_id"])

    assert run.id == trained.run_id == trained["run_id"]
    assert run.status is RunStatus.COMPLETED


def test_final_metrics_are_filled_and_stored(trained: TrainingResult, trained_url: str) -> None:
    best = trained.metrics_history[trained.best_epoch]
    with open_reader(trained_url) as reader:
        (final,) = reader.get_history(trained.run_id, "final_auroc", "validation")

    assert set(trained.final_metrics) == {
        f"val_{name}" for name in ("loss", "accuracy", "precision", "recall", "f1", "auroc")
    }
    assert trained.final_metrics["val_auroc"] == best["val_auroc"] == trained.best_model_score
    assert (final.step, final.value) == (trained.best_epoch, trained.final_metrics["val_auroc"])


def test_works_for_training_mode_federated_with_its_optional_fields(store: MemoryStore, tmp_path: Path) -> None:
    experiment_id = store.get_or_create_experiment("federation")
    server = store.ensure_run(experiment_id, training_mode="federated")
    collector = MetricsCollectorCallback(
        tmp_path,
        "federation",
        experiment_id=experiment_id,
        training_mode="federated",
        store=store,
        parent_run_id=server,
        client_id="hospital-1",
        tags={"round": "3"},
    )

    fit(collector, root=tmp_path)

    (child,) = store.list_children(server).items
    assert child.id == collector.run_id
    assert (child.training_mode, child.client_id, child.tags) == ("federated", "hospital-1", {"round": "3"})
    assert child.status is RunStatus.COMPLETED
    assert len(store.get_history(child.id, "auroc", "validation")) == 2
