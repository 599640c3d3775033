"""Lightning's loggers, ours among them: each trains the same tiny model on one core."""

import logging
import os
import tempfile
import time
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger, WandbLogger
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.contestants.base import Contestant, Place
from runstore import open_reader
from runstore.lightning import RunStoreLogger


class NoLogger(Contestant):
    """The zero of the table."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        torch.set_num_threads(1)
        warnings.simplefilter("ignore")
        for name in ("pytorch_lightning", "lightning_fabric", "mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)

    def logger(self, folder: Path) -> Logger | bool:  # noqa: ARG002 - those that write files need it
        """A new logger, as a project makes it."""
        return False

    def train(self, steps: int) -> dict[str, float]:
        folder = Path(tempfile.mkdtemp(dir=self.directory))
        watch = _Stopwatch()
        options: dict[str, Any] = {"enable_progress_bar": False, "enable_model_summary": False}
        trainer = Trainer(
            logger=self.logger(folder),
            callbacks=[watch],
            max_epochs=1,
            log_every_n_steps=1,
            accelerator="cpu",
            enable_checkpointing=False,
            default_root_dir=folder,
            **options,
        )
        trainer.fit(_Tiny(), DataLoader(TensorDataset(torch.zeros(steps, 2)), batch_size=1))
        return {"clock_s": watch.clock_s, "work_s": watch.work_s}


class RunStore(NoLogger):
    """Ours, through its journal."""

    durable = True

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        os.environ["RUNSTORE_STATE_DIR"] = f"{self.directory}/state"

    def logger(self, folder: Path) -> Logger | bool:  # noqa: ARG002
        return RunStoreLogger(self.url, durable=self.durable)

    def is_stored(self, steps: int) -> bool:
        with closing(open_reader(self.url)) as reader:
            (newest,) = reader.search_runs(limit=1).items
            counts = {series.name: series.count for series in reader.get_summaries(newest.id)}
        return [counts[name] for name in ("loss", "error", "norm")] == [steps] * 3


class RunStoreBare(RunStore):
    """Ours, each call of the logger to the database."""

    durable = False


class Csv(NoLogger):
    def logger(self, folder: Path) -> Logger | bool:
        return CSVLogger(folder)


class TensorBoard(NoLogger):
    def logger(self, folder: Path) -> Logger | bool:
        return TensorBoardLogger(folder)


class Mlflow(NoLogger):
    def logger(self, folder: Path) -> Logger | bool:
        return MLFlowLogger(tracking_uri=f"sqlite:///{folder}/mlflow.db")


class Wandb(NoLogger):
    def logger(self, folder: Path) -> Logger | bool:
        return WandbLogger(save_dir=folder, offline=True)


class _Tiny(LightningModule):
    """One linear layer, three scalars a step."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        loss: torch.Tensor = self.layer(batch[0]).square().mean()
        value = loss.detach()
        self.log_dict({"train_loss": value, "train_error": value + 1, "train_norm": value + 2})
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


class _Stopwatch(Callback):
    """Seconds from the first step to the last, without set-up and end: by the clock and of this thread's work."""

    def __init__(self) -> None:
        self.clock_s = 0.0
        self.work_s = 0.0

    def on_train_start(self, *_: object) -> None:
        self.clock_s, self.work_s = -time.perf_counter(), -time.thread_time()

    def on_train_epoch_end(self, *_: object) -> None:
        self.clock_s += time.perf_counter()
        self.work_s += time.thread_time()
