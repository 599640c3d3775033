"""A ResNet for one question: pneumonia or not. Nothing is ever downloaded."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Literal, cast

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torchmetrics import MeanMetric, MetricCollection
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC, BinaryF1Score, BinaryPrecision, BinaryRecall
from torchmetrics.utilities.data import dim_zero_cat
from torchvision.models import resnet18, resnet34, resnet50

from pneumo_train.config.optimizer import OptimizerConfig
from pneumo_train.config.settings import TrainConfig
from pneumo_train.errors import ConfigError

Batch = tuple[Tensor, Tensor]
Stage = Literal["train", "val", "test"]

_BUILDERS = {18: resnet18, 34: resnet34, 50: resnet50}
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_KEYS_SHOWN = 5


class LitResNet(pl.LightningModule):
    """A torchvision ResNet with one logit, its loss, metrics and optimiser.

    Images are float tensors of shape (N, 1, H, W) or (N, 3, H, W) in [0, 1]; targets float or integer tensors of shape
    (N,), 0 or 1. Logged once an epoch, each as ``train_``, ``val_`` or ``test_``: loss, accuracy, precision, recall, f1
    (at a threshold of 0.5) and auroc; and ``learning_rate``. The AUROC of an epoch that saw one class only is NaN, and
    so is every metric of an epoch in which a prediction was NaN.

    Freezing is honest: a frozen layer has no gradient, and its batch normalisation stays in evaluation mode, so that
    neither weights nor running statistics move.
    """

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
            pos_weight: how much more a positive weighs in the loss than a negative.

        Raises:
            ConfigError: no such depth, more blocks to fine-tune than there are, or weights that do not fit.
        """
        super().__init__()
        self.save_hyperparameters(ignore=["weights_path"])
        if depth not in _BUILDERS:
            raise ConfigError(f"model.depth = {depth}: no such ResNet; known: {', '.join(map(str, _BUILDERS))}")
        self.backbone = _BUILDERS[depth](weights=None)
        features = self.backbone.fc.in_features
        self.backbone.fc = nn.Identity()
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, 1))
        if weights_path is not None:
            load_backbone(self.backbone, weights_path)
        self._frozen = self._freeze(fine_tune_layers) if freeze_backbone else []

        self._monitor = monitor
        self._rates = OptimizerConfig(
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            reduce_lr_patience=reduce_lr_patience,
            reduce_lr_factor=reduce_lr_factor,
            min_lr=min_lr,
        )
        self.loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(pos_weight))
        self.register_buffer("mean", torch.tensor(_IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_IMAGENET_STD).view(1, 3, 1, 1), persistent=False)
        self.metrics = nn.ModuleDict({f"{stage}_metrics": _new_metrics() for stage in ("train", "val", "test")})
        self.losses = nn.ModuleDict(
            {f"{stage}_loss": MeanMetric(nan_strategy=float("nan")) for stage in ("train", "val", "test")}
        )

    @classmethod
    def from_config(cls, config: TrainConfig, *, pos_weight: float = 1.0) -> "LitResNet":
        """The model of a configuration."""
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
            pos_weight=pos_weight,
        )

    def forward(self, images: Tensor) -> Tensor:
        """Logits of shape (N,)."""
        mean, std = cast("Tensor", self.mean), cast("Tensor", self.std)
        logits: Tensor = self.head(self.backbone((images.expand(-1, 3, -1, -1) - mean) / std))
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
        """Probabilities of pneumonia, shape (N,)."""
        return torch.sigmoid(self(batch[0]))

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
        """AdamW on what is not frozen, and ReduceLROnPlateau on the monitored metric."""
        rates = self._rates
        optimizer = torch.optim.AdamW(
            [parameter for parameter in self.parameters() if parameter.requires_grad],
            lr=rates.learning_rate,
            weight_decay=rates.weight_decay,
        )
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer,
            mode="min" if self._monitor.endswith("loss") else "max",
            factor=rates.reduce_lr_factor,
            patience=rates.reduce_lr_patience,
            min_lr=rates.min_lr,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": self._monitor}}

    def train(self, mode: bool = True) -> "LitResNet":  # noqa: FBT001, FBT002 - torch's own signature
        """As torch's, but frozen layers stay in evaluation mode."""
        super().train(mode)
        for module in self._frozen if hasattr(self, "_frozen") else ():
            module.eval()
        return self

    def _freeze(self, fine_tune_layers: int) -> list[nn.Module]:
        blocks = [block for name in ("layer1", "layer2", "layer3", "layer4") for block in getattr(self.backbone, name)]
        if fine_tune_layers > len(blocks):
            raise ConfigError(
                f"model.fine_tune_layers = {fine_tune_layers}: this ResNet has {len(blocks)} residual blocks; "
                f"give at most {len(blocks)}, or freeze_backbone = false"
            )
        frozen = [self.backbone.conv1, self.backbone.bn1, *blocks[: len(blocks) - fine_tune_layers]]
        for module in frozen:
            module.requires_grad_(requires_grad=False)
            module.eval()
        return frozen

    def _step(self, batch: Batch, stage: Stage) -> Tensor:
        images, target = batch
        logits = self(images)
        loss: Tensor = self.loss(logits, target.to(logits.dtype))
        self._loss_of(stage).update(loss.detach().clone(), weight=len(target))
        self._metrics_of(stage).update(torch.sigmoid(logits.detach().float()), target.int())
        return loss

    def _metrics_of(self, stage: Stage) -> MetricCollection:
        return cast("MetricCollection", self.metrics[f"{stage}_metrics"])

    def _loss_of(self, stage: Stage) -> MeanMetric:
        return cast("MeanMetric", self.losses[f"{stage}_loss"])

    def _log_epoch(self, stage: Stage) -> None:
        metrics, mean_loss = self._metrics_of(stage), self._loss_of(stage)
        values = {"loss": mean_loss.compute(), **_compute(metrics)}
        for name, value in values.items():
            self.log(f"{stage}_{name}", value, prog_bar=stage == "val" and name in {"loss", "auroc"})
        metrics.reset()
        mean_loss.reset()


def load_backbone(backbone: nn.Module, path: str | PathLike[str]) -> None:
    """Loads weights from a local file: a ResNet's state dict, or a Lightning checkpoint of this model.

    The classifier of an ImageNet file is left out; everything else must fit exactly.

    Raises:
        ConfigError: the file is missing or no weights, or keys are missing, unknown or of another shape.
    """
    try:
        content = torch.load(Path(path), map_location="cpu", weights_only=True)
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")  # torch gives a page of advice, none of which is for here
        raise ConfigError(
            f"model.weights_path = {path}: cannot be read as torch weights ({type(error).__name__}: {reason}); "
            "name a local file made by torch.save(model.state_dict(), ...)"
        ) from error
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping):
        raise ConfigError(f"model.weights_path = {path}: holds a {type(content).__name__}; wanted a state dict")
    if any(key.startswith("backbone.") for key in state):
        state = {key.removeprefix("backbone."): value for key, value in state.items() if key.startswith("backbone.")}
    given = {key: value for key, value in state.items() if not key.startswith("fc.")}
    wanted = backbone.state_dict()
    problems = {
        "missing": sorted(set(wanted) - set(given)),
        "unknown": sorted(set(given) - set(wanted)),
        "of another shape": sorted(key for key in set(wanted) & set(given) if wanted[key].shape != given[key].shape),
    }
    report = "; ".join(
        f"{len(keys)} {problem}, as {', '.join(keys[:_KEYS_SHOWN])}" for problem, keys in problems.items() if keys
    )
    if report:
        raise ConfigError(f"model.weights_path = {path}: does not fit this ResNet: {report}; look at model.depth")
    ruined = sorted(
        key for key, value in given.items() if value.is_floating_point() and not torch.isfinite(value).all()
    )
    if ruined:
        raise ConfigError(
            f"model.weights_path = {path}: {len(ruined)} of its tensors hold NaN or infinity, as "
            f"{', '.join(ruined[:_KEYS_SHOWN])}; name the weights of a training that has not diverged"
        )
    backbone.load_state_dict(given)


def _new_metrics() -> MetricCollection:
    return MetricCollection(
        {
            "accuracy": BinaryAccuracy(),
            "precision": BinaryPrecision(),
            "recall": BinaryRecall(),
            "f1": BinaryF1Score(),
            "auroc": BinaryAUROC(),
        },
        compute_groups=False,
    )


def _compute(metrics: MetricCollection) -> dict[str, Tensor]:
    """Each metric's value, or NaN where it has none: all of them where a prediction is NaN, the AUROC of one class only.

    Torchmetrics takes NaN for a negative, which makes 0.5 of an AUROC, and calls the AUROC of one class 0.
    """
    auroc = cast("BinaryAUROC", metrics["auroc"])
    preds, target = dim_zero_cat(auroc.preds), dim_zero_cat(auroc.target)
    nothing = torch.tensor(float("nan"))
    if torch.isnan(preds).any():
        return dict.fromkeys(map(str, metrics.keys()), nothing)
    has_both = 0 < int(target.sum()) < len(target)
    values: dict[str, Tensor] = {
        name: metric.compute() for name, metric in metrics.items() if has_both or name != "auroc"
    }
    return values if has_both else {**values, "auroc": nothing}
