"""How weights are learnt: the rate's way, what decays, the moving average, mixed batches, and one seed, one result."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from pneumo_train.config.optimizer import OptimizerConfig
from pneumo_train.network.classifier import LitClassifier
from pneumo_train.network.ema import MovingAverage
from pneumo_train.network.losses import mixed

_NO_WORKERS = pytest.mark.filterwarnings("ignore:.*does not have many workers")
_LIGHTNING_ON_TORCH_2_15 = pytest.mark.filterwarnings("ignore:.*LeafSpec")
pytestmark = [pytest.mark.training, _NO_WORKERS, _LIGHTNING_ON_TORCH_2_15]

FILMS = 16


def batches() -> DataLoader[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(FILMS, 1, 32, 32, generator=generator)
    data = [(image, torch.tensor(float(number % 2))) for number, image in enumerate(images)]
    return DataLoader(data, batch_size=4)  # type: ignore[arg-type]  # a list is a data set


class Rates(pl.Callback):
    """Remembers the learning rate of each step, group by group."""

    def __init__(self) -> None:
        self.seen: list[list[float]] = []

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        self.seen.append([group["lr"] for group in trainer.optimizers[0].param_groups])


def fit(model: LitClassifier, root: Path, *, epochs: int = 2, resume: Path | None = None, **options: Any) -> pl.Trainer:
    options.setdefault("enable_checkpointing", False)
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=root,
        log_every_n_steps=1,
        deterministic=True,
        **options,
    )
    trainer.fit(model, batches(), batches(), ckpt_path=resume)
    return trainer


def small(**settings: Any) -> LitClassifier:
    pl.seed_everything(5, verbose=False)
    return LitClassifier(architecture="small", **settings)


@pytest.fixture(autouse=True)
def _plain_torch() -> Any:
    yield
    torch.use_deterministic_algorithms(mode=False)


def test_the_rate_rises_while_it_is_warmed_up_and_falls_by_a_cosine_to_the_least(tmp_path: Path) -> None:
    rates = Rates()

    fit(
        small(schedule="cosine", warmup_epochs=1, learning_rate=0.01, min_lr=0.001),
        tmp_path,
        epochs=4,
        callbacks=[rates],
    )

    seen = [groups[0] for groups in rates.seen]
    assert seen[:5] == pytest.approx([0.002, 0.004, 0.006, 0.008, 0.01])
    assert seen[4:] == sorted(seen[4:], reverse=True)
    assert seen[-1] == 0.001


def test_the_rate_rises_to_where_a_plateau_begins(tmp_path: Path) -> None:
    rates = Rates()

    fit(small(warmup_epochs=0.5, learning_rate=0.01), tmp_path, epochs=1, callbacks=[rates])

    assert [groups[0] for groups in rates.seen] == pytest.approx([0.01 / 3, 0.02 / 3, 0.01, 0.01])


def test_norms_and_biases_do_not_decay_and_a_backbone_may_learn_slower() -> None:
    model = small(weight_decay=0.1, learning_rate=0.01, backbone_rate=0.1)

    groups = model.configure_optimizers()["optimizer"].param_groups

    assert [(group["lr"], group["weight_decay"]) for group in groups] == [
        (0.01, 0.1), (0.01, 0.0), (0.001, 0.1), (0.001, 0.0),
    ]  # fmt: skip
    assert all(parameter.ndim > 1 for group in (groups[0], groups[2]) for parameter in group["params"])
    assert all(parameter.ndim == 1 for group in (groups[1], groups[3]) for parameter in group["params"])


def test_the_moving_average_is_what_the_formula_says() -> None:
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(module.weight)
    average = MovingAverage(module, 0.5)
    expected = 0.0

    for step in range(1, 20):
        torch.nn.init.constant_(module.weight, step)
        average.update()
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step

    assert average.average["weight"].item() == pytest.approx(expected)


def test_what_is_validated_and_kept_is_the_average_and_training_goes_on_with_the_weights(tmp_path: Path) -> None:
    seen: list[Tensor] = []

    class Looking(pl.Callback):
        def on_validation_epoch_start(self, *_: Any) -> None:
            seen.append(model.state_dict()["head.1.weight"].clone())

        def on_train_epoch_start(self, *_: Any) -> None:
            seen.append(model.state_dict()["head.1.weight"].clone())

    best = pl.callbacks.ModelCheckpoint(tmp_path / "best", save_weights_only=True)
    model = small(ema_decay=0.9)
    fit(model, tmp_path, callbacks=[Looking(), best], enable_checkpointing=True)

    _, _, averaged, going_on, last_averaged = seen
    kept = torch.load(best.best_model_path, weights_only=True)["state_dict"]["head.1.weight"]
    assert not torch.equal(averaged, going_on)
    assert torch.equal(kept, last_averaged)
    assert torch.equal(model.state_dict()["head.1.weight"], kept)
    assert OptimizerConfig().ema_decay == 0


@pytest.mark.filterwarnings("ignore:Checkpoint directory")
@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_a_training_with_an_average_goes_on_from_its_last_checkpoint_as_if_never_stopped(
    tmp_path: Path, schedule: str
) -> None:
    settings = {"ema_decay": 0.9, "schedule": schedule, "warmup_epochs": 1, "dropout": 0.0}

    class Stop(pl.Callback):
        """Ends after two of four epochs, so that the rate's way is that of four."""

        def on_train_epoch_end(self, trainer: pl.Trainer, *_: Any) -> None:
            trainer.should_stop = trainer.current_epoch == 1

    whole = small(**settings)
    fit(whole, tmp_path, epochs=4)
    for stops in (True, False):
        kept = pl.callbacks.ModelCheckpoint(tmp_path / "kept", filename="last", enable_version_counter=False)
        resumed = small(**settings)
        fit(
            resumed,
            tmp_path,
            epochs=4,
            resume=None if stops else tmp_path / "kept" / "last.ckpt",
            callbacks=[kept, *([Stop()] if stops else [])],
            enable_checkpointing=True,
        )

    assert all(torch.equal(value, resumed.state_dict()[name]) for name, value in whole.state_dict().items())


def test_one_seed_gives_one_result_with_all_that_draws(tmp_path: Path) -> None:
    settings = {"mixup_alpha": 0.4, "label_smoothing": 0.05, "loss": "focal", "ema_decay": 0.9, "dropout": 0.5}

    first, second, other = (
        fit(small(**more), tmp_path).callback_metrics for more in (settings, settings, {**settings, "mixup_alpha": 0.0})
    )

    assert {name: float(value) for name, value in first.items()} == {n: float(v) for n, v in second.items()}
    assert float(first["train_loss"]) != float(other["train_loss"])


def test_a_mixed_image_is_mostly_itself_and_its_target_by_the_same_share() -> None:
    torch.manual_seed(3)
    target = torch.arange(8) % 2.0
    images = target.view(8, 1, 1, 1).expand(8, 1, 4, 4)

    mixed_images, mixed_target = mixed(images, target, alpha=1.0)

    assert torch.allclose(mixed_images[:, 0, 0, 0], mixed_target)
    assert torch.equal((mixed_target > 0.5).float(), target)
    assert ((mixed_target > 0) & (mixed_target < 1)).any()
