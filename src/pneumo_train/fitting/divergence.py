"""Training that has left the numbers: told at once, loudly, instead of being carried on for nothing."""

import math

import pytorch_lightning as pl

from pneumo_train.config.settings import TrainConfig
from pneumo_train.errors import DivergedError


class StopWhenDiverged(pl.Callback):
    """Ends fitting with an error after the first validation whose loss is NaN or infinite.

    The weights are then of no use and stay so. A single training step without a finite loss is no reason: with
    16-bit precision such steps are left out, and the weights stay good. To be called after the callback that keeps the
    metrics, and before those that keep checkpoints.
    """

    def __init__(self, config: TrainConfig) -> None:
        self._config = config

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002 - the hook's signature
        """Looks at the loss.

        Raises:
            DivergedError: it is NaN or infinite.
        """
        loss = trainer.callback_metrics.get("val_loss")
        if trainer.state.fn != "fit" or trainer.sanity_checking or loss is None or math.isfinite(loss):
            return
        advice = f"lower optimizer.learning_rate (it was {self._config.optimizer.learning_rate:g})"
        if self._config.training.precision == "16-mixed":
            advice += ", or use training.precision = bf16-mixed or 32-true"
        raise DivergedError(
            f"training has diverged: the loss is {'NaN' if math.isnan(loss) else 'infinite'} since epoch "
            f"{trainer.current_epoch}; {advice}"
        )
