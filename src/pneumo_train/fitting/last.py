"""The last checkpoint of a training: all that is needed to go on from it as if nothing had happened."""

import dataclasses
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint

from pneumo_train.config.federation import FederationConfig
from pneumo_train.config.settings import TrainConfig, as_dict
from pneumo_train.errors import LastCheckpointError
from pneumo_train.fitting.checkpoints import WholeFileIO

LAST = "last.ckpt"

_KEY = "pneumo_train_last"
"""Under which a complete checkpoint says whose it is."""

_MAY_DIFFER = frozenset(
    {
        "data.cache_dir",
        "data.cache_disk_mib",
        "data.cache_mib",
        "federation.min_answers",
        "federation.round_timeout",
        "training.accelerator",
        "training.num_workers",
        "training.threads",
    }
)
"""What changes where a training is done and not what comes out of it, up to the last digits."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a training is made of: one that goes on must be made of the same.

    Attributes:
        run_id: of the run.
        config: the whole configuration, nested.
        split: hash of which image is for what.
        data_set: hash of the images, their labels and their patients.
    """

    run_id: str
    config: dict[str, Any]
    split: str
    data_set: str

    def require_same_training(self, path: Path, run_id: str, config: dict[str, Any], split: str) -> None:
        """Refuses to go on with another training than this one.

        Args:
            path: where it was found.
            run_id: of the run that is to go on.
            config: the whole configuration now, nested.
            split: hash of which image is for what, now.

        Raises:
            LastCheckpointError: the file is another run's, or the configuration or the split is another.
        """
        if self.run_id != run_id:
            raise LastCheckpointError(
                f"run_id = {run_id!r}: {path} is of the run {self.run_id!r}; name that, or another checkpoint_dir"
            )
        # A key that a newer release has brought was at its default before.
        now, then = _flat(config), {**_flat(_defaults(config)), **_flat(self.config)}
        for key in sorted(now.keys() | then.keys()):
            if now.get(key) != then.get(key) and key not in _MAY_DIFFER:
                raise LastCheckpointError(
                    f"{key.removeprefix('federation.')} = {now.get(key)!r}: the run {run_id!r} was begun with {then.get(key)!r}; give that to go on with it, "
                    "or another run_id to begin anew"
                )
        if self.split != split:
            raise LastCheckpointError(
                f"the run {run_id!r} was begun with another split of the images; give its source, or another run_id to begin anew"
            )

    def require_same_data(self, data_set: str) -> None:
        """Refuses to go on with other images.

        Raises:
            LastCheckpointError: a file, a label or a patient is another.
        """
        if self.data_set != data_set:
            raise LastCheckpointError(
                f"the run {self.run_id!r} was begun with other images, labels or patients; give its source as it was, or "
                "another run_id to begin anew"
            )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """A last checkpoint that was found.

    Attributes:
        path: its file.
        origin: what its training was made of.
        epochs: how many had ended.
        is_finished: whether the training had come to its end, and only what follows it is missing.
    """

    path: Path
    origin: Origin
    epochs: int
    is_finished: bool


class LastCheckpoint(Checkpoint):
    """Keeps the last checkpoint: whenever an epoch begins that is not the first, and when training ends.

    Only then is everything of the epoch before done: the best checkpoints, the rate's way down, the row of metrics. So it
    must be called after all others, as Lightning does with callbacks of this kind, in their order.
    """

    def __init__(self, folder: Path, io: WholeFileIO) -> None:
        self.path = folder / LAST
        self.origin: Origin | None = None
        self._io = io
        self._is_finished = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        """Has a training that goes on begin its epoch: Lightning 2.6 takes it for one that has had its batches already."""
        trainer.fit_loop.restarting = False

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        """Keeps all epochs before this one."""
        if trainer.current_epoch > 0:
            self._save(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        """Keeps all epochs, and that there will be no others."""
        self._is_finished = True
        self._save(trainer)

    def on_save_checkpoint(self, *hook: Any) -> None:
        """Says whose it is."""
        _trainer, _module, checkpoint = hook
        if self.origin is not None:
            checkpoint[_KEY] = {**dataclasses.asdict(self.origin), "is_finished": self._is_finished}

    def _save(self, trainer: pl.Trainer) -> None:
        trainer.save_checkpoint(self.path, weights_only=False)
        if trainer.is_global_zero:
            self._io.sweep()


def find_last(folder: Path) -> Last | None:
    """The last checkpoint in a run's folder, or ``None`` if it has none.

    Raises:
        LastCheckpointError: it cannot be read, or is none of this trainer.
    """
    path = folder / LAST
    if not path.is_file():
        return None
    try:
        # The optimiser's state is mapped, not read; nothing foreign is unpickled.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        kept = dict(content[_KEY])
        is_finished = bool(kept.pop("is_finished"))
        return Last(path=path, origin=Origin(**kept), epochs=int(content["epoch"]), is_finished=is_finished)
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")
        raise LastCheckpointError(
            f"{path}: is no checkpoint that a training can go on from ({type(error).__name__}: {reason}); remove it to begin "
            "anew, or name another checkpoint_dir"
        ) from error


def _defaults(config: dict[str, Any]) -> dict[str, Any]:
    """Of the sections that a configuration has."""
    every = {**as_dict(TrainConfig()), "federation": dataclasses.asdict(FederationConfig())}
    return {key: value for key, value in every.items() if key in config}


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return flat
