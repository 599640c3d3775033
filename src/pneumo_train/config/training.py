"""The course of a training."""

import dataclasses
from typing import Annotated, Literal

from msgspec import Meta

from pneumo_train.config.kinds import Count, CountOrZero, NotNegative
from pneumo_train.config.monitored import Better, better_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The course of the training.

    Attributes:
        max_epochs: at most so many epochs.
        batch_size: images a step.
        monitor: the metric that picks the best checkpoint, stops early and lowers the rate: any that is logged, as val_loss.
        monitor_mode: whether its least or its greatest value is the best; auto takes the least of a loss or an error.
        early_stopping_patience: epochs without improvement before training stops; 0 never stops early.
        early_stopping_min_delta: less than this is no improvement.
        save_top_k: how many of the best checkpoints (weights alone) stay on disk, beside the last (complete).
        augmentation_strength: 0 for none, 1 for the usual shifts, turns and exposure changes; never flips.
        exposure_strength: 0 for none, 1 for films of a batch as other machines might have made them: gamma, contrast,
            brightness, sharpness, noise, and sides up to 10 % longer or shorter.
        plain_share: the share of each batch that is neither moved nor exposed: films as they are, as all are that are looked at
            after the training.
        gradient_clip_val: the greatest norm of the gradient; 0 for no limit.
        accelerator: cpu, gpu or auto.
        precision: Lightning's word for it: 32-true, 16-mixed or bf16-mixed.
        num_workers: processes that prepare images; 0 prepares them in the training process.
        threads: CPU threads of torch; its own choice when not given.
        deterministic: the same seed gives the same metrics, at some cost of speed.
    """

    max_epochs: Count = 10
    batch_size: Count = 32
    monitor: Annotated[str, Meta(min_length=1)] = "val_auroc"
    monitor_mode: Literal["auto", "min", "max"] = "auto"
    early_stopping_patience: CountOrZero = 5
    early_stopping_min_delta: NotNegative = 0.001
    save_top_k: Count = 3
    augmentation_strength: Annotated[float, Meta(ge=0, le=2)] = 1.0
    exposure_strength: Annotated[float, Meta(ge=0, le=2)] = 0.0
    plain_share: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    gradient_clip_val: NotNegative = 1.0
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    num_workers: Annotated[int, Meta(ge=0, le=256)] = 0
    threads: Annotated[int, Meta(ge=1, le=1024)] | None = None
    deterministic: bool = True

    @property
    def better(self) -> Better:
        """Whether the monitored metric is better when less or when more."""
        return better_of(self.monitor, self.monitor_mode)
