"""Ctrl-C that a library swallows, and one that a program ignores."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytorch_lightning as pl

from pneumo_train.centralized import CentralizedTrainer
from pneumo_train.config.settings import TrainConfig
from runstore import RunStatus
from runstore.memory.store import MemoryStore

pytestmark = pytest.mark.training


class AtBatch(pl.Callback):
    """Does something when the second epoch begins, or at its validation; and counts the epochs."""

    def __init__(self, act: Callable[[], None], *, hook: str) -> None:
        self.epochs = 0
        self._act = act
        self._hook = hook

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        self.epochs += 1
        if self._hook == "train" and self.epochs == 2:
            self._act()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - as above
        if self._hook == "validation" and self.epochs == 2:
            self._act()


def press_and_swallow() -> None:
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    with MemoryStore() as opened:
        yield opened


def train(callback: pl.Callback, *, config: TrainConfig, store: MemoryStore, source: Path, folder: Path) -> None:
    trainer = CentralizedTrainer(
        checkpoint_dir=folder / "checkpoints", logs_dir=folder / "logs", store=store, config=config,
        callbacks=[callback], progress=False,
    )  # fmt: skip
    trainer.train(source, run_id="pressed")


@pytest.mark.parametrize("hook", ["train", "validation"])
def test_ctrl_c_that_a_library_swallows_ends_the_training_at_the_next_batch(
    hook: str, store: MemoryStore, tiny_config: TrainConfig, phantoms: Path, fast_path: Path
) -> None:
    seen = AtBatch(press_and_swallow, hook=hook)
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(seen, config=tiny_config, store=store, source=phantoms, folder=fast_path)

    run = store.get_run("pressed")
    assert run.status is RunStatus.INTERRUPTED
    assert len(store.get_history("pressed", "auroc", "validation")) == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_a_program_that_ignores_ctrl_c_trains_to_its_end(
    store: MemoryStore, tiny_config: TrainConfig, phantoms: Path, fast_path: Path
) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        train(
            AtBatch(lambda: os.kill(os.getpid(), signal.SIGINT), hook="train"),
            config=tiny_config, store=store, source=phantoms, folder=fast_path,
        )  # fmt: skip
        after = signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)

    assert store.get_run("pressed").status is RunStatus.COMPLETED
    assert after is signal.SIG_IGN
