"""A training that goes on from a checkpoint, and the checkpoints that are kept with its run."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("transformers")
pytestmark = pytest.mark.training

from huggingface.tiny import tiny_trainer  # noqa: E402
from runstore.huggingface import RunStoreCallback  # noqa: E402
from runstore.memory.store import MemoryDatabase, MemoryStore  # noqa: E402
from runstore.opening.stores import open_store  # noqa: E402


def stop() -> None:
    raise KeyboardInterrupt


def stopped(folder: Path, callback: RunStoreCallback) -> None:
    """Two of four steps, with a checkpoint after the second."""
    with pytest.raises(KeyboardInterrupt):
        tiny_trainer(folder, callback, act=stop, eval_strategy="no").train()


def test_a_resumed_training_is_the_next_attempt_of_the_run_that_wrote_the_checkpoint(
    store: MemoryStore, tmp_path: Path
) -> None:
    first = RunStoreCallback(store=store, experiment="tiny", tags={"owner": "me"})
    stopped(tmp_path, first)
    between = store.get_run(first.run_id)

    second = RunStoreCallback(store=store)
    tiny_trainer(tmp_path, second).train(resume_from_checkpoint=True)

    (run,) = store.search_runs().items
    assert (between.status, between.attempt) == ("interrupted", 1)
    assert (run.id, run.status, run.attempt, run.tags) == (first.run_id, "completed", 2, {"owner": "me"})
    assert second.run_id == first.run_id
    assert list(store.get_history(run.id, "loss", "train").steps) == [1, 2, 3, 4]


def test_a_resumed_training_calls_its_series_as_before_in_whatever_order_they_come(
    store: MemoryStore, tmp_path: Path
) -> None:
    first = RunStoreCallback(store=store)
    stopped(tmp_path, first)
    assert first.session is not None
    first.session.log({"val_loss": 1.0, "val/loss": 100.0}, step=0)

    second = RunStoreCallback(store=store)
    tiny_trainer(tmp_path, second, eval_strategy="no").train(resume_from_checkpoint=True)
    assert second.session is not None
    second.session.log({"val/loss": 200.0}, step=1)
    second.session.log({"val_loss": 2.0}, step=1)

    assert list(store.get_history(first.run_id, "loss", "validation").values) == [1.0, 2.0]
    assert list(store.get_history(first.run_id, "val/loss", "other").values) == [100.0, 200.0]


def test_a_resumed_training_whose_callbacks_are_restored_goes_on_with_its_run_too(
    store: MemoryStore, tmp_path: Path
) -> None:
    first = RunStoreCallback(store=store)
    stopped(tmp_path, first)

    trainer = tiny_trainer(tmp_path, RunStoreCallback(store=store), restore_callback_states_from_checkpoint=True)
    trainer.train(resume_from_checkpoint=True)

    assert [(run.id, run.attempt) for run in store.search_runs().items] == [(first.run_id, 2)]


def test_an_attempt_that_was_killed_is_closed_before_the_next_one_begins(tmp_path: Path) -> None:
    database = MemoryDatabase()
    with MemoryStore(database) as store:
        first = RunStoreCallback(store=store)
        tiny_trainer(tmp_path, first).train()
        store.ensure_run(None, run_id=first.run_id, resume=True)  # as if the process had died within it

        tiny_trainer(tmp_path, RunStoreCallback(store=store), num_train_epochs=3).train(resume_from_checkpoint=True)

        run = store.get_run(first.run_id)
        assert (run.status, run.attempt) == ("completed", 3)


def test_a_checkpoint_of_another_store_or_experiment_makes_a_new_run_that_names_the_old_one(
    store: MemoryStore, tmp_path: Path
) -> None:
    with MemoryStore() as other:
        first = RunStoreCallback(store=other, experiment="a")
        stopped(tmp_path, first)
        elsewhere, renamed = RunStoreCallback(store=store), RunStoreCallback(store=other, experiment="b")

        tiny_trainer(tmp_path, elsewhere).train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-2"))
        tiny_trainer(tmp_path, renamed).train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-2"))

        assert store.get_run(elsewhere.run_id).tags == {"from_run": first.run_id}
        assert other.get_run(renamed.run_id).tags == {"from_run": first.run_id}


def test_a_run_id_that_is_given_wins_and_stays_in_its_experiment(store: MemoryStore, tmp_path: Path) -> None:
    experiment_id = store.get_or_create_experiment("mine")
    store.ensure_run(experiment_id, run_id="mine-1")
    stopped(tmp_path, RunStoreCallback(store=store))

    tiny_trainer(tmp_path, RunStoreCallback(store=store, run_id="mine-1")).train(resume_from_checkpoint=True)

    run = store.get_run("mine-1")
    assert (run.status, run.experiment_id) == ("completed", experiment_id)


def test_a_checkpoint_holds_no_secret_of_a_store_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "state"))

    tiny_trainer(tmp_path, RunStoreCallback("postgresql://me:hunter2@127.0.0.1:1/runs")).train()

    text = (tmp_path / "out" / "checkpoint-4" / "trainer_state.json").read_text()
    assert '"runstore"' in text
    assert "hunter2" not in text


def roles(store: MemoryStore, run_id: str) -> dict[str, str]:
    artifacts = store.list_artifacts(run_id)
    return {each.name.split("/")[1]: each.metadata["role"] for each in artifacts if each.artifact_type == "checkpoint"}


def test_each_checkpoint_is_kept_before_the_trainer_deletes_it(store: MemoryStore, tmp_path: Path) -> None:
    callback = RunStoreCallback(store=store, log_model="all")

    tiny_trainer(tmp_path, callback, save_total_limit=1, metric_for_best_model="loss").train()

    assert not (tmp_path / "out" / "checkpoint-2").exists()
    assert roles(store, callback.run_id) == {"checkpoint-2": "step", "checkpoint-4": "best"}
    told = next(each.metadata for each in store.list_artifacts(callback.run_id) if "/checkpoint-2/" in each.name)
    assert (told["step"], told["epoch"], told["monitor"], told["mode"]) == (2, 1.0, "eval_loss", "min")
    assert told["score"] == store.get_history(callback.run_id, "loss", "validation").values[0]


def test_the_best_and_the_last_are_kept_of_a_training_that_ended_well(store: MemoryStore, tmp_path: Path) -> None:
    callback = RunStoreCallback(store=store, log_model=True)

    tiny_trainer(tmp_path, callback, load_best_model_at_end=True, greater_is_better=True, learning_rate=0.1).train()

    assert roles(store, callback.run_id) == {"checkpoint-2": "best", "checkpoint-4": "last"}


def test_a_kept_checkpoint_is_one_to_go_on_from(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/runs.db", durable=False) as store:
        callback = RunStoreCallback(store=store, log_model=True)
        tiny_trainer(tmp_path, callback).train()
        shutil.rmtree(tmp_path / "out")
        fetched = tmp_path / "fetched" / "checkpoint-4"
        for artifact in store.list_artifacts(callback.run_id):
            target = fetched / Path(artifact.name).relative_to("checkpoints/checkpoint-4")
            target.parent.mkdir(parents=True, exist_ok=True)
            with store.open_artifact(callback.run_id, artifact.name) as file:
                target.write_bytes(file.read())

        tiny_trainer(tmp_path, RunStoreCallback(store=store), num_train_epochs=3).train(
            resume_from_checkpoint=str(fetched)
        )

        assert (store.get_run(callback.run_id).attempt, store.get_run(callback.run_id).status) == (2, "completed")
        assert list(store.get_history(callback.run_id, "loss", "train").steps) == [1, 2, 3, 4, 5, 6]


def test_without_log_model_nothing_is_kept(store: MemoryStore, tmp_path: Path) -> None:
    callback = RunStoreCallback(store=store)

    tiny_trainer(tmp_path, callback).train()

    assert store.list_artifacts(callback.run_id) == ()
