"""A training that was cut off goes on from its last checkpoint, and ends as if it had never been stopped."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from pneumo_train.centralized import CentralizedTrainer
from pneumo_train.cli import main
from pneumo_train.config.settings import TrainConfig, as_dict, load_config
from pneumo_train.errors import ConfigError, DataError, InUseError
from pneumo_train.fitting.alone import LOCK
from pneumo_train.fitting.examined import Examined
from pneumo_train.fitting.last import Origin
from pneumo_train.result import BEST_CHECKPOINT, TrainingResult
from runstore import RunStatus, open_reader
from runstore.memory.store import MemoryStore

pytestmark = pytest.mark.training

FOUR = {"training.max_epochs": 4, "model.architecture": "small", "training.early_stopping_patience": 0}

TrainerOf = Callable[..., CentralizedTrainer]


class CutError(Exception):
    """What cuts a training off."""


class CutIn(pl.Callback):
    """Cuts a training off in an epoch, before its second batch; in the order of calls before all others."""

    def __init__(self, epoch: int, *, hook: str = "on_train_batch_start") -> None:
        self._epoch = epoch
        setattr(self, hook, self._cut)

    def _cut(self, trainer: pl.Trainer, *rest: Any) -> None:
        if trainer.current_epoch == self._epoch and not trainer.sanity_checking and (not rest or rest[-1] != 0):
            raise CutError


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as opened:
        yield opened


@pytest.fixture
def trainer_of(store: MemoryStore, tiny_config: TrainConfig, fast_path: Path) -> TrainerOf:
    def make(*callbacks: pl.Callback, folder: str = "checkpoints", **overrides: object) -> CentralizedTrainer:
        return CentralizedTrainer(
            checkpoint_dir=fast_path / folder,
            logs_dir=fast_path / "logs",
            store=store,
            config=load_config(overrides={**FOUR, **overrides}, base=tiny_config),
            callbacks=callbacks,
        )

    return make


def weights_of(result: TrainingResult) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = torch.load(result.best_model_path, weights_only=True)["state_dict"]
    return weights


def assert_same(resumed: TrainingResult, whole: TrainingResult) -> None:
    """All that a training gives, to the last bit."""
    assert resumed.metrics_history == whole.metrics_history
    assert resumed.final_metrics == whole.final_metrics
    assert (resumed.best_epoch, resumed.total_epochs_trained, resumed.global_step) == (
        whole.best_epoch,
        whole.total_epochs_trained,
        whole.global_step,
    )
    assert Path(resumed.best_model_path).name == Path(whole.best_model_path).name
    theirs = weights_of(whole)
    assert all(torch.equal(value, theirs[name]) for name, value in weights_of(resumed).items())


@pytest.mark.parametrize(
    "overrides",
    [
        {"optimizer.reduce_lr_patience": 1, "loss.balanced_batches": True},
        {
            "optimizer.schedule": "cosine",
            "optimizer.warmup_epochs": 1,
            "optimizer.ema_decay": 0.9,
            "loss.mixup_alpha": 0.4,
            "training.num_workers": 1,
        },
    ],
)
def test_a_training_that_goes_on_ends_with_the_figures_and_weights_of_one_that_was_never_stopped(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore, overrides: dict[str, object]
) -> None:
    whole = trainer_of(**overrides).train(phantoms)
    for epoch in (1, 3):
        with pytest.raises(CutError):
            trainer_of(CutIn(epoch), **overrides).train(phantoms, run_id="cut", resume=True)

    resumed = trainer_of(**overrides | {"training.num_workers": 0}).train(phantoms, run_id="cut", resume=True)

    run = store.get_run("cut")
    assert_same(resumed, whole)
    assert (run.status, run.attempt) == (RunStatus.COMPLETED, 3)
    for series in store.get_summaries(whole.run_id):
        kept, theirs = (store.get_history(each, series.name, series.dataset_type) for each in ("cut", whole.run_id))
        assert (list(kept.steps), list(kept.values)) == (list(theirs.steps), list(theirs.values)), series.name


def test_a_training_that_was_cut_off_between_its_validation_and_its_last_checkpoint_trains_that_epoch_again(
    trainer_of: TrainerOf, phantoms: Path, fast_path: Path
) -> None:
    whole = trainer_of(**{"training.save_top_k": 2}).train(phantoms, run_id="whole")
    cut = CutIn(2, hook="on_train_epoch_start")
    with pytest.raises(CutError):
        trainer_of(cut, **{"training.save_top_k": 2}).train(phantoms, run_id="cut")

    resumed = trainer_of(**{"training.save_top_k": 2}).train(phantoms, run_id="cut", resume=True)

    assert_same(resumed, whole)
    left, theirs = (
        sorted(path.name for path in (fast_path / "checkpoints" / run_id).iterdir()) for run_id in ("cut", "whole")
    )
    assert left == theirs


def test_a_training_that_was_over_when_it_was_cut_off_is_only_brought_to_its_end(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore
) -> None:
    stopping = {"training.max_epochs": 9, "training.early_stopping_patience": 1, "training.early_stopping_min_delta": 1}
    whole = trainer_of(**stopping).train(phantoms)
    with pytest.raises(CutError):
        trainer_of(CutIn(2, hook="on_fit_end"), **stopping).train(phantoms, run_id="cut")

    resumed = trainer_of(CutIn(0), CutIn(1), CutIn(2), **stopping).train(phantoms, run_id="cut", resume=True)

    assert whole.total_epochs_trained == 2
    assert_same(resumed, whole)
    assert store.get_run("cut").status is RunStatus.COMPLETED


def test_a_folder_of_checkpoints_that_was_moved_is_gone_on_from(
    trainer_of: TrainerOf, phantoms: Path, fast_path: Path
) -> None:
    whole = trainer_of().train(phantoms)
    with pytest.raises(CutError):
        trainer_of(CutIn(2)).train(phantoms, run_id="cut")
    shutil.move(fast_path / "checkpoints" / "cut", fast_path / "elsewhere" / "cut")

    resumed = trainer_of(folder="elsewhere").train(phantoms, run_id="cut", resume=True)

    assert_same(resumed, whole)
    assert not (fast_path / "checkpoints" / "cut").exists()


def test_a_killed_process_is_gone_on_from_by_the_same_command(phantoms: Path, tmp_path: Path, fast_path: Path) -> None:
    url, options = f"sqlite:///{tmp_path / 'runs.db'}", [f"--source={phantoms}", "--data.image_size=32"]
    options += [f"--{key}={value}" for key, value in FOUR.items()]
    options += ["--data.patient_column=source_patient", "--training.batch_size=8", "--training.threads=1"]
    options += ["--training.accelerator=cpu", "--progress=false", f"--store={url}", "--resume=true"]
    program = tmp_path / "train.py"
    program.write_text(
        textwrap.dedent(
            """
            import os, signal, sys
            from pneumo_train.cli import main
            from pneumo_train.network.classifier import LitClassifier

            step = LitClassifier.training_step

            def kill_in_the_middle(self, batch, number):
                if self.current_epoch == 2 and number == 1:
                    os.kill(os.getpid(), signal.SIGKILL)
                return step(self, batch, number)

            if sys.argv[1] == "killed":
                LitClassifier.training_step = kill_in_the_middle
            sys.exit(main(["fit", *sys.argv[2:]]))
            """
        ),
        encoding="utf-8",
    )

    def run(how: str, run_id: str) -> int:
        environment = {**os.environ, "RUNSTORE_STATE_DIR": str(fast_path / "state")}
        command = [sys.executable, str(program), how, *options, f"--run_id={run_id}"]
        return subprocess.run(command, cwd=fast_path, env=environment, capture_output=True, check=False).returncode

    assert run("whole", "whole") == 0
    assert run("killed", "cut") == -signal.SIGKILL
    assert run("resumed", "cut") == 0

    def table(run_id: str) -> Any:
        (path,) = (fast_path / "results" / "training_logs").glob(f"*_{run_id}_metrics.json")
        return json.loads(path.read_text(encoding="utf-8"))["epochs"]

    assert table("cut") == table("whole")
    with open_reader(url) as reader:
        runs = [reader.get_run(run_id) for run_id in ("whole", "cut")]
        assert [(each.status, each.attempt) for each in runs] == [(RunStatus.COMPLETED, 1), (RunStatus.COMPLETED, 2)]
        best = [
            next(each.metadata for each in reader.list_artifacts(run.id) if each.name == BEST_CHECKPOINT)
            for run in runs
        ]
    assert best[0] == best[1]


def test_a_run_that_has_not_begun_is_begun(trainer_of: TrainerOf, phantoms: Path, store: MemoryStore) -> None:
    trainer_of(**{"training.max_epochs": 1}).train(phantoms, run_id="new", resume=True)

    assert (store.get_run("new").status, store.get_run("new").attempt) == (RunStatus.COMPLETED, 1)


def test_what_cannot_be_gone_on_with_is_an_error_that_changes_nothing(
    trainer_of: TrainerOf, phantoms: Path, store: MemoryStore, fast_path: Path, tmp_path: Path
) -> None:
    with pytest.raises(CutError):
        trainer_of(CutIn(2)).train(phantoms, run_id="cut")
    before = store.get_run("cut")
    relabelled = tmp_path / "relabelled"
    shutil.copytree(phantoms, relabelled)
    film = next(relabelled.rglob("*.png"))
    film.write_bytes(next(path for path in sorted(relabelled.rglob("*.png")) if path != film).read_bytes())

    def refused(error: type[Exception], message: str, source: Path = phantoms, **how: Any) -> None:
        run_id = how.pop("run_id", "cut")
        with pytest.raises(error, match=message):
            trainer_of(**how).train(source, run_id=run_id, resume=True)

    faster: dict[str, Any] = {"optimizer.learning_rate": 0.5}
    refused(ConfigError, r"optimizer\.learning_rate = 0\.5: the run 'cut' was begun with 0\.001", **faster)
    refused(ConfigError, "has validated 2 epochs, and no checkpoint to go on from lies at", folder="empty")
    refused(DataError, "was begun with other images, labels or patients", relabelled)
    refused(ConfigError, "wants the run to go on with", run_id=None)
    shutil.copytree(fast_path / "checkpoints" / "cut", fast_path / "checkpoints" / "other")
    refused(ConfigError, "is of the run 'cut'", run_id="other")
    (fast_path / "checkpoints" / "other" / "last.ckpt").write_bytes(b"half a file")
    refused(ConfigError, "is no checkpoint that a training can go on from", run_id="other")

    assert store.get_run("cut") == before
    trainer_of().train(phantoms, run_id="cut", resume=True)
    refused(ConfigError, "this run has completed; there is nothing to go on with")


def test_a_key_that_the_configuration_did_not_have_when_a_run_was_begun_was_at_its_default(
    tiny_config: TrainConfig,
) -> None:
    begun = as_dict(tiny_config)
    del begun["model"]["norm"]
    origin = Origin(run_id="old", config=begun, split="a", data_set="b")

    origin.require_same_training(Path("last.ckpt"), "old", as_dict(tiny_config), "a")
    other = load_config(overrides={"model.norm": "group"}, base=tiny_config)
    with pytest.raises(ConfigError, match=r"model\.norm = 'group': the run 'old' was begun with 'batch'"):
        origin.require_same_training(Path("last.ckpt"), "old", as_dict(other), "a")


def test_a_run_that_one_process_trains_is_refused_to_a_second_one(
    trainer_of: TrainerOf, phantoms: Path, fast_path: Path
) -> None:
    refusals: list[str] = []

    class Second(pl.Callback):
        def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
            with pytest.raises(InUseError) as refused:
                trainer_of().train(phantoms, run_id="one", resume=True)
            refusals.append(str(refused.value))

    result = trainer_of(Second(), **{"training.max_epochs": 1}).train(phantoms, run_id="one")

    assert len(refusals) == 1
    assert "another process is training this run" in refusals[0]
    assert result.total_epochs_trained == 1
    assert not (fast_path / "checkpoints" / "one" / LOCK).exists()


def test_what_is_refused_before_training_leaves_no_folder(
    trainer_of: TrainerOf, phantoms: Path, fast_path: Path
) -> None:
    with pytest.raises(ConfigError, match="weights_path"):
        trainer_of(**{"model.weights_path": "nowhere.pth"}).train(phantoms, run_id="refused", resume=True)

    assert not (fast_path / "checkpoints").exists()


def test_a_completed_run_whose_test_part_is_not_kept_names_the_command_that_keeps_it(
    phantoms: Path, fast_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(fast_path)
    store = ["--store", f"sqlite:///{tmp_path / 'runs.db'}"]
    options = [f"--{key}={value}" for key, value in {**FOUR, "training.max_epochs": 1}.items()]
    options += ["--data.image_size=32", "--data.patient_column=source_patient", "--data.test_fraction=0.3"]
    options += ["--training.threads=1", "--training.accelerator=cpu", "--evaluation.bootstrap_draws=50"]
    fit = ["fit", "--source", str(phantoms), "--run_id=cut", "--resume=true", "--progress=false", *store, *options]
    with monkeypatch.context() as patch:
        patch.setattr(Examined, "keep_test", _cut)
        with pytest.raises(CutError):
            main(fit)
    capsys.readouterr()

    refused = main(fit)
    told = " ".join(capsys.readouterr().err.split())
    command = shlex.split(told[told.index("pneumo-train evaluate") :])
    evaluated = main([*command[1:], "--progress=false", *store])
    capsys.readouterr()
    again = main(fit)

    assert (refused, evaluated, again) == (2, 0, 2)
    assert command[:3] == ["pneumo-train", "evaluate", "cut"]
    assert "there is nothing to go on with" in " ".join(capsys.readouterr().err.split())
    with open_reader(store[1]) as reader:
        (child,) = reader.iter_runs("parent = 'cut'")
    assert (child.name, child.status) == ("evaluation: test", RunStatus.COMPLETED)


def _cut(*_: Any) -> bool:
    raise CutError
