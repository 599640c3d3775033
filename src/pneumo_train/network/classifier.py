"""A network for one question: pneumonia or not. Its loss, metrics and optimiser."""

import dataclasses
from typing import Any, Literal, Self, cast

import msgspec
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from pneumo_train.config.loss import LossConfig
from pneumo_train.config.model import ModelConfig
from pneumo_train.config.monitored import better_of
from pneumo_train.config.optimizer import OptimizerConfig
from pneumo_train.config.settings import TrainConfig
from pneumo_train.errors import ConfigError
from pneumo_train.network.contrast import contrasted
from pneumo_train.network.ema import MovingAverage
from pneumo_train.network.losses import BinaryLoss, mixed
from pneumo_train.network.metrics import EpochMetrics
from pneumo_train.network.networks import Network, build
from pneumo_train.network.rates import adamw, schedules
from pneumo_train.network.stem import SCALINGS, scale
from pneumo_train.network.tta import averaged_logits
from pneumo_train.network.weights import load_weights

Batch = tuple[Tensor, Tensor]
Stage = Literal["train", "val", "test"]

_SECTIONS = (ModelConfig, LossConfig, OptimizerConfig)
_OF_THE_BEGINNING = frozenset({"weights", "weights_path"})
"""What a checkpoint does not keep: it holds the weights themselves."""

_TRAINED_ON = "weights_of_training"
"""In a complete checkpoint of averaged weights: those to train on with."""


class LitClassifier(pl.LightningModule):
    """A network with one logit, its loss, metrics and optimiser.

    Images are float tensors of shape (N, 1, H, W) or (N, 3, H, W) in [0, 1]; targets float or integer tensors of shape
    (N,), 0 or 1. Logged once an epoch, each as ``train_``, ``val_`` or ``test_``: loss, accuracy, precision, recall, f1
    (at a threshold of 0.5) and auroc; and ``learning_rate``. The AUROC of an epoch that saw one class only is NaN, and
    so is every metric of an epoch in which a prediction was NaN.

    Freezing is honest: a frozen layer has no gradient, and its batch normalisation stays in evaluation mode, so that
    neither weights nor running statistics move.

    With ``ema_decay`` the moving average of the weights is what is validated and what checkpoints hold; a complete
    checkpoint holds the weights to train on with as well.

    Attributes:
        backbone: from scaled images to features.
        head: from features to the logit.
        maps: the layer that gives the last feature maps, (N, C, h, w).
        loss: of logits and targets.
    """

    def __init__(
        self,
        *,
        monitor: str = "val_auroc",
        monitor_mode: Literal["auto", "min", "max"] = "auto",
        pos_weight: float = 1.0,
        scaling: str | None = None,
        **settings: Any,
    ) -> None:
        """Builds the network.

        Args:
            monitor: what the learning rate's way down looks at.
            monitor_mode: whether that is better when less or when more; ``auto`` tells it by the name.
            pos_weight: how much more a positive weighs in the loss than a negative.
            scaling: the scale of values that the weights were trained with; a checkpoint knows it.
            settings: keys of the sections ``model``, ``loss`` and ``optimizer`` of the configuration, without the section.

        Raises:
            ConfigError: a setting is unknown or out of range, more blocks are to be fine-tuned than there are, or weights
                do not fit.
        """
        super().__init__()
        model, loss, optimizer = _sections(settings)
        network = build(model)
        fitting_scale = load_weights(network, model)
        self.scaling = scaling or fitting_scale
        kept = {key: value for part in (model, loss, optimizer) for key, value in dataclasses.asdict(part).items()}
        self.save_hyperparameters(
            {key: value for key, value in kept.items() if key not in _OF_THE_BEGINNING}
            | {"monitor": monitor, "monitor_mode": monitor_mode, "pos_weight": pos_weight, "scaling": self.scaling}
        )
        self.backbone = network.backbone
        self.head = nn.Sequential(nn.Dropout(model.dropout), nn.Linear(network.width, 1))
        self._maps = [network.maps]  # in a list, so that it is not a part of this module a second time
        self._frozen = _freeze(network, model) if model.freeze_backbone else []
        self._model, self._loss_config, self._rates = model, loss, optimizer
        self._monitor, self._better = monitor, better_of(monitor, monitor_mode)
        self._average: MovingAverage | None = None
        self._resumed: tuple[dict[str, Tensor], int] | None = None
        self.loss = BinaryLoss(
            pos_weight=pos_weight,
            gamma=loss.focal_gamma if loss.loss == "focal" else 0.0,
            label_smoothing=loss.label_smoothing,
        )
        self.metrics = nn.ModuleDict({f"{stage}_metrics": EpochMetrics() for stage in ("train", "val", "test")})
        if model.channels_last:
            self.to(memory_format=torch.channels_last)
        if model.compile:
            self.backbone.compile()

    @classmethod
    def from_config(cls, config: TrainConfig, *, pos_weight: float = 1.0) -> Self:
        """The model of a configuration."""
        parts = (config.model, config.loss, config.optimizer)
        settings = {key: value for part in parts for key, value in dataclasses.asdict(part).items()}
        training = config.training
        return cls(monitor=training.monitor, monitor_mode=training.monitor_mode, pos_weight=pos_weight, **settings)

    @property
    def maps(self) -> nn.Module:
        """The layer that gives the last feature maps."""
        return self._maps[0]

    @property
    def tta_views(self) -> int:
        """How many views of a film an answer is the mean of; may be set."""
        return self._model.tta_views

    @tta_views.setter
    def tta_views(self, views: int) -> None:
        self._model = dataclasses.replace(self._model, tta_views=views)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of shape (N,)."""
        scaled = scale(contrasted(images, self._model.contrast), SCALINGS[self.scaling], self._model.channels)
        if self._model.channels_last:
            scaled = scaled.contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.head(self.backbone(scaled))
        return logits.squeeze(1)

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:  # noqa: ARG002 - the hook's signature
        """The loss of a batch."""
        return self._step(batch, "train")

    def validation_step(self, batch: Batch, batch_index: int) -> None:  # noqa: ARG002 - the hook's signature
        """Adds a batch to the validation metrics."""
        self._step(batch, "val")

    def test_step(self, batch: Batch, batch_index: int) -> None:  # noqa: ARG002 - the hook's signature
        """Adds a batch to the test metrics."""
        self._step(batch, "test")

    def predict_step(self, batch: Batch, batch_index: int) -> Tensor:  # noqa: ARG002 - the hook's signature
        """Probabilities of pneumonia, shape (N,), from as many views as ``tta_views`` says."""
        return torch.sigmoid(self.logits(batch[0]))

    def logits(self, images: Tensor) -> Tensor:
        """Logits of shape (N,), the mean of as many views as ``tta_views`` says."""
        return averaged_logits(self, images, self._model.tta_views)

    def on_fit_start(self) -> None:
        """Begins the average of the weights, or goes on with that of a checkpoint."""
        if self._rates.ema_decay:
            self._average = MovingAverage(self, self._rates.ema_decay)
            if self._resumed is not None:
                self._average.go_on(*self._resumed)
                self._resumed = None

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_index: int) -> None:  # noqa: ARG002 - the hook's signature
        """Takes the step's weights into the average."""
        if self._average is not None:
            self._average.update()

    def on_validation_start(self) -> None:
        """Puts the average in the place of the weights while a fitting validates."""
        if self._average is not None and self.trainer.state.fn == "fit":
            self._average.put_in()

    def on_validation_end(self) -> None:
        """Puts the weights back."""
        if self._average is not None:
            self._average.take_out()

    def on_fit_end(self) -> None:
        """Leaves the average in the place of the weights, as checkpoints have it."""
        if self._average is not None:
            self._average.put_in()
            self._average = None

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps the average as the weights, and in a complete checkpoint the weights to train on with."""
        if self._average is not None:
            checkpoint["state_dict"] = dict(self._average.average)
            if "optimizer_states" in checkpoint:
                checkpoint[_TRAINED_ON] = {"weights": dict(self._average.weights), "steps": self._average.steps}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes both out of a complete checkpoint if training is to go on."""
        kept = checkpoint.get(_TRAINED_ON)
        if kept is not None and self._trainer is not None and self.trainer.state.fn == "fit":
            self._resumed = (checkpoint["state_dict"], kept["steps"])
            checkpoint["state_dict"] = kept["weights"]

    def on_train_epoch_end(self) -> None:
        """Logs the epoch's training metrics and learning rate."""
        self._log_epoch("train")
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, torch.optim.Optimizer)  # noqa: S101 - configure_optimizers gives one
        self.log("learning_rate", optimizer.param_groups[0]["lr"])

    def on_validation_epoch_end(self) -> None:
        """Logs the epoch's validation metrics."""
        self._log_epoch("val")

    def on_test_epoch_end(self) -> None:
        """Logs the test metrics."""
        self._log_epoch("test")

    def configure_optimizers(self) -> Any:
        """AdamW on what is not frozen, and how its rate goes."""
        optimizer = adamw(self.head, self.backbone, self._rates)
        lines = schedules(optimizer, self._rates, monitor=self._monitor, mode=self._better, steps=self._steps)
        if len(lines) == 1:
            return {"optimizer": optimizer, "lr_scheduler": lines[0]}
        return [optimizer], lines

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's own signature
        """As torch's, but frozen layers stay in evaluation mode."""
        super().train(mode)
        for module in self._frozen if hasattr(self, "_frozen") else ():
            module.eval()
        return self

    def _steps(self) -> tuple[int, int]:
        """The steps of an epoch, and of the whole training."""
        in_all = int(self.trainer.estimated_stepping_batches)
        return max(1, round(in_all / max(1, self.trainer.max_epochs or 1))), in_all

    def _step(self, batch: Batch, stage: Stage) -> Tensor:
        images, target = batch
        wanted = target.float()
        if stage == "train" and self._loss_config.mixup_alpha:
            images, wanted = mixed(images, wanted, self._loss_config.mixup_alpha)
        logits = self(images).float()
        loss: Tensor = self.loss(logits, wanted)
        self._metrics_of(stage).update(loss.detach(), torch.sigmoid(logits.detach()), target)
        return loss

    def _metrics_of(self, stage: Stage) -> EpochMetrics:
        return cast("EpochMetrics", self.metrics[f"{stage}_metrics"])

    def _log_epoch(self, stage: Stage) -> None:
        metrics = self._metrics_of(stage)
        for name, value in metrics.compute().items():
            self.log(f"{stage}_{name}", value, prog_bar=stage == "val" and name in {"loss", "auroc"})
        metrics.reset()


def _sections(settings: dict[str, Any]) -> tuple[ModelConfig, LossConfig, OptimizerConfig]:
    """The three sections of flat settings, checked.

    Raises:
        ConfigError: names the setting.
    """
    known = {field.name for kind in _SECTIONS for field in dataclasses.fields(kind)}
    if unknown := sorted(set(settings) - known):
        raise ConfigError(
            f"{unknown[0]} = {settings[unknown[0]]!r}: no such setting; known: {', '.join(sorted(known))}"
        )

    def section(kind: Any) -> Any:
        mine = {field.name: settings[field.name] for field in dataclasses.fields(kind) if field.name in settings}
        try:
            return msgspec.convert(mine, kind)
        except msgspec.ValidationError as error:
            if isinstance(error.__cause__, ConfigError):
                raise error.__cause__ from None
            raise ConfigError(f"settings of the model: {error}") from error

    model, loss, optimizer = map(section, _SECTIONS)
    return model, loss, optimizer


def _freeze(network: Network, config: ModelConfig) -> list[nn.Module]:
    """Takes the gradient from all but the last blocks, and returns what must stay in evaluation mode.

    Raises:
        ConfigError: there are not so many blocks.
    """
    blocks, count = network.blocks, config.fine_tune_layers
    if count > len(blocks):
        name, kind = (
            ("ResNet", "residual blocks") if config.architecture == "resnet" else (config.architecture, "blocks")
        )
        raise ConfigError(
            f"model.fine_tune_layers = {count}: this {name} has {len(blocks)} {kind}; "
            f"give at most {len(blocks)}, or freeze_backbone = false"
        )
    frozen = [*network.stem, *blocks[: len(blocks) - count], *([] if count else network.tail)]
    for module in frozen:
        module.requires_grad_(requires_grad=False)
        module.eval()
    return frozen
