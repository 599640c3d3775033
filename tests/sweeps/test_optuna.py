"""A real study of Optuna: its run, a run for each trial, and how they end."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

optuna = pytest.importorskip("optuna")

from documentation.pages import blocks_of  # noqa: E402
from runstore.errors import InvalidValueError, StoreUnavailableError  # noqa: E402
from runstore.memory.store import MemoryStore  # noqa: E402
from runstore.model import Run  # noqa: E402
from runstore.opening.stores import open_reader, open_store  # noqa: E402
from runstore.optuna import RunStoreCallback  # noqa: E402
from runstore.training import ending  # noqa: E402


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNSTORE_CONSOLE", "0")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    ending._waiting.take()  # noqa: SLF001 - a test's process goes on, its stores do not


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as opened:
        yield opened


def new_study(**options: Any) -> Any:
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1), **options)


def objective(trial: Any) -> float:
    """The values 2, 1, 0, 1, 2, 3, … of the trials 0, 1, 2, …"""
    trial.suggest_float("lr", 0.1, 0.2)
    trial.set_user_attr("fold", 3)
    value = float(abs(trial.number - 2))
    for step in range(3):
        trial.report(value + 3 - step, step)
    return value


def runs_of(store: Any) -> tuple[Run, list[Run]]:
    """The study's run and those of its trials, by their numbers."""
    (sweep,) = [run for run in store.search_runs(limit=1000).items if run.parent_run_id is None]
    trials = [run for run in store.search_runs(limit=1000).items if run.parent_run_id == sweep.id]
    return sweep, sorted(trials, key=lambda run: int(run.tags["trial"]))


@pytest.mark.parametrize("way", ["tracked", "callback alone"])
def test_each_trial_is_a_run_below_the_studys_with_its_parameters_and_values(way: str, store: MemoryStore) -> None:
    sweep, study = RunStoreCallback(store=store, experiment="e", tags={"owner": "me"}), new_study(study_name="lr")

    with sweep:
        study.optimize(sweep.track(objective) if way == "tracked" else objective, n_trials=4, callbacks=[sweep])

    parent, trials = runs_of(store)
    assert (parent.status, parent.name, parent.attempt) == ("completed", "lr", 1)
    assert store.get_experiment(parent.experiment_id).name == "e"
    assert store.get_config(parent.id)["study"] == {
        "name": "lr",
        "directions": ["minimize"],
        "sampler": "RandomSampler",
        "pruner": "MedianPruner",
    }
    assert [run.status for run in trials] == ["completed"] * 4
    assert [run.name for run in trials] == ["trial 0", "trial 1", "trial 2", "trial 3"]
    assert store.get_config(trials[1].id) == {"lr": study.trials[1].params["lr"], "user_attrs": {"fold": 3}}
    assert list(store.get_history(trials[1].id, "intermediate_value", "other").values) == [4.0, 3.0, 2.0]
    assert list(store.get_history(trials[1].id, "value", "other").values) == [1.0]
    assert [each.count for each in store.get_summaries(trials[1].id) if each.name == "duration_s"] == [1]
    assert list(store.get_history(parent.id, "value", "other").values) == [2.0, 1.0, 0.0, 1.0]
    assert list(store.get_history(parent.id, "best_value", "other").values) == [2.0, 1.0, 0.0, 0.0]
    assert [run.tags.get("best") for run in trials] == [None, None, "true", None]
    assert {run.tags["owner"] for run in [parent, *trials]} == {"me"}
    assert [sweep.track(objective) is not objective, trials[2].id] == [True, study_run_id(study, 2)]


def study_run_id(study: Any, number: int) -> str:
    """What whoever has the study alone finds a trial's run by."""
    return RunStoreCallback(run_id=study.user_attrs["runstore_run_id"]).run_id_of(number)


def test_a_tracked_trial_has_its_run_while_it_goes_on_and_the_program_logs_to_it(store: MemoryStore) -> None:
    sweep = RunStoreCallback(store=store)
    seen: list[tuple[str, str, dict[str, Any]]] = []

    @sweep.track
    def track(trial: Any) -> float:
        lr = trial.suggest_float("lr", 0.1, 0.2)
        sweep.run.log({"train/loss": 0.5}, step=0)
        trial.report(0.5, 0)
        seen.append((sweep.run.id, store.get_run(sweep.run.id).status, store.get_config(sweep.run.id)))
        assert store.get_config(sweep.run.id) == {"lr": lr}
        return 0.5

    study = new_study()
    with sweep:
        study.optimize(track, n_trials=2)

    _, trials = runs_of(store)
    assert [run_id for run_id, _, _ in seen] == [run.id for run in trials]
    assert {status for _, status, _ in seen} == {"in_progress"}
    assert list(store.get_history(trials[1].id, "loss", "train").values) == [0.5]


def test_without_callbacks_a_tracked_trial_ends_when_optuna_has_told_how(store: MemoryStore) -> None:
    sweep, study = RunStoreCallback(store=store), new_study()

    with sweep:
        study.optimize(sweep.track(objective), n_trials=3)

    parent, trials = runs_of(store)
    assert [run.status for run in [parent, *trials]] == ["completed"] * 4
    assert [run.tags.get("best") for run in trials] == [None, None, "true"]


@pytest.mark.parametrize("way", ["tracked", "callback alone"])
def test_a_pruned_trial_is_interrupted_and_says_why(way: str, store: MemoryStore) -> None:
    def pruned(trial: Any) -> float:
        trial.suggest_int("depth", 1, 3)
        trial.report(1.0, 4)
        raise optuna.TrialPruned

    sweep = RunStoreCallback(store=store)

    with sweep:
        new_study().optimize(sweep.track(pruned) if way == "tracked" else pruned, n_trials=2, callbacks=[sweep])

    parent, trials = runs_of(store)
    assert parent.status == "completed"
    for run in trials:
        assert run.failure is not None
        assert (run.status, run.attempt, run.failure.type) == ("interrupted", 1, "optuna.exceptions.TrialPruned")
        assert "depth" in store.get_config(run.id)
        assert {each.name for each in store.get_summaries(run.id)} == {"intermediate_value", "duration_s"}


def test_a_trial_that_raises_fails_with_its_exception_and_so_does_the_study_where_it_is_not_caught(
    store: MemoryStore,
) -> None:
    def broken(trial: Any) -> float:
        raise ValueError(f"no data in {trial.suggest_categorical('site', ['a'])}")

    sweep, study = RunStoreCallback(store=store), new_study()

    def search() -> None:
        with sweep:
            study.optimize(sweep.track(broken), n_trials=2, callbacks=[sweep], catch=(ValueError,))
            study.optimize(sweep.track(broken), n_trials=2, callbacks=[sweep])

    with pytest.raises(ValueError, match="no data"):
        search()

    parent, trials = runs_of(store)
    assert [run.status for run in [parent, *trials]] == ["failed"] * 4
    for run in [parent, *trials]:
        assert run.failure is not None
        assert (run.failure.type, run.failure.message) == ("ValueError", "no data in a")


@pytest.mark.parametrize("way", ["tracked", "callback alone"])
def test_a_value_that_optuna_refuses_fails_the_trial(way: str, store: MemoryStore) -> None:
    def nothing(_trial: Any) -> float:
        return float("nan")

    sweep = RunStoreCallback(store=store)

    with sweep:
        new_study().optimize(sweep.track(nothing) if way == "tracked" else nothing, n_trials=1, callbacks=[sweep])

    parent, (trial,) = runs_of(store)
    assert (parent.status, trial.status, trial.attempt) == ("completed", "failed", 1)


def test_ctrl_c_interrupts_the_trial_and_the_study(store: MemoryStore) -> None:
    def interrupted(_trial: Any) -> float:
        raise KeyboardInterrupt

    sweep = RunStoreCallback(store=store)

    def search() -> None:
        with sweep:
            new_study().optimize(sweep.track(interrupted), n_trials=2, callbacks=[sweep])

    with pytest.raises(KeyboardInterrupt):
        search()

    parent, trials = runs_of(store)
    assert [run.status for run in [parent, *trials]] == ["interrupted"] * 2


def test_trials_of_several_threads_keep_to_their_own_runs(store: MemoryStore) -> None:
    sweep, together = RunStoreCallback(store=store), threading.Barrier(4)

    @sweep.track
    def waits(trial: Any) -> float:
        together.wait()
        sweep.run.log({"number": trial.number}, step=0)
        return float(trial.number)

    with sweep:
        new_study().optimize(waits, n_trials=8, n_jobs=4, callbacks=[sweep])

    parent, trials = runs_of(store)
    assert [run.status for run in [parent, *trials]] == ["completed"] * 9
    assert [store.get_history(run.id, "number", "other").values[0] for run in trials] == list(range(8))
    assert [run.tags["trial"] for run in trials if "best" in run.tags] == ["0"]


def test_a_study_that_goes_on_in_another_process_is_the_next_attempt_of_its_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    for last in (1, 4):
        storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/study.db")
        study = optuna.create_study(study_name="s", storage=storage, load_if_exists=True)
        sweep = RunStoreCallback(url, durable=False)
        with sweep:
            study.optimize(sweep.track(objective), n_trials=last + 1 - len(study.trials), callbacks=[sweep])
        storage.engine.dispose()

    with open_reader(url) as reader:
        parent, trials = runs_of(reader)
        assert (parent.status, parent.attempt) == ("completed", 2)
        assert [run.tags["trial"] for run in trials] == ["0", "1", "2", "3", "4"]
        assert [run.tags["trial"] for run in trials if run.tags.get("best")] == ["2"]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_of_several_objectives_all_trials_that_no_other_one_beats_are_the_best(store: MemoryStore) -> None:
    values = [(1.0, 3.0), (3.0, 1.0), (3.0, 3.0)]
    sweep = RunStoreCallback(store=store)
    study = new_study(directions=["minimize", "minimize"])
    study.set_metric_names(["loss", "size"])

    with sweep:
        study.optimize(sweep.track(lambda trial: values[trial.number]), n_trials=3, callbacks=[sweep])

    _, trials = runs_of(store)
    assert [run.tags.get("best") for run in trials] == ["true", "true", None]
    assert {each.name for each in store.get_summaries(trials[0].id)} == {"loss", "size", "duration_s"}


def test_a_fixed_trial_is_no_run(store: MemoryStore) -> None:
    sweep = RunStoreCallback(store=store)

    assert sweep.track(lambda trial: trial.suggest_float("lr", 0.1, 0.2))(optuna.trial.FixedTrial({"lr": 0.15})) == 0.15
    assert store.search_runs().items == ()


def test_what_is_a_mistake_says_what_to_do(store: MemoryStore) -> None:
    sweep = RunStoreCallback(store=store)
    with pytest.raises(InvalidValueError, match="give the URL"):
        RunStoreCallback("memory://", store=store)
    with pytest.raises(InvalidValueError, match="no trial was begun"):
        _ = sweep.run
    with pytest.raises(InvalidValueError, match="give run_id"):
        sweep.run_id_of(0)

    with sweep:
        new_study(study_name="a").optimize(objective, n_trials=1, callbacks=[sweep])
        with pytest.raises(InvalidValueError, match="one for each study"):
            new_study(study_name="b").optimize(objective, n_trials=1, callbacks=[sweep])


def test_a_store_that_is_away_stops_no_trial(caplog: pytest.LogCaptureFixture) -> None:
    class Away(MemoryStore):
        def append(self, *_args: Any, **_options: Any) -> Any:
            raise StoreUnavailableError("the server is away")

        def change_run(self, *_args: Any, **_options: Any) -> Any:
            raise StoreUnavailableError("the server is away")

    with Away() as away:
        sweep, study = RunStoreCallback(store=away), new_study()
        with sweep:
            study.optimize(sweep.track(objective), n_trials=2, callbacks=[sweep])

        parent, trials = runs_of(away)
        assert [run.status for run in [parent, *trials]] == ["completed"] * 3
        assert "the server is away" in caplog.text


def test_the_blocks_of_the_page_about_sweeps_find_the_best_trial(capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks_of("docs/sweeps.md", "py"):
        if "hydra" not in block.text:
            exec(compile(block.text, block.name, "exec"), NAMES_OF_THE_PAGE)

    name, lr = capsys.readouterr().out.rsplit(maxsplit=1)
    study: Any = NAMES_OF_THE_PAGE["study"]
    assert name == f"trial {study.best_trial.number}"
    assert float(lr) == study.best_params["lr"]


NAMES_OF_THE_PAGE: dict[str, object] = {"__name__": "documentation"}

SCRIPT = """
import os, sys
import optuna
from runstore.optuna import RunStoreCallback

sweep = RunStoreCallback(sys.argv[1], durable=False, console=False)

@sweep.track
def objective(trial):
    if trial.number == 1 and "CRASH" in sys.argv:
        raise ValueError("no data")
    return 1.0

optuna.create_study(study_name="s").optimize(objective, n_trials=2, callbacks=[sweep])
"""


@pytest.mark.parametrize(
    ("arguments", "statuses"), [([], ["completed"] * 3), (["CRASH"], ["failed", "completed", "failed"])]
)
def test_without_a_block_the_end_of_the_process_ends_the_study(
    arguments: list[str], statuses: list[str], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"

    subprocess.run([sys.executable, "-c", SCRIPT, url, *arguments], capture_output=True, text=True, check=False)

    with open_store(url, durable=False) as store:
        parent, trials = runs_of(store)
    assert [run.status for run in [parent, *trials]] == statuses
