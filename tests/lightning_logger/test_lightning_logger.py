"""The face that Lightning sees, without a training: what is called, in any order, by anybody."""

import copy
import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning
import torch
from lightning_fabric.loggers.logger import _DummyExperiment as DummyExperiment
from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning import Trainer

from lightning_logger.models import Model
from runstore.lightning import RunStoreLogger
from runstore.memory.store import MemoryStore
from runstore.opening.stores import open_store

pytestmark = pytest.mark.training


def names_and_types(store: MemoryStore, run_id: str) -> list[tuple[str, str]]:
    return [(summary.name, str(summary.dataset_type)) for summary in store.get_summaries(run_id)]


def test_making_a_logger_opens_and_writes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"

    logger = RunStoreLogger(url, experiment="e", save_dir=tmp_path / "files")
    _ = (logger.name, logger.version, logger.save_dir, logger.root_dir, logger.log_dir)

    assert list(tmp_path.iterdir()) == []


def test_name_version_and_folders_are_known_at_once_and_stay(store: MemoryStore, tmp_path: Path) -> None:
    logger = RunStoreLogger(store=store, experiment="ct-seg", save_dir=tmp_path)
    before = (logger.name, logger.version, logger.save_dir, logger.root_dir, logger.log_dir)

    logger.log_metrics({"loss": 1.0}, step=0)
    logger.finalize("success")

    assert (logger.name, logger.version, logger.save_dir, logger.root_dir, logger.log_dir) == before
    assert logger.name == "ct-seg"
    assert logger.version == logger.run_id
    assert logger.log_dir == str(tmp_path / "ct-seg" / logger.run_id)


@pytest.mark.parametrize(
    ("experiment", "folder"), [("ct/seg: 1", "ct_seg_ 1"), ("..", "__"), ("Lunge ä", "Lunge ä"), (".", "_")]
)
def test_an_experiment_of_any_name_has_a_folder_of_its_own(experiment: str, folder: str, store: MemoryStore) -> None:
    assert RunStoreLogger(store=store, experiment=experiment).name == folder


@pytest.mark.parametrize(
    "options",
    [{"experiment": ""}, {"run_id": "a\0"}, {"log_model": "best"}, {"url": "memory://", "store": MemoryStore()}],
)
def test_a_wrong_argument_is_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        RunStoreLogger(**options)


def test_lightning_takes_it_for_a_logger_of_its_own() -> None:
    assert issubclass(RunStoreLogger, pytorch_lightning.loggers.Logger)


def test_a_direct_caller_needs_no_trainer(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store, experiment="e", name="n", tags={"k": "v"}, source_path="/data")

    logger.log_hyperparams({"lr": 0.1})
    logger.log_metrics({"val_auroc": 0.9, "epoch": 0}, step=3)
    logger.finalize("success")

    run = store.get_run(logger.run_id)
    assert (run.status, run.name, run.tags, run.source_path) == ("completed", "n", {"k": "v"}, "/data")
    assert store.get_experiment(run.experiment_id).name == "e"
    assert store.get_config(logger.run_id) == {"lr": 0.1}
    assert names_and_types(store, logger.run_id) == [("auroc", "validation"), ("epoch", "other")]


def test_the_same_step_may_come_many_times_with_other_keys_and_go_back(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)

    logger.log_metrics({"train_loss": 3.0}, step=5)
    logger.log_metrics({"val_loss": 2.0}, step=5)
    logger.log_metrics({"train_loss": 1.0}, step=4)

    assert list(store.get_history(logger.run_id, "loss", "train").steps) == [4, 5]
    assert list(store.get_history(logger.run_id, "loss", "train").values) == [1.0, 3.0]
    assert list(store.get_history(logger.run_id, "loss", "validation").steps) == [5]


def test_without_a_step_points_follow_each_other(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)

    for value in (1.0, 2.0, 3.0):
        logger.log_metrics({"loss": value})

    assert list(store.get_history(logger.run_id, "loss", "other").values) == [1.0, 2.0, 3.0]


def test_tensors_and_booleans_are_numbers_and_other_things_are_warned_of_once(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    logger = RunStoreLogger(store=store)

    for step in range(3):
        logger.log_metrics(
            {"t": torch.tensor(2), "b": True, "note": "1.5", "many": torch.zeros(2), "z": 1j, "nan": float("nan")},
            step=step,
        )

    kept = {summary.name: summary.count for summary in store.get_summaries(logger.run_id)}
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert kept == {"t": 3, "b": 3, "nan": 3}
    assert [message.split("'")[1] for message in warned] == ["note", "many", "z"]


def test_a_name_that_no_store_takes_stops_nothing_and_takes_no_other_metric_with_it(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    logger = RunStoreLogger(store=store)

    for step in range(3):
        logger.log_metrics({"x" * 300: 1.0, "loss": 1.0, "two\nlines": 2.0, "acc": 0.5}, step=step)

    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert {(summary.name, summary.count) for summary in store.get_summaries(logger.run_id)} == {
        ("acc", 3),
        ("loss", 3),
    }
    assert logger.experiment.points_not_stored == 6
    assert len(warned) == 2


def test_a_number_beyond_float64_and_a_key_that_is_no_text_stop_nothing(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd:
        def __float__(self) -> float:
            raise KeyError("no")

    logger = RunStoreLogger(store=store)

    logger.log_metrics({"huge": 10**400, 3: 1.5, None: 2.5, "odd": Odd(), "loss": 1.0}, step=0)  # type: ignore[dict-item]

    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert names_and_types(store, logger.run_id) == [("3", "other"), ("None", "other"), ("loss", "other")]
    assert len(warned) == 2
    assert "huge" in warned[0]


def test_a_step_that_was_counted_in_floats_or_is_a_tensor_is_a_step(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)

    for step in (3.0, torch.tensor(4), torch.tensor(5.0), None):
        logger.log_metrics({"loss": 1.0}, step=step)  # type: ignore[arg-type]
    logger.log_metrics({"loss": 1.0}, step=0.5)  # type: ignore[arg-type]

    assert list(store.get_history(logger.run_id, "loss", "other").steps) == [3, 4, 5, 6]
    assert logger.experiment.points_not_stored == 1


def test_metrics_that_are_no_mapping_are_a_mistake_that_says_what_to_give(store: MemoryStore) -> None:
    with pytest.raises(ValueError, match="give a mapping"):
        RunStoreLogger(store=store).log_metrics([("loss", 1.0)])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="MetricPoint"):
        RunStoreLogger(store=store).experiment.log_metrics({"loss": 1.0})  # type: ignore[dict-item]


def test_the_prefix_stands_before_names_and_mapping_can_be_switched_off(store: MemoryStore) -> None:
    mapped, plain = RunStoreLogger(store=store, prefix="f1"), RunStoreLogger(store=store, prefix="f1", map_names=False)

    mapped.log_metrics({"val_loss": 1.0}, step=0)
    plain.log_metrics({"val_loss": 1.0}, step=0)

    assert names_and_types(store, mapped.run_id) == [("f1-loss", "validation")]
    assert names_and_types(store, plain.run_id) == [("f1-val_loss", "other")]


def test_other_ranks_have_a_dummy_and_write_nothing(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)
    rank_zero_only.rank = 1  # type: ignore[attr-defined]

    logger.log_metrics({"loss": 1.0}, step=0)
    logger.log_hyperparams({"lr": 0.1})
    logger.finalize("success")
    logger.finalize("failed")
    experiment = logger.experiment

    assert isinstance(experiment, DummyExperiment)
    assert store.search_runs().items == ()


def test_finalizing_what_never_began_makes_no_run(store: MemoryStore) -> None:
    for status in ("success", "failed", "finished"):
        RunStoreLogger(store=store).finalize(status)

    assert store.search_runs().items == ()


def test_save_and_log_graph_do_nothing_and_harm_nothing(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)

    logger.save()
    logger.log_graph(torch.nn.Linear(1, 1))

    assert store.search_runs().items == ()


def test_a_pickled_logger_writes_to_the_same_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    logger = RunStoreLogger(url, durable=False)
    logger.log_metrics({"a": 1.0}, step=0)
    logger.save()

    for clone in (pickle.loads(pickle.dumps(logger)), copy.deepcopy(logger)):
        clone.log_metrics({"b": 1.0}, step=1)
        clone.experiment.close()
    logger.experiment.close()

    with open_store(url, durable=False) as store:
        assert [run.id for run in store.search_runs().items] == [logger.run_id]
        assert [summary.name for summary in store.get_summaries(logger.run_id)] == ["a", "b"]


def test_the_seed_and_the_versions_stand_in_the_provenance(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PL_GLOBAL_SEED", "42")
    logger = RunStoreLogger(store=store)

    logger.log_metrics({"a": 1.0}, step=0)

    provenance = store.get_run(logger.run_id).provenance
    assert provenance["seed"] == 42
    assert {"python", "torch"} <= provenance["versions"].keys()
    assert {"lightning", "pytorch-lightning"} & provenance["versions"].keys()  # whichever is installed


def test_the_numbers_that_hyperparameters_led_to_are_logged_and_what_is_unknown_is_named(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    logger = RunStoreLogger(store=store)

    logger.log_hyperparams({"lr": 0.1}, {"hp/score": 0.5})
    logger.log_metrics({"val_loss": 1.0}, step=4)
    logger.log_hyperparams({"depth": 18}, metrics={"hp/final": torch.tensor(0.25)}, step=7)
    logger.log_hyperparams({"width": 2}, "note", file="hparams.yaml")

    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert store.get_config(logger.run_id) == {"lr": 0.1, "depth": 18, "width": 2}
    assert list(store.get_history(logger.run_id, "hp/score", "other").steps) == [0]
    assert list(store.get_history(logger.run_id, "hp/final", "other").steps) == [7]
    assert len(warned) == 2
    assert "'note'" in warned[0]
    assert "file" in warned[1]


class Talkative(Model):
    """Logs by the session itself, as other trackers' users do."""

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> Any:
        logger: Any = self.logger
        logger.experiment.log({"my/metric": batch_idx, "val/score": 0.5})
        return super().training_step(batch, batch_idx)


def test_the_session_logs_numbers_where_the_training_is(
    store: MemoryStore, make_trainer: Callable[..., Trainer]
) -> None:
    logger = RunStoreLogger(store=store)

    make_trainer(logger=logger, max_epochs=2).fit(Talkative())
    logger.experiment.log({"my/metric": 7}, step=9)

    history = store.get_history(logger.run_id, "my/metric", "other")
    assert [(point.step, point.value) for point in history] == [(0, 0.0), (1, 1.0), (2, 0.0), (3, 1.0), (9, 7.0)]
    assert logger.run_id in repr(logger.experiment)


def test_the_logger_and_its_session_know_each_others_names(store: MemoryStore) -> None:
    logger = RunStoreLogger(store=store)
    logger.log_metrics({"val_loss": 1.0}, step=0)
    logger.experiment.log({"val/loss": 2.0}, step=0)

    assert [each.value for each in store.get_history(logger.run_id, "loss", "validation")] == [1.0]
    assert [each.value for each in store.get_history(logger.run_id, "val/loss", "other")] == [2.0]
