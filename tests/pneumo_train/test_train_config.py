"""The configuration: typed, checked, and whole when it is logged."""

import functools
import math
import operator
from pathlib import Path

import pytest

from pneumo_train.config.recipes import names
from pneumo_train.config.settings import TrainConfig, as_dict, from_dict, load_config
from pneumo_train.errors import ConfigError


def test_the_file_is_laid_over_the_defaults_and_overrides_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text("seed: 7\ndata:\n  image_size: 96\n  sample_fraction: 0.5\n", encoding="utf-8")

    config = load_config(file, {"data.image_size": 64, "model": {"depth": 34}})

    assert (config.seed, config.data.image_size, config.data.sample_fraction) == (7, 64, 0.5)
    assert config.model.depth == 34
    assert config.training.batch_size == TrainConfig().training.batch_size


def test_a_number_that_yaml_reads_as_text_is_a_number(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text("optimizer:\n  learning_rate: 1e-4\n", encoding="utf-8")

    assert load_config(file).optimizer.learning_rate == 1e-4


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("data.imagesize", "data.image_size"),
        ("image_size", "data.image_size"),
        ("learning_rate", "optimizer.learning_rate"),
        ("trainning.max_epochs", "training.max_epochs"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_closest_known_key(key: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match=rf"unknown key '{key}'; did you mean '{nearest}'"):
        load_config(overrides={key: 1})


def test_an_unknown_key_in_a_file_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text("model:\n  dept: 18\n", encoding="utf-8")

    with pytest.raises(ConfigError, match=r"train\.yaml: unknown key 'model\.dept'; did you mean 'model\.depth'"):
        load_config(file)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("seed", -1, "a whole number, at least 0 and at most 4,294,967,295"),
        ("seed", 1.5, "a whole number, at least 0 and at most 4,294,967,295"),
        ("data.csv_filename", ["a.csv"], "a text, or null"),
        ("data.target_column", 3.5, "a text"),
        ("data.sample_fraction", 0, "a number, above 0 and at most 1"),
        ("data.sample_fraction", 1.01, "a number, above 0 and at most 1"),
        ("data.validation_fraction", 0.0, "a number, above 0 and below 1"),
        ("data.validation_fraction", 1.0, "a number, above 0 and below 1"),
        ("data.image_size", 31, "a whole number, at least 32 and at most 1,024"),
        ("data.image_size", 1025, "a whole number, at least 32 and at most 1,024"),
        ("data.image_size", "large", "a whole number, at least 32 and at most 1,024"),
        ("data.cache_mib", -1, "a whole number, at least 0 and at most 100,000,000"),
        (
            "model",
            3,
            "a mapping of architecture, depth, channels, weights, weights_path, norm, freeze_backbone, fine_tune_layers, contrast, dropout, class_weighting, tta_views, channels_last, compile",
        ),
        ("model.architecture", "vgg", "one of densenet121, efficientnet_lite0, resnet, small"),
        ("model.weights", "mine", "one of imagenet, or null"),
        ("loss.label_smoothing", 0.5, "a number, at least 0 and below 0.5"),
        ("optimizer.schedule", "step", "one of cosine, plateau"),
        ("optimizer.ema_decay", 1.0, "a number, at least 0 and below 1"),
        ("model.depth", 19, "one of 18, 34, 50"),
        ("model.freeze_backbone", "perhaps", "true or false"),
        ("model.fine_tune_layers", -1, "a whole number, at least 0 and at most 100,000,000"),
        ("model.dropout", 1.0, "a number, at least 0 and below 1"),
        ("optimizer.learning_rate", 0.0, "a number, above 0 and finite"),
        ("optimizer.learning_rate", math.nan, "a number, above 0 and finite"),
        ("optimizer.learning_rate", math.inf, "a number, above 0 and finite"),
        ("optimizer.weight_decay", -0.1, "a number, at least 0 and finite"),
        ("optimizer.weight_decay", math.nan, "a number, at least 0 and finite"),
        ("optimizer.reduce_lr_patience", -1, "a whole number, at least 0 and at most 100,000,000"),
        ("optimizer.reduce_lr_factor", 1.0, "a number, above 0 and below 1"),
        ("optimizer.min_lr", -1.0, "a number, at least 0 and finite"),
        ("training.max_epochs", 0, "a whole number, at least 1 and at most 100,000,000"),
        ("training.batch_size", 0, "a whole number, at least 1 and at most 100,000,000"),
        ("training.save_top_k", 100_000_001, "a whole number, at least 1 and at most 100,000,000"),
        ("training.early_stopping_patience", -1, "a whole number, at least 0 and at most 100,000,000"),
        ("training.early_stopping_min_delta", -0.1, "a number, at least 0 and finite"),
        ("training.augmentation_strength", 2.1, "a number, at least 0 and at most 2"),
        ("training.exposure_strength", -0.1, "a number, at least 0 and at most 2"),
        ("training.plain_share", 1, "a number, at least 0 and below 1"),
        ("training.gradient_clip_val", math.inf, "a number, at least 0 and finite"),
        ("training.num_workers", 257, "a whole number, at least 0 and at most 256"),
        ("training.threads", 0, "a whole number, at least 1 and at most 1,024, or null"),
        ("training.monitor", 3.5, "a text"),
        ("training.monitor_mode", "less", "one of auto, max, min"),
    ],
)
def test_a_value_that_may_not_stand_at_a_key_is_told_with_the_key_and_what_may(
    key: str, value: object, wanted: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(overrides={key: value})

    assert str(caught.value) == f"{key} = {value!r}: wanted {wanted}"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            {"model.fine_tune_layers": 2},
            (
                "model.fine_tune_layers = 2: means something only with model.freeze_backbone = true: without it every "
                "layer is trained"
            ),
        ),
        (
            {"optimizer.min_lr": 1.0, "optimizer.learning_rate": 0.5},
            "optimizer.min_lr = 1.0: is above optimizer.learning_rate",
        ),
        ({"data.patient_column": " \ufeff"}, "data.patient_column = ' \\ufeff': must name a column"),
    ],
)
def test_a_value_that_does_not_go_with_others_names_its_key(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(overrides=overrides)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    "overrides",
    [
        {"data.sample_fraction": 1.0, "data.image_size": 32, "data.cache_mib": 0},
        {"data.image_size": 1024, "training.num_workers": 256, "training.threads": 1024},
        {"model.dropout": 0.0, "optimizer.min_lr": 0.0, "training.gradient_clip_val": 0.0, "training.threads": 1},
        {"training.augmentation_strength": 2, "seed": 2**32 - 1},
    ],
)
def test_the_bounds_themselves_are_allowed(overrides: dict[str, object]) -> None:
    config = as_dict(load_config(overrides=overrides))

    for key, value in overrides.items():
        assert functools.reduce(operator.getitem, key.split("."), config) == value


@pytest.mark.parametrize("content", ["- a list\n", "data: [unclosed\n"])
def test_a_file_that_is_no_mapping_is_an_error_that_names_it(tmp_path: Path, content: str) -> None:
    file = tmp_path / "train.yaml"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError, match=r"train\.yaml"):
        load_config(file)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml: cannot be read"):
        load_config(tmp_path / "absent.yaml")


def test_the_whole_configuration_comes_back_from_its_plain_form() -> None:
    config = load_config(overrides={"data.csv_filename": "t.csv", "training.monitor": "val_loss"})

    assert from_dict(as_dict(config)) == config
    assert set(as_dict(config)) == {"seed", "data", "loss", "model", "optimizer", "training", "evaluation"}


@pytest.mark.parametrize(
    ("monitor", "better"),
    [
        *(("val_loss", "min"), ("train/focal-loss", "min"), ("val.brier", "min"), ("ECE", "min"), ("val_error", "min")),
        *(("val_auroc", "max"), ("val_f1", "max"), ("val_recece", "max"), ("brier_skill", "max")),
    ],
)
def test_a_loss_or_an_error_is_better_when_less_and_anything_else_when_more(monitor: str, better: str) -> None:
    assert load_config(overrides={"training.monitor": monitor}).training.better == better


def test_what_is_better_can_be_said(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text("training: {monitor: val_distance, monitor_mode: min}", encoding="utf-8")

    assert load_config(file).training.better == "min"


@pytest.mark.parametrize("name", names())
def test_each_recipe_is_a_configuration_that_is_named_as_a_file_is(name: str) -> None:
    config = load_config(name, {"training.batch_size": 8})

    assert config.data.image_size == 128
    assert config.training.batch_size == 8
    assert config != load_config(overrides={"training.batch_size": 8})


def test_a_file_comes_before_a_recipe_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kermany-128-scratch").write_text("seed: 9", encoding="utf-8")

    assert load_config("kermany-128-scratch") == load_config(overrides={"seed": 9})


def test_a_file_that_is_not_there_is_answered_with_the_recipes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="or a recipe: kermany-128-scratch, kermany-128-weights"):
        load_config(tmp_path / "kermany-128")
