"""Checkpoint files that are whole or not there, and which of them is the best one, whenever training is stopped."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from pneumo_train.config.monitored import require_logged
from runstore.local.whole_files import replacing


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The best checkpoint: its file, what it scored, and when it was made (epochs counted from 0)."""

    path: Path
    monitor: str
    mode: str
    score: float
    epoch: int
    step: int


class WholeFileIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place and renames it.

    Lightning writes to the system's temporary folder and moves the file, which is a copy where that folder is on
    another file system: a signal or a full disk in the middle of it leaves half a checkpoint under the final name, or
    half a ``last.ckpt`` in the place of the whole one before.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Writes the checkpoint; called by Lightning."""
        final = Path(path)
        with replacing(final, by=final.with_name(f"{final.name}.partial")) as partial:
            super().save_checkpoint(checkpoint, partial, storage_options)


class BestCheckpoints(ModelCheckpoint):
    """Keeps the best ones, and knows the best that is on disk also while a better one is being written."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._before: tuple[str, torch.Tensor | None] = ("", None)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Saves one of the best. Lightning says in words of its own that a metric is missing, or not at all.

        Raises:
            ConfigError: nothing has logged the metric that picks the best.
        """
        require_logged(str(self.monitor), trainer.callback_metrics)
        super().on_train_epoch_end(trainer, pl_module)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Takes note of the best file: Lightning names a better one before it is written."""
        super().on_train_epoch_start(trainer, pl_module)
        self._before = (self.best_model_path, self.best_model_score)

    def check_monitor_top_k(self, trainer: pl.Trainer, current: torch.Tensor | None = None) -> bool:
        """Whether a score is among the best. NaN and infinity never are: Lightning keeps them while there is room."""
        return current is not None and bool(torch.isfinite(current)) and super().check_monitor_top_k(trainer, current)

    def best(self) -> Checkpoint | None:
        """The best checkpoint that is on disk, or ``None`` before the first one is."""
        for path, score in ((self.best_model_path, self.best_model_score), self._before):
            if path and score is not None and Path(path).is_file():
                # A file of our own, written a moment ago: nothing foreign is unpickled.
                content = torch.load(path, map_location="cpu", weights_only=False)
                return Checkpoint(
                    path=Path(path),
                    monitor=str(self.monitor),
                    mode=self.mode,
                    score=float(score),
                    epoch=int(content["epoch"]),
                    step=int(content["global_step"]),
                )
        return None


def file_name_for(monitor: str) -> str:
    """The pattern of the best checkpoints' names: epoch and score, with what of the metric's name a file may be called."""
    name = re.sub(r"[^\w.-]+", "-", monitor)
    score = f"{{{monitor}:.4f}}" if re.fullmatch(r"[\w./ -]+", monitor) else ""
    return f"epoch{{epoch:03d}}-{name}{score}"
