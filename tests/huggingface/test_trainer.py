"""A real ``Trainer`` and its run: what is kept, under which names, and how it ends."""

import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")
pytestmark = pytest.mark.training

import optuna  # noqa: E402
from transformers import TrainerCallback  # noqa: E402

from huggingface.tiny import TinyConfig, TinyModel, tiny_trainer  # noqa: E402
from runstore.errors import StoreUnavailableError, UnknownSchemeError  # noqa: E402
from runstore.huggingface import RunStoreCallback  # noqa: E402
from runstore.memory.store import MemoryStore  # noqa: E402
from runstore.opening.stores import open_reader  # noqa: E402


def series(store: MemoryStore, run_id: str, dataset_type: str) -> dict[str, int]:
    return {each.name: each.count for each in store.get_summaries(run_id) if each.dataset_type == dataset_type}


def test_making_a_callback_opens_and_writes_nothing(tmp_path: Path) -> None:
    callback = RunStoreCallback(f"sqlite:///{tmp_path}/runs.db", experiment="e")

    tiny_trainer(tmp_path, callback)

    assert not (tmp_path / "runs.db").exists()
    assert callback.session is None


def test_a_training_is_one_completed_run_with_its_arguments_and_its_numbers_by_split(
    store: MemoryStore, tmp_path: Path
) -> None:
    callback = RunStoreCallback(store=store, experiment="tiny", tags={"k": "v"})

    tiny_trainer(tmp_path, callback, run_name="first", learning_rate=0.125).train()

    (run,) = store.search_runs().items
    config = store.get_config(run.id)
    assert (run.id, run.status, run.name, run.tags) == (callback.run_id, "completed", "first", {"k": "v"})
    assert store.get_experiment(run.experiment_id).name == "tiny"
    assert (config["learning_rate"], config["num_train_epochs"], config["model"]["width"]) == (0.125, 2, 4)
    assert not [key for key in config if key.startswith("_")]
    assert run.provenance["seed"] == 7
    assert {"transformers", "torch"} <= run.provenance["versions"].keys()
    train, validation = series(store, run.id, "train"), series(store, run.id, "validation")
    assert (train["loss"], train["grad_norm"], train["learning_rate"], train["train_loss"]) == (4, 4, 4, 1)
    assert (validation["loss"], validation["runtime"]) == (2, 2)
    assert list(store.get_history(run.id, "loss", "train").steps) == [1, 2, 3, 4]
    assert list(store.get_history(run.id, "loss", "validation").steps) == [2, 4]
    assert list(store.get_history(run.id, "epoch", "other").values) == [0.5, 1.0, 1.5, 2.0]


def test_what_is_evaluated_and_predicted_after_a_training_is_added_to_its_run(
    store: MemoryStore, tmp_path: Path
) -> None:
    callback = RunStoreCallback(store=store)
    trainer = tiny_trainer(tmp_path, callback)
    trainer.train()

    trainer.evaluate(metric_key_prefix="test")
    trainer.predict(trainer.eval_dataset, metric_key_prefix="final")

    (run,) = store.search_runs().items
    assert (run.status, run.attempt) == ("completed", 1)
    assert list(store.get_history(run.id, "loss", "test").steps) == [4]
    assert list(store.get_history(run.id, "final_loss", "test").steps) == [4]


def test_an_evaluation_alone_is_a_completed_run_that_a_training_reopens(store: MemoryStore, tmp_path: Path) -> None:
    callback = RunStoreCallback(store=store)
    trainer = tiny_trainer(tmp_path, callback)

    trainer.evaluate()
    before = store.get_run(callback.run_id)
    trainer.train()

    (run,) = store.search_runs().items
    assert (before.status, run.status, run.attempt) == ("completed", "completed", 2)
    assert list(store.get_history(run.id, "loss", "validation").steps) == [0, 2, 4]


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (ValueError("no such label"), "failed", "ValueError"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
        (optuna.TrialPruned("not worth it"), "interrupted", "optuna.exceptions.TrialPruned"),
    ],
)
def test_what_stops_a_training_ends_its_run_before_it_reaches_the_program(
    error: BaseException, status: str, kind: str, store: MemoryStore, tmp_path: Path
) -> None:
    callback = RunStoreCallback(store=store)

    with pytest.raises(type(error)):
        tiny_trainer(tmp_path, callback, act=raising(error)).train()

    run = store.get_run(callback.run_id)
    assert (run.status, run.attempt) == (status, 1)
    assert run.failure is not None
    assert run.failure.type == kind
    assert list(store.get_history(run.id, "loss", "train").steps) == [1, 2]


def test_a_callback_that_was_added_later_ends_its_run_by_its_block_and_hears_the_next_training(
    store: MemoryStore, tmp_path: Path
) -> None:
    callback = RunStoreCallback(store=store)
    trainer = tiny_trainer(tmp_path, None, act=raising(ValueError("first")))
    trainer.add_callback(callback)

    def train() -> None:
        with callback:
            trainer.train()

    with pytest.raises(ValueError, match="first"):
        train()
    first = store.get_run(callback.run_id)
    trainer.model.calls, trainer.model.act = 0, raising(ValueError("second"))
    with pytest.raises(ValueError, match="second"):
        trainer.train()

    assert first.failure is not None
    assert (first.status, first.failure.message) == ("failed", "first")
    assert store.get_run(callback.run_id).status == "failed"
    assert store.get_run(callback.run_id).tags == {"from_run": first.id}


def test_another_training_of_one_callback_is_a_run_of_its_own_that_names_the_one_before(
    store: MemoryStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    callback = RunStoreCallback(store=store)
    trainer = tiny_trainer(tmp_path, callback)

    trainer.train()
    first = callback.run_id
    trainer.train()

    assert callback.run_id != first
    assert store.get_run(callback.run_id).tags == {"from_run": first}
    assert {run.status for run in store.search_runs().items} == {"completed"}
    assert [record.levelno for record in caplog.records if record.name == "runstore.huggingface"] == [logging.WARNING]


def test_a_smaller_batch_after_running_out_of_memory_is_the_same_run(store: MemoryStore, tmp_path: Path) -> None:
    callback = RunStoreCallback(store=store)
    act = raising(RuntimeError("CUDA out of memory."))

    tiny_trainer(tmp_path, callback, act=act, auto_find_batch_size=True, eval_strategy="no").train()

    (run,) = store.search_runs().items
    assert (run.status, run.attempt) == ("completed", 1)


def test_report_to_names_it_like_the_librarys_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNSTORE_URL", f"sqlite:///{tmp_path}/runs.db")

    tiny_trainer(tmp_path, None, report_to="runstore", project="tiny").train()

    with open_reader(f"sqlite:///{tmp_path}/runs.db") as reader:
        (run,) = reader.search_runs().items
        assert (run.status, reader.get_experiment(run.experiment_id).name) == ("completed", "tiny")


def test_each_trial_of_a_search_is_a_run_and_a_pruned_one_says_so(store: MemoryStore, tmp_path: Path) -> None:
    class Poor(TrainerCallback):
        """Makes the second trial worse than the first."""

        def on_evaluate(self, *_told: Any, metrics: Any, **_kwargs: Any) -> None:
            metrics["eval_loss"] += 100.0 * (len(store.search_runs().items) - 1)

    trainer = tiny_trainer(tmp_path, RunStoreCallback(store=store))
    trainer.callback_handler.callbacks.insert(0, Poor())
    trainer.model_init = lambda _trial=None: TinyModel(TinyConfig())

    trainer.hyperparameter_search(
        lambda trial: {"learning_rate": trial.suggest_float("learning_rate", 0.1, 0.2)},
        n_trials=2,
        direction="minimize",
        backend="optuna",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=1),
    )

    first, second = store.search_runs(order_by=["start_time"]).items
    assert (first.status, second.status) == ("completed", "interrupted")
    assert second.failure is not None
    assert second.failure.type == "optuna.exceptions.TrialPruned"
    assert 0.1 <= store.get_config(first.id)["trial"]["learning_rate"] <= 0.2


def test_a_wrong_url_is_an_error_before_the_first_step(tmp_path: Path) -> None:
    act: list[None] = []
    trainer = tiny_trainer(tmp_path, RunStoreCallback("nosuch://x"), act=lambda: act.append(None))

    with pytest.raises(UnknownSchemeError, match="nosuch"):
        trainer.train()

    assert act == []


def test_a_store_that_is_away_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Away(MemoryStore):
        def append(self, *_args: Any, **_options: Any) -> Any:
            raise StoreUnavailableError("the server is away")

    with Away() as away:
        callback = RunStoreCallback(store=away)
        tiny_trainer(tmp_path, callback).train()

        assert away.get_run(callback.run_id).status == "completed"
        assert callback.session is not None
        assert callback.session.points_not_stored > 0
        assert "the server is away" in caplog.text


@pytest.mark.parametrize(
    "options", [{"log_model": "best"}, {"url": "memory://", "store": MemoryStore()}, {"run_id": ""}]
)
def test_a_wrong_argument_is_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        RunStoreCallback(**options)


def test_processes_that_load_data_leave_the_run_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"

    tiny_trainer(tmp_path, RunStoreCallback(url, durable=False), dataloader_num_workers=1).train()

    with open_reader(url) as reader:
        assert [(run.status, run.attempt) for run in reader.search_runs().items] == [("completed", 1)]


def test_a_pickled_callback_writes_to_the_same_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    callback = RunStoreCallback(url, durable=False)
    tiny_trainer(tmp_path, callback).train()

    copy = pickle.loads(pickle.dumps(callback))
    tiny_trainer(tmp_path, copy).evaluate(metric_key_prefix="test")

    with open_reader(url) as reader:
        assert [run.id for run in reader.search_runs().items] == [callback.run_id] == [copy.run_id]
        assert list(reader.get_history(copy.run_id, "loss", "test").steps) == [0]


def test_the_session_logs_numbers_where_the_training_is(store: MemoryStore, tmp_path: Path) -> None:
    callback = RunStoreCallback(store=store)

    def act() -> None:
        assert callback.session is not None
        callback.session.log({"my/metric": 3})

    tiny_trainer(tmp_path, callback, act=act).train()

    history = store.get_history(callback.run_id, "my/metric", "train")
    assert [(point.step, point.value) for point in history] == [(2, 3.0)]
