"""The network: what it learns, what stays frozen, what it logs, what weights it takes."""

import math
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchmetrics import MeanMetric, MetricCollection
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC, BinaryF1Score, BinaryPrecision, BinaryRecall

from pneumo_train.config.settings import load_config
from pneumo_train.errors import ConfigError
from pneumo_train.network.lightning_model import LitResNet
from pneumo_train.network.metrics import EpochMetrics

_NO_WORKERS = pytest.mark.filterwarnings("ignore:.*does not have many workers")
_LIGHTNING_ON_TORCH_2_15 = pytest.mark.filterwarnings("ignore:.*LeafSpec")
pytestmark = [pytest.mark.training, _NO_WORKERS, _LIGHTNING_ON_TORCH_2_15]

METRICS = {"loss", "accuracy", "precision", "recall", "f1", "auroc"}


def batches(targets: list[int]) -> DataLoader[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    films = torch.rand(len(targets), 1, 32, 32, generator=generator)
    data: list[tuple[Tensor, Tensor]] = [(film, torch.tensor(float(t))) for film, t in zip(films, targets, strict=True)]
    return DataLoader(data, batch_size=4)  # type: ignore[arg-type]  # a list is a data set


def trainer(tmp_path: Path) -> pl.Trainer:
    return pl.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
        log_every_n_steps=1,
    )


def batch_norms(module: nn.Module) -> list[nn.BatchNorm2d]:
    return [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]


def test_images_of_one_and_of_three_channels_give_one_logit_each() -> None:
    model = LitResNet().eval()
    grey = torch.rand(2, 1, 32, 32)

    with torch.no_grad():
        one, three = model(grey), model(grey.expand(-1, 3, -1, -1))

    assert one.shape == (2,)
    assert torch.equal(one, three)


def test_each_stage_logs_loss_accuracy_precision_recall_f1_and_auroc(tmp_path: Path) -> None:
    model, data = LitResNet(), batches([0, 1, 0, 1])
    fitting = trainer(tmp_path)

    fitting.fit(model, data, data)
    logged = set(fitting.callback_metrics)
    (tested,) = fitting.test(model, data, verbose=False)

    assert logged == {f"{stage}_{name}" for stage in ("train", "val") for name in METRICS} | {"learning_rate"}
    assert set(tested) == {f"test_{name}" for name in METRICS}


def test_an_epoch_is_measured_as_torchmetrics_measures_it_step_by_step() -> None:
    epoch, loss = EpochMetrics(), MeanMetric()
    steps = MetricCollection(
        {
            "accuracy": BinaryAccuracy(),
            "precision": BinaryPrecision(),
            "recall": BinaryRecall(),
            "f1": BinaryF1Score(),
            "auroc": BinaryAUROC(),
        }
    )
    generator = torch.Generator().manual_seed(1)
    for count in (7, 7, 3):
        preds, targets = (torch.rand(count, generator=generator) for _ in range(2))
        targets = targets.round()
        epoch.update(preds.mean(), preds, targets)
        loss.update(preds.mean(), weight=count)
        steps.update(preds, targets.int())

    assert epoch.compute() == {"loss": loss.compute(), **steps.compute()}


def test_the_auroc_of_one_class_is_nan_and_the_other_metrics_are_numbers(tmp_path: Path) -> None:
    (logged,) = trainer(tmp_path).validate(LitResNet(), batches([0, 0, 0, 0, 0, 0]), verbose=False)

    assert {name for name, value in logged.items() if math.isnan(value)} == {"val_auroc"}


@pytest.mark.parametrize("ruined", [1, 12])
def test_predictions_that_are_nan_have_no_metrics(tmp_path: Path, ruined: int) -> None:
    """One is enough: a metric of the rest would be a metric of something else."""

    class Ruined(LitResNet):
        def forward(self, images: Tensor) -> Tensor:
            logits = super().forward(images)
            return torch.where(torch.arange(len(logits)) < ruined, torch.nan, logits)

    (logged,) = trainer(tmp_path).validate(Ruined(), batches([0, 1] * 6), verbose=False)

    assert {name for name, value in logged.items() if math.isnan(value)} == {f"val_{name}" for name in METRICS}


def test_batches_of_one_class_make_a_whole_auroc_when_the_epoch_has_both(tmp_path: Path) -> None:
    (logged,) = trainer(tmp_path).validate(LitResNet(), batches([0, 0, 0, 0, 1, 1, 1, 1]), verbose=False)

    assert 0.0 <= logged["val_auroc"] <= 1.0


def test_pos_weight_makes_a_missed_positive_dearer() -> None:
    logits, positive = torch.tensor([-1.0]), torch.tensor([1.0])

    assert LitResNet(pos_weight=3.0).loss(logits, positive) == 3 * LitResNet().loss(logits, positive)


def test_a_frozen_backbone_has_no_gradient_and_its_statistics_do_not_move() -> None:
    model = LitResNet(freeze_backbone=True).train()
    before = [layer.running_mean.clone() for layer in batch_norms(model.backbone) if layer.running_mean is not None]

    model(torch.rand(4, 1, 32, 32)).sum().backward()

    assert not any(parameter.requires_grad for parameter in model.backbone.parameters())
    assert all(parameter.grad is not None for parameter in model.head.parameters())
    assert not any(layer.training for layer in batch_norms(model.backbone))
    after = [layer.running_mean for layer in batch_norms(model.backbone) if layer.running_mean is not None]
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_fine_tuned_layers_are_counted_from_the_end() -> None:
    model = LitResNet(freeze_backbone=True, fine_tune_layers=3).train()

    trained = {
        name.split(".")[0] + "." + name.split(".")[1]
        for name, parameter in model.backbone.named_parameters()
        if parameter.requires_grad
    }
    assert trained == {"layer3.1", "layer4.0", "layer4.1"}
    assert all(layer.training for layer in batch_norms(model.backbone.layer4))
    assert not any(layer.training for layer in batch_norms(model.backbone.layer1))


def test_more_layers_to_fine_tune_than_there_are_is_an_error() -> None:
    with pytest.raises(ConfigError, match="fine_tune_layers = 9: this ResNet has 8 residual blocks"):
        LitResNet(freeze_backbone=True, fine_tune_layers=9)


def test_the_optimizer_holds_what_is_trained_alone() -> None:
    model = LitResNet(freeze_backbone=True)

    groups = model.configure_optimizers()["optimizer"].param_groups

    assert sum(len(group["params"]) for group in groups) == len(list(model.head.parameters()))


def test_local_weights_are_loaded_without_their_classifier(tmp_path: Path) -> None:
    donor = LitResNet().backbone
    file = tmp_path / "resnet18.pth"
    torch.save({**donor.state_dict(), "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}, file)

    model = LitResNet.from_config(load_config(overrides={"model.weights_path": str(file)}))

    assert all(torch.equal(value, donor.state_dict()[key]) for key, value in model.backbone.state_dict().items())


def test_weights_of_a_training_that_diverged_are_refused(tmp_path: Path) -> None:
    state = LitResNet().backbone.state_dict()
    state["conv1.weight"][0, 0, 0, 0] = torch.nan
    torch.save(state, tmp_path / "weights.pth")

    with pytest.raises(ConfigError, match=r"1 of its tensors hold NaN or infinity, as conv1\.weight"):
        LitResNet(weights_path=str(tmp_path / "weights.pth"))


def test_weights_of_another_network_are_refused_with_a_report(tmp_path: Path) -> None:
    file = tmp_path / "resnet34.pth"
    torch.save({**LitResNet(depth=34).backbone.state_dict(), "stem.weight": torch.zeros(1)}, file)

    with pytest.raises(
        ConfigError, match=r"does not fit this ResNet: 97 unknown, as layer1\.2\..*look at model\.depth"
    ):
        LitResNet(depth=18, weights_path=str(file))


@pytest.mark.parametrize("content", [None, b"no weights"])
def test_a_file_that_holds_no_weights_is_an_error_that_names_it(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "weights.pth"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ConfigError, match=r"weights\.pth: cannot be read as torch weights"):
        LitResNet(weights_path=str(file))
