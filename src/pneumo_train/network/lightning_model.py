"""A ResNet for one question: pneumonia or not. Nothing is ever downloaded."""

from typing import Literal, Self

from torchvision.models import ResNet

from pneumo_train.config.settings import TrainConfig
from pneumo_train.errors import ConfigError
from pneumo_train.network.classifier import LitClassifier

_DEPTHS = (18, 34, 50)


class LitResNet(LitClassifier):
    """A torchvision ResNet of three channels with one logit: a :class:`LitClassifier` whose arguments have names."""

    backbone: ResNet

    def __init__(  # noqa: PLR0913 - hyper-parameters, keyword-only; Lightning keeps them in the checkpoint by name
        self,
        *,
        depth: int = 18,
        weights_path: str | None = None,
        freeze_backbone: bool = False,
        fine_tune_layers: int = 0,
        dropout: float = 0.2,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-4,
        reduce_lr_patience: int = 3,
        reduce_lr_factor: float = 0.5,
        min_lr: float = 1e-7,
        monitor: str = "val_auroc",
        monitor_mode: Literal["auto", "min", "max"] = "auto",
        pos_weight: float = 1.0,
    ) -> None:
        """Builds the network; the arguments are those of the configuration.

        Args:
            depth: 18, 34 or 50.
            weights_path: a local file for the backbone; not kept in checkpoints, which hold the weights themselves.
            freeze_backbone: train the head alone.
            fine_tune_layers: with a frozen backbone, how many residual blocks to train, counted from the end.
            dropout: before the last layer.
            learning_rate: AdamW's first.
            weight_decay: AdamW's.
            reduce_lr_patience: epochs without improvement before the rate is reduced.
            reduce_lr_factor: by how much.
            min_lr: never below.
            monitor: what the learning rate's way down looks at.
            monitor_mode: whether that is better when less or when more; ``auto`` tells it by the name.
            pos_weight: how much more a positive weighs in the loss than a negative.

        Raises:
            ConfigError: no such depth, more blocks to fine-tune than there are, or weights that do not fit.
        """
        if depth not in _DEPTHS:
            raise ConfigError(f"model.depth = {depth}: no such ResNet; known: {', '.join(map(str, _DEPTHS))}")
        super().__init__(
            depth=depth,
            weights_path=weights_path,
            freeze_backbone=freeze_backbone,
            fine_tune_layers=fine_tune_layers,
            dropout=dropout,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            reduce_lr_patience=reduce_lr_patience,
            reduce_lr_factor=reduce_lr_factor,
            min_lr=min_lr,
            monitor=monitor,
            monitor_mode=monitor_mode,
            pos_weight=pos_weight,
        )

    @classmethod
    def from_config(cls, config: TrainConfig, *, pos_weight: float = 1.0) -> Self:
        """The model of a configuration, of which only what the arguments name is taken."""
        model, optimizer = config.model, config.optimizer
        return cls(
            depth=model.depth,
            weights_path=model.weights_path,
            freeze_backbone=model.freeze_backbone,
            fine_tune_layers=model.fine_tune_layers,
            dropout=model.dropout,
            learning_rate=optimizer.learning_rate,
            weight_decay=optimizer.weight_decay,
            reduce_lr_patience=optimizer.reduce_lr_patience,
            reduce_lr_factor=optimizer.reduce_lr_factor,
            min_lr=optimizer.min_lr,
            monitor=config.training.monitor,
            monitor_mode=config.training.monitor_mode,
            pos_weight=pos_weight,
        )
