"""One run over fit, test and fit again, and the truth about how it ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.demos.boring_classes import BoringModel
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.tuner.tuning import Tuner

from lightning_logger.models import Model, StoppedModel
from runstore.errors import ConflictError, SettingsError
from runstore.lightning import RunStoreCallback, RunStoreLogger
from runstore.memory.store import MemoryStore
from runstore.opening.stores import open_store
from support import lightning_signals

pytestmark = pytest.mark.training

MakeTrainer = Callable[..., Trainer]


def raises(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_fit_and_test_are_one_completed_run_with_all_metrics(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    logger = RunStoreLogger(store=store, experiment="e")
    trainer = make_trainer(logger=logger, max_epochs=2)
    model = Model()

    trainer.fit(model)
    trainer.test(model, verbose=False)

    (run,) = store.search_runs().items
    series = {(s.name, str(s.dataset_type)): s.count for s in store.get_summaries(run.id)}
    assert (run.id, run.status, run.attempt) == (logger.run_id, "completed", 1)
    assert series == {
        ("loss_step", "train"): 4,
        ("loss_epoch", "train"): 2,
        ("score", "validation"): 2,
        ("acc", "test"): 1,
        ("epoch", "other"): 5,
    }
    assert list(store.get_history(run.id, "epoch", "other").values) == [0.0, 0.0, 1.0, 1.0, 2.0]
    assert store.get_config(run.id) == {"lr": 0.1}


def test_a_completed_fit_is_completed_in_the_store_before_the_process_ends(
    store: MemoryStore, make_trainer: MakeTrainer
) -> None:
    logger = RunStoreLogger(store=store)

    make_trainer(logger=logger).fit(Model())

    assert store.get_run(logger.run_id).status == "completed"


def test_a_fit_that_goes_on_is_the_next_attempt_of_the_same_run(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    logger = RunStoreLogger(store=store)
    during: list[str] = []
    trainer = make_trainer(logger=logger)
    trainer.fit(Model())

    trainer.fit_loop.max_epochs = 2
    trainer.fit(StoppedModel(lambda: during.append(store.get_run(logger.run_id).status)))

    (run,) = store.search_runs().items
    assert during == ["in_progress"]
    assert (run.status, run.attempt) == ("completed", 2)
    assert list(store.get_history(run.id, "loss_step", "train").steps) == [0, 1, 2, 3]


def test_a_run_is_in_progress_before_the_first_step(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    logger = RunStoreLogger(store=store)
    seen: list[str] = []

    class Look(Callback):
        def on_train_batch_start(self, *_: Any) -> None:
            seen.append(store.get_run(logger.run_id).status)

    make_trainer(logger=logger, callbacks=[Look()]).fit(Model())

    assert seen == ["in_progress", "in_progress"]


def test_an_error_ends_the_run_as_failed_with_type_message_and_traceback(
    store: MemoryStore, make_trainer: MakeTrainer
) -> None:
    logger = RunStoreLogger(store=store)

    with pytest.raises(ZeroDivisionError):
        make_trainer(logger=logger).fit(StoppedModel(lambda: 1 // 0))

    run = store.get_run(logger.run_id)
    assert run.status == "failed"
    assert run.failure is not None
    assert (run.failure.type, run.failure.message) == ("ZeroDivisionError", "integer division or modulo by zero")
    assert "training_step" in run.failure.traceback


def test_ctrl_c_ends_the_run_as_interrupted(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    logger = RunStoreLogger(store=store)
    handler = signal.getsignal(signal.SIGINT)

    with pytest.raises(SystemExit):
        make_trainer(logger=logger).fit(StoppedModel(raises(KeyboardInterrupt())))
    signal.signal(signal.SIGINT, handler)

    assert store.get_run(logger.run_id).status == "interrupted"


def test_sigterm_ends_the_run_as_interrupted(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    logger = RunStoreLogger(store=store)

    with pytest.raises(SystemExit):
        make_trainer(logger=logger).fit(StoppedModel(lambda: os.kill(os.getpid(), signal.SIGTERM)))

    run = store.get_run(logger.run_id)
    assert run.status == "interrupted"
    assert run.failure is not None
    assert run.failure.type.endswith("SIGTERMException")


def test_a_slurm_requeue_is_an_interruption_called_preempted_and_reopened_by_the_next_attempt(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store)
    trainer = make_trainer(logger=logger)
    checkpoint = tmp_path / "hpc_ckpt_1.ckpt"

    def be_requeued() -> None:
        logger.finalize("finished")
        trainer.save_checkpoint(checkpoint)
        raise SystemExit(128 + signal.SIGTERM)

    with pytest.raises(SystemExit):
        trainer.fit(StoppedModel(be_requeued))
    preempted = store.get_run(logger.run_id)
    make_trainer(logger=RunStoreLogger(store=store)).fit(Model(), ckpt_path=checkpoint)

    (run,) = store.search_runs().items
    assert preempted.status == "interrupted"
    assert preempted.failure is not None
    assert preempted.failure.type == "Preempted"
    assert (run.id, run.status, run.attempt) == (logger.run_id, "completed", 2)


def test_a_test_that_fails_after_a_good_fit_makes_the_run_failed(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    logger = RunStoreLogger(store=store)
    model = StoppedModel(raises(ValueError("bad test set")), in_test=True)
    trainer = make_trainer(logger=logger)
    trainer.fit(model)

    with pytest.raises(ValueError, match="bad test set"):
        trainer.test(model, verbose=False)

    run = store.get_run(logger.run_id)
    assert run.status == "failed"
    assert run.failure is not None
    assert run.failure.message == "bad test set"


def test_a_good_test_after_a_failed_fit_leaves_it_failed(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    logger = RunStoreLogger(store=store)
    with pytest.raises(ZeroDivisionError):
        make_trainer(logger=logger).fit(StoppedModel(lambda: 1 // 0))

    make_trainer(logger=logger).test(Model(), verbose=False)

    assert store.get_run(logger.run_id).status == "failed"
    assert store.get_history(logger.run_id, "acc", "test").values[0] == 0.75


def test_an_error_before_the_first_step_is_told_too(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    logger = RunStoreLogger(store=store)

    class Unready(Model):
        def setup(self, stage: str) -> None:
            raise RuntimeError(f"no data for {stage}")

    with pytest.raises(RuntimeError, match="no data for"):
        make_trainer(logger=logger).fit(Unready())

    assert store.get_run(logger.run_id).status == "failed"


def test_a_mistake_in_the_settings_is_raised_before_training(make_trainer: MakeTrainer) -> None:
    steps: list[int] = []

    with pytest.raises(SettingsError):
        make_trainer(logger=RunStoreLogger("no url at all")).fit(StoppedModel(lambda: steps.append(1)))

    assert steps == []


def test_a_store_that_cannot_be_reached_does_not_stop_training(make_trainer: MakeTrainer) -> None:
    logger = RunStoreLogger("postgresql://nobody:secret@127.0.0.1:1/none?connect_timeout=1", durable=False)
    trainer = make_trainer(logger=logger)

    trainer.fit(Model())

    assert trainer.state.finished
    assert logger.experiment.failures > 0
    assert "secret" not in repr(logger.experiment.last_error)


def test_several_loggers_work_side_by_side(store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path) -> None:
    other = MemoryStore()
    ours, theirs, again = (
        RunStoreLogger(store=store, save_dir=tmp_path),
        CSVLogger(tmp_path),
        RunStoreLogger(store=other, save_dir=tmp_path),
    )

    make_trainer(logger=[theirs, ours, again]).fit(Model())

    assert store.get_run(ours.run_id).status == "completed"
    assert other.get_run(again.run_id).status == "completed"
    assert (Path(theirs.log_dir) / "metrics.csv").exists()


def test_fast_dev_run_writes_nothing(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    make_trainer(logger=RunStoreLogger(store=store), fast_dev_run=True).fit(Model())

    assert store.search_runs().items == ()


def test_the_learning_rate_finder_writes_nothing_and_leaves_the_logger(
    store: MemoryStore, make_trainer: MakeTrainer
) -> None:
    logger = RunStoreLogger(store=store)
    trainer = make_trainer(logger=logger, limit_train_batches=10)

    Tuner(trainer).lr_find(Model(), num_training=3)

    assert trainer.logger is logger
    assert store.search_runs().items == ()


@pytest.mark.parametrize("stage", ["validate", "test", "predict"])
def test_a_stage_without_fit_is_a_run_too(store: MemoryStore, make_trainer: MakeTrainer, stage: str) -> None:
    logger = RunStoreLogger(store=store)

    getattr(make_trainer(logger=logger), stage)(BoringModel())

    assert store.get_run(logger.run_id).status == "completed"


def test_an_explicit_run_id_continues_that_run(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    first = RunStoreLogger(store=store, experiment="e")
    make_trainer(logger=first).fit(Model())

    make_trainer(logger=RunStoreLogger(store=store, experiment="e", run_id=first.run_id)).fit(Model())

    (run,) = store.search_runs().items
    assert (run.status, run.attempt) == ("completed", 2)


@pytest.mark.parametrize("how", ["fit", "test", "by hand"])
def test_an_explicit_run_id_alone_goes_on_in_the_experiment_that_has_the_run(
    store: MemoryStore, make_trainer: MakeTrainer, how: str
) -> None:
    experiment_id = store.get_or_create_experiment("ct-seg")
    run_id = store.ensure_run(experiment_id)
    logger = RunStoreLogger(store=store, run_id=run_id)

    if how == "by hand":
        logger.log_metrics({"loss": 0.5})
    else:
        getattr(make_trainer(logger=logger), how)(Model())

    assert [run.experiment_id for run in store.search_runs().items] == [experiment_id]
    assert [each.name for each in store.list_experiments().items] == ["ct-seg"]
    assert store.get_summaries(run_id)


def test_an_explicit_run_id_is_refused_under_another_experiment_that_was_named(
    store: MemoryStore, make_trainer: MakeTrainer
) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("ct-seg"))

    with pytest.raises(ConflictError, match="experiment"):
        make_trainer(logger=RunStoreLogger(store=store, run_id=run_id, experiment="default")).fit(Model())


def test_a_test_of_somebody_elses_run_adds_to_it_and_leaves_its_status(
    store: MemoryStore, make_trainer: MakeTrainer
) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("e"))  # another process is training it

    make_trainer(logger=RunStoreLogger(store=store, experiment="e", run_id=run_id)).test(Model(), verbose=False)

    assert store.get_run(run_id).status == "in_progress"
    assert list(store.get_history(run_id, "acc", "test").values) == [0.75]


def test_a_test_under_a_new_id_of_the_users_is_a_run_that_ends(store: MemoryStore, make_trainer: MakeTrainer) -> None:
    make_trainer(logger=RunStoreLogger(store=store, run_id="mine")).test(Model(), verbose=False)

    assert store.get_run("mine").status == "completed"


class Broken(CSVLogger):
    def finalize(self, status: str) -> None:
        raise RuntimeError(f"cannot be {status}")


def test_a_logger_that_fails_before_ours_does_not_hide_the_end(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    logger = RunStoreLogger(store=store)

    with pytest.raises(RuntimeError, match="cannot be failed"):
        make_trainer(logger=[Broken(tmp_path), logger]).fit(StoppedModel(lambda: 1 // 0))

    run = store.get_run(logger.run_id)
    assert run.status == "failed"
    assert run.failure is not None
    assert run.failure.type == "ZeroDivisionError"


def test_no_test_leaves_a_handler_of_lightning_to_those_after_it(
    store: MemoryStore, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGTERM)

    for _ in range(2):
        with pytest.raises(RuntimeError, match="cannot be failed"):
            make_trainer(logger=[Broken(tmp_path), RunStoreLogger(store=store)]).fit(StoppedModel(lambda: 1 // 0))

    assert signal.getsignal(signal.SIGTERM) is not before
    lightning_signals.let_go()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_trainer_made_before_the_logger_was_imported_gets_the_callback(
    store: MemoryStore, make_trainer: MakeTrainer
) -> None:
    logger = RunStoreLogger(store=store)
    trainer = make_trainer(logger=logger)
    callbacks: list[object] = vars(trainer)["callbacks"]
    callbacks[:] = [callback for callback in callbacks if not isinstance(callback, RunStoreCallback)]

    trainer.fit(Model())

    assert sum(isinstance(callback, RunStoreCallback) for callback in callbacks) == 1


def test_a_program_without_our_logger_does_not_even_load_it() -> None:
    code = (
        "import sys; from runstore.lightning_entry import callbacks; "
        "print(callbacks(), [m for m in sys.modules if m.startswith(('runstore.lightning.', 'lightning', 'torch'))])"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[] []"


def test_the_other_lightning_works_as_well_and_alone(tmp_path: Path) -> None:
    pytest.importorskip("lightning.pytorch", reason="the distribution 'lightning' is not installed")
    script = tmp_path / "train.py"
    script.write_text(
        "import sys, torch\n"
        "torch.set_num_threads(1)\n"
        "from lightning.pytorch import Trainer\n"
        "from lightning.pytorch.demos.boring_classes import BoringModel\n"
        "from lightning.pytorch.loggers import Logger\n"
        "from runstore.lightning import RunStoreLogger\n"
        f"logger = RunStoreLogger('sqlite:///{tmp_path}/runs.db', save_dir={str(tmp_path)!r}, durable=False)\n"
        "assert isinstance(logger, Logger)\n"
        "Trainer(logger=logger, max_steps=1, limit_val_batches=1, accelerator='cpu').fit(BoringModel())\n"
        "assert 'pytorch_lightning' not in sys.modules\n"
        "print(logger.run_id)\n"
    )

    answer = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert answer.returncode == 0, answer.stderr
    with open_store(f"sqlite:///{tmp_path}/runs.db", durable=False) as store:
        assert store.get_run(answer.stdout.split()[-1]).status == "completed"


def test_both_lightnings_take_it_for_their_own_whichever_is_imported_first(tmp_path: Path) -> None:
    package = tmp_path / "lightning" / "pytorch" / "loggers"  # in place of the other distribution, which is large
    package.mkdir(parents=True)
    for folder in (package.parent.parent, package.parent):
        (folder / "__init__.py").touch()
    (package / "__init__.py").write_text(
        "from abc import ABC\nclass Logger(ABC): pass\nclass CSVLogger(Logger): pass\n"
    )
    script = tmp_path / "train.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "import pytorch_lightning\n"
        "from runstore.lightning import RunStoreLogger\n"
        "assert 'lightning.pytorch.loggers' not in sys.modules\n"
        "import lightning.pytorch.loggers as theirs\n"
        "assert issubclass(RunStoreLogger, theirs.Logger)\n"
        "assert issubclass(RunStoreLogger, pytorch_lightning.loggers.Logger)\n"
        "assert theirs.__spec__.loader.__class__.__name__ == 'SourceFileLoader'\n"
    )

    answer = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stderr


def test_both_real_lightnings_train_with_it_whichever_is_imported_first(tmp_path: Path) -> None:
    pytest.importorskip("lightning.pytorch", reason="the distribution 'lightning' is not installed")
    script = tmp_path / "train.py"
    script.write_text(
        "from runstore.lightning import RunStoreLogger\n"
        "from pytorch_lightning.cli import LightningCLI\n"
        "from pytorch_lightning.demos.boring_classes import BoringDataModule, BoringModel\n"
        "logger = {'class_path': 'runstore.lightning.RunStoreLogger', 'init_args': {'url': 'sqlite:///runs.db'}}\n"
        "defaults = {'logger': logger, 'max_steps': 1, 'limit_val_batches': 0, 'accelerator': 'cpu'}\n"
        "LightningCLI(BoringModel, BoringDataModule, trainer_defaults=defaults, args=['fit'])\n"
    )

    answer = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert answer.returncode == 0, answer.stderr
    with open_store(f"sqlite:///{tmp_path}/runs.db", durable=False) as store:
        assert [run.status for run in store.search_runs().items] == ["completed"]
