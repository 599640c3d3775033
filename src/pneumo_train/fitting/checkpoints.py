"""Checkpoint files that are whole or not there, and which of them is the best one, whenever training is stopped."""

import dataclasses
import re
import sys
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

    Lightning writes to memory, then to the system's temporary folder, and moves the file, which is a copy where that folder
    is on another file system: a signal or a full disk in the middle of it leaves half a checkpoint under the final name, or
    half a ``last.ckpt`` in the place of the whole one before. Straight to the file costs a third of the processor's time.

    What is no longer among the best is removed by :meth:`sweep` alone, to be called when the last checkpoint is written: the
    one before still names it, and a training that goes on from there finds it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._left: list[Path] = []

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:  # noqa: ARG002 - the hook's signature
        """Writes the checkpoint; called by Lightning."""
        final = Path(path)
        final.parent.mkdir(parents=True, exist_ok=True)
        with replacing(final, by=final.with_name(f"{final.name}.partial")) as partial, partial.open("wb") as file:
            outer = sys.exception()
            try:
                torch.save(checkpoint, file)
            except RuntimeError as error:
                # Whatever ends a write, torch says "unexpected pos". What the disk has said, or who has stopped us, comes before.
                inner = error.__context__
                if inner is not outer and (isinstance(inner, OSError) or not isinstance(inner, Exception | None)):
                    raise inner from None
                raise

    def load_checkpoint(self, path: str | Path, *_: Any, **__: Any) -> dict[str, Any]:
        """Reads a checkpoint; called by Lightning. Nothing foreign is unpickled."""
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return content

    def remove_checkpoint(self, path: str | Path) -> None:
        """Takes note of a checkpoint that is no longer wanted; called by Lightning."""
        self._left.append(Path(path))

    def sweep(self) -> None:
        """Removes what is no longer wanted."""
        for path in self._left:
            path.unlink(missing_ok=True)
        self._left.clear()


class BestCheckpoints(ModelCheckpoint):
    """Keeps the best ones, and knows the best that is on disk also while a better one is being written."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._before: tuple[str, torch.Tensor | None] = ("", None)
        self._goes_on = False

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up what a last checkpoint says; called by Lightning. The folder may have been moved since."""
        folder = Path(str(self.dirpath))

        def here(path: str) -> str:
            return str(folder / Path(path).name) if path else path

        paths = ("best_model_path", "kth_best_model_path", "last_model_path")
        super().load_state_dict(
            {
                **state_dict,
                **{key: here(state_dict[key]) for key in paths},
                "dirpath": self.dirpath,
                "best_k_models": {here(path): score for path, score in state_dict["best_k_models"].items()},
            }
        )
        self._goes_on = True

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Removes the checkpoints of an epoch that is trained again: Lightning would write ``-v1`` beside them."""
        super().on_fit_start(trainer, pl_module)
        if self._goes_on and trainer.is_global_zero:
            kept = {Path(path).name for path in self.best_k_models}
            for path in Path(str(self.dirpath)).glob("epoch*.ckpt"):
                if path.name not in kept:
                    path.unlink(missing_ok=True)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Saves one of the best. Lightning says in words of its own that a metric is missing, or not at all.

        Raises:
            ConfigError: nothing has logged the metric that picks the best.
        """
        require_logged(str(self.monitor), trainer.callback_metrics, after_an_epoch=True)
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
