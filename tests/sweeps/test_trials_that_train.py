"""A trial whose training has a logger or a callback of its own: both write to the trial's run, and one end is told."""

from pathlib import Path
from typing import Any

import pytest

optuna = pytest.importorskip("optuna")
NOISY = ("lightning", "pytorch_lightning", "torch", "transformers", "accelerate")
pytestmark = [pytest.mark.training, *(pytest.mark.filterwarnings(f"ignore::Warning:{name}") for name in NOISY)]

from pytorch_lightning import Callback, Trainer  # noqa: E402

from huggingface.tiny import tiny_trainer  # noqa: E402
from lightning_logger.models import Model  # noqa: E402
from runstore.lightning import RunStoreLogger  # noqa: E402
from runstore.memory.store import MemoryStore  # noqa: E402
from runstore.optuna import RunStoreCallback  # noqa: E402


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    optuna.logging.set_verbosity(optuna.logging.ERROR)


class Prunes(Callback):
    """Stops a training after its first epoch, as the callbacks of Optuna do."""

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002 - the hook's face
        raise optuna.TrialPruned("not worth it")


def test_a_lightning_trainer_in_a_trial_writes_to_the_trials_run_and_is_pruned_with_it() -> None:
    with MemoryStore() as store:
        sweep, study = RunStoreCallback(store=store, console=False), optuna.create_study()

        @sweep.track
        def objective(trial: Any) -> float:
            model = Model(lr=trial.suggest_float("lr", 0.01, 0.02))
            Trainer(
                logger=RunStoreLogger(store=store, run_id=sweep.run.id),
                callbacks=[Prunes()] if trial.number == 1 else [],
                max_epochs=1,
                limit_train_batches=2,
                limit_val_batches=1,
                log_every_n_steps=1,
                accelerator="cpu",
                enable_progress_bar=False,
                enable_model_summary=False,
            ).fit(model)
            return 1.0

        with sweep:
            study.optimize(objective, n_trials=2, callbacks=[sweep])

        completed, pruned = (store.get_run(sweep_run) for sweep_run in trials_of(store))
        assert (completed.status, pruned.status) == ("completed", "interrupted")
        assert (completed.attempt, pruned.attempt) == (1, 1)
        assert pruned.failure is not None
        assert pruned.failure.type == "optuna.exceptions.TrialPruned"
        assert store.get_config(completed.id)["lr"] == study.trials[0].params["lr"]
        assert list(store.get_history(completed.id, "loss_step", "train").steps) == [0, 1]


def test_a_trainer_of_hugging_face_in_a_trial_writes_to_the_trials_run(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    from runstore.huggingface import RunStoreCallback as TrainerCallback  # noqa: PLC0415 - only where it is installed

    assert transformers
    with MemoryStore() as store:
        sweep = RunStoreCallback(store=store, console=False)

        @sweep.track
        def objective(trial: Any) -> float:
            callback = TrainerCallback(store=store, run_id=sweep.run.id)
            trainer = tiny_trainer(tmp_path, callback, learning_rate=trial.suggest_float("learning_rate", 0.01, 0.02))
            trainer.train()
            return float(trainer.evaluate()["eval_loss"])

        with sweep:
            optuna.create_study().optimize(objective, n_trials=1, callbacks=[sweep])

        (run_id,) = trials_of(store)
        run = store.get_run(run_id)
        assert (run.status, run.attempt) == ("completed", 1)
        assert list(store.get_history(run.id, "loss", "validation").steps) == [2, 4]
        assert store.get_history(run.id, "value", "other").values[0] > 0


def trials_of(store: MemoryStore) -> list[str]:
    runs = [run for run in store.search_runs().items if run.parent_run_id is not None]
    return [run.id for run in sorted(runs, key=lambda run: run.tags["trial"])]
