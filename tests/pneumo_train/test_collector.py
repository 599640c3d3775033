"""The callback alone, on a module of one weight: what it writes, when, and how it ends a run."""

import csv
import json
import math
import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from pneumo_train.collector import MetricsCollectorCallback
from runstore import DatasetType, RunNotFoundError, RunStatus
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.series import Points
from runstore_ui.run.progress import progress_of

_NO_WORKERS = pytest.mark.filterwarnings("ignore:.*does not have many workers")
_LIGHTNING_ON_TORCH_2_15 = pytest.mark.filterwarnings("ignore:.*LeafSpec")
pytestmark = [pytest.mark.training, _NO_WORKERS, _LIGHTNING_ON_TORCH_2_15]


class OneWeight(pl.LightningModule):
    """Logs the epoch's number in every way that modules log; does something of the test's choice in an epoch."""

    def __init__(self, act: Callable[[int], None] = lambda _epoch: None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.act = act

    def training_step(self, batch: list[Tensor], batch_index: int) -> Tensor:
        if batch_index == 1:
            self.act(self.current_epoch)
        loss = ((self.weight - batch[0]) ** 2).mean()
        self.log("train_loss", float(self.current_epoch), on_step=False, on_epoch=True)
        return loss

    def on_train_epoch_end(self) -> None:
        self.log("train_late", 10.0 + self.current_epoch)
        if self.current_epoch % 2 == 0:
            self.log("learning_rate", 100.0 + self.current_epoch)

    def validation_step(self, batch: list[Tensor], batch_index: int) -> None:  # noqa: ARG002 - the hook's signature
        self.log("val_auroc", 20.0 + self.current_epoch)

    def test_step(self, batch: list[Tensor], batch_index: int) -> None:  # noqa: ARG002 - the hook's signature
        self.log("test_auroc", 0.5)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class CountingStore(MemoryStore):
    """The memory store, counting the points that are sent to it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str, int]] = []

    def take_points(self, run_id: str, points: Points) -> None:
        self.sent += [(*series, step) for series, step in zip(points.series, points.steps, strict=True)]
        super().take_points(run_id, points)


@pytest.fixture
def store() -> Iterator[CountingStore]:
    with CountingStore() as opened:
        yield opened


@pytest.fixture
def experiment(store: CountingStore) -> str:
    return store.get_or_create_experiment("lungs")


def fit(
    *callbacks: pl.Callback, epochs: int = 3, module: OneWeight | None = None, root: Path, **options: Any
) -> pl.Trainer:
    data: DataLoader[Tensor] = DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 1)), batch_size=2)  # type: ignore[arg-type]  # batches are lists
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=root,
        log_every_n_steps=1,
        callbacks=list(callbacks),
        **options,
    )
    trainer.fit(module or OneWeight(), data, data)
    return trainer


def values(store: MemoryStore, run_id: str, name: str, dataset_type: str) -> dict[int, float]:
    history = store.get_history(run_id, name, dataset_type)
    return dict(zip(history.steps, history.values, strict=True))


def test_every_metric_is_kept_by_epoch_under_its_dataset_type(
    store: CountingStore, experiment: str, tmp_path: Path
) -> None:
    collector = MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store)

    fit(collector, root=tmp_path)

    assert values(store, collector.run_id, "loss", "train") == {0: 0.0, 1: 1.0, 2: 2.0}
    assert values(store, collector.run_id, "late", "train") == {0: 10.0, 1: 11.0, 2: 12.0}
    assert values(store, collector.run_id, "auroc", "validation") == {0: 20.0, 1: 21.0, 2: 22.0}
    assert values(store, collector.run_id, "learning_rate", "other") == {0: 100.0, 2: 102.0}


def test_the_page_tells_how_far_a_training_has_come(store: CountingStore, experiment: str, tmp_path: Path) -> None:
    collector = MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store)
    seen: list[str] = []

    def look(_epoch: int) -> None:
        run_id = collector.run_id
        summaries = store.get_summaries(run_id)
        config = {"training": {"max_epochs": 3}}
        seen.append(progress_of(store, store.get_run(run_id), config, summaries, datetime.now(UTC)).partition(",")[0])

    fit(collector, module=OneWeight(look), root=tmp_path)

    assert seen == ["epoch 1 of 3", "epoch 2 of 3", "epoch 3 of 3"]
    assert values(store, collector.run_id, "epoch", "other") == {0: 0.0, 1: 1.0, 2: 2.0}


def test_an_epoch_that_a_module_counts_itself_is_left_out(
    store: CountingStore, experiment: str, tmp_path: Path
) -> None:
    collector = MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store)

    class CountsFromOne(OneWeight):
        def on_train_epoch_end(self) -> None:
            self.log("epoch", self.current_epoch + 1.0)

    fit(collector, epochs=2, module=CountsFromOne(), root=tmp_path)

    assert [row["epoch"] for row in collector.history] == [0, 1]
    assert values(store, collector.run_id, "epoch", "other") == {0: 0.0, 1: 1.0}


def test_no_point_is_written_twice_and_none_is_stale(store: CountingStore, experiment: str, tmp_path: Path) -> None:
    collector = MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store)

    fit(collector, epochs=4, root=tmp_path, check_val_every_n_epoch=2)

    assert sorted(store.sent) == sorted(set(store.sent))
    assert values(store, collector.run_id, "auroc", "validation") == {1: 21.0, 3: 23.0}
    assert values(store, collector.run_id, "late", "train") == {0: 10.0, 1: 11.0, 2: 12.0, 3: 13.0}


def test_the_sanity_check_is_not_logged(store: CountingStore, experiment: str, tmp_path: Path) -> None:
    collector = MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store)

    class Stop(pl.Callback):
        def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
            assert store.sent == []
            assert store.get_run(collector.run_id).status is RunStatus.IN_PROGRESS

    fit(collector, Stop(), epochs=1, root=tmp_path, num_sanity_val_steps=2)

    assert {name for name, _, _ in store.sent} == {"epoch", "auroc", "loss", "late", "learning_rate"}
    assert len(store.sent) == 5


def test_each_epoch_is_in_the_store_when_the_next_begins(store: CountingStore, experiment: str, tmp_path: Path) -> None:
    collector = MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store)
    seen: list[tuple[int, int]] = []

    def look(epoch: int) -> None:
        seen.append((epoch, len(values(store, collector.run_id, "late", "train"))))

    fit(collector, module=OneWeight(look), root=tmp_path)

    assert seen == [(0, 0), (1, 1), (2, 2)]


def test_a_test_after_fitting_is_kept_too(store: CountingStore, experiment: str, tmp_path: Path) -> None:
    collector = MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store)
    trainer = fit(collector, epochs=1, root=tmp_path)

    trainer.test(trainer.lightning_module, DataLoader(torch.utils.data.TensorDataset(torch.ones(2, 1))), verbose=False)

    assert values(store, collector.run_id, "auroc", "test") == {0: 0.5}
    assert store.get_run(collector.run_id).status is RunStatus.COMPLETED


def test_a_validation_outside_fitting_is_not_kept(store: CountingStore, experiment: str, tmp_path: Path) -> None:
    collector = MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store)
    trainer = fit(collector, epochs=1, root=tmp_path)
    before = list(store.sent)

    trainer.validate(
        trainer.lightning_module, DataLoader(torch.utils.data.TensorDataset(torch.ones(2, 1))), verbose=False
    )

    assert store.sent == before


def test_an_exception_ends_the_run_as_failed_with_its_traceback(
    store: CountingStore, experiment: str, tmp_path: Path
) -> None:
    collector = MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store)

    def burst(epoch: int) -> None:
        if epoch == 1:
            raise RuntimeError("the GPU is on fire")

    with pytest.raises(RuntimeError, match="on fire"):
        fit(collector, module=OneWeight(burst), root=tmp_path)

    run = store.get_run(collector.run_id)
    assert run.status is RunStatus.FAILED
    assert run.failure is not None
    assert (run.failure.type, run.failure.message) == ("RuntimeError", "the GPU is on fire")
    assert "in burst" in run.failure.traceback
    assert values(store, collector.run_id, "late", "train") == {0: 10.0}


def test_ctrl_c_ends_the_run_as_interrupted(store: CountingStore, experiment: str, tmp_path: Path) -> None:
    collector = MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store)

    def press(epoch: int) -> None:
        if epoch == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(SystemExit):
        fit(collector, module=OneWeight(press), root=tmp_path)

    assert store.get_run(collector.run_id).status is RunStatus.INTERRUPTED
    assert isinstance(collector.error, KeyboardInterrupt)


def test_sigterm_ends_the_run_as_interrupted_and_keeps_the_epoch_that_had_ended(
    store: CountingStore, experiment: str, tmp_path: Path
) -> None:
    collector = MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store)

    class Terminate(pl.Callback):
        def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        fit(collector, Terminate(), root=tmp_path)

    assert store.get_run(collector.run_id).status is RunStatus.INTERRUPTED
    assert values(store, collector.run_id, "late", "train") == {0: 10.0}


def test_the_files_hold_every_epoch_and_the_end(store: CountingStore, experiment: str, tmp_path: Path) -> None:
    collector = MetricsCollectorCallback(tmp_path / "logs", "lungs/left", experiment_id=experiment, store=store)

    fit(collector, epochs=2, root=tmp_path)

    document = json.loads(collector.json_path.read_text(encoding="utf-8"))
    with collector.csv_path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert (document["run_id"], document["status"]) == (collector.run_id, "completed")
    assert document["epochs"] == collector.history
    assert [(row["epoch"], row["val_auroc"], row["learning_rate"]) for row in rows] == [
        ("0", "20.0", "100.0"),
        ("1", "21.0", ""),
    ]
    assert {path.name for path in (tmp_path / "logs").iterdir()} == {collector.json_path.name, collector.csv_path.name}


def test_the_files_are_there_after_the_first_epoch(tmp_path: Path) -> None:
    collector = MetricsCollectorCallback(tmp_path / "logs", "lungs", enable_db_persistence=False)

    def burst(epoch: int) -> None:
        if epoch == 1:
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fit(collector, module=OneWeight(burst), root=tmp_path)

    document = json.loads(collector.json_path.read_text(encoding="utf-8"))
    assert document["status"] == "failed"
    assert document["epochs"] == [
        {"epoch": 0, "val_auroc": 20.0, "train_loss": 0.0, "train_late": 10.0, "learning_rate": 100.0}
    ]


def test_a_value_that_is_no_number_is_kept_in_the_store_and_is_null_in_json(
    store: CountingStore, experiment: str, tmp_path: Path
) -> None:
    collector = MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store)

    class Nothing(OneWeight):
        def validation_step(self, batch: list[Tensor], batch_index: int) -> None:  # noqa: ARG002 - the hook's signature
            self.log("val_auroc", float("nan"))

    fit(collector, epochs=1, module=Nothing(), root=tmp_path)

    assert math.isnan(values(store, collector.run_id, "auroc", "validation")[0])
    assert json.loads(collector.json_path.read_text(encoding="utf-8"))["epochs"][0]["val_auroc"] is None


def test_files_that_cannot_be_written_cost_one_warning(
    store: CountingStore, experiment: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "logs").write_text("a file where a directory should be", encoding="utf-8")
    collector = MetricsCollectorCallback(tmp_path / "logs", "lungs", experiment_id=experiment, store=store)

    fit(collector, root=tmp_path)

    assert store.get_run(collector.run_id).status is RunStatus.COMPLETED
    assert [record.message for record in caplog.records].count(caplog.records[0].message) == 1
    assert "training goes on" in caplog.text


def test_without_persistence_nothing_reaches_the_store(store: CountingStore, experiment: str, tmp_path: Path) -> None:
    collector = MetricsCollectorCallback(
        tmp_path, "lungs", experiment_id=experiment, store=store, enable_db_persistence=False
    )

    fit(collector, epochs=1, root=tmp_path)

    with pytest.raises(RunNotFoundError):
        store.get_run(collector.run_id)
    assert len(collector.history) == 1


def test_a_store_that_was_given_stays_open(store: CountingStore, experiment: str, tmp_path: Path) -> None:
    fit(MetricsCollectorCallback(tmp_path, "lungs", experiment_id=experiment, store=store), epochs=1, root=tmp_path)

    assert store.get_or_create_experiment("lungs") == experiment


def test_two_handles_of_one_database_see_the_same_run(tmp_path: Path) -> None:
    database = MemoryDatabase()
    writer, reader = MemoryStore(database), MemoryStore(database)
    collector = MetricsCollectorCallback(
        tmp_path, "lungs", experiment_id=writer.get_or_create_experiment("lungs"), store=writer
    )

    fit(collector, epochs=1, root=tmp_path)

    (summary,) = [s for s in reader.get_summaries(collector.run_id) if s.name == "auroc"]
    assert summary.dataset_type is DatasetType.VALIDATION
