"""The configuration: typed, checked, and whole when it is logged."""

from pathlib import Path

import pytest

from pneumo_train.config import TrainConfig, as_dict, from_dict, load_config
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
    ("overrides", "message"),
    [
        ({"data.image_size": 8}, r"data\.image_size = 8: must lie in 32"),
        ({"data.image_size": "large"}, r"data\.image_size: expected `int`, got `str`"),
        ({"data.validation_fraction": 1.0}, r"data\.validation_fraction = 1\.0"),
        ({"data.sample_fraction": 0}, r"data\.sample_fraction"),
        ({"model.depth": 19}, r"model\.depth: invalid enum value 19"),
        ({"model.fine_tune_layers": 2}, r"fine_tune_layers = 2: .*freeze_backbone"),
        ({"optimizer.learning_rate": float("nan")}, r"learning_rate = nan: must be a finite number"),
        ({"training.monitor": "val_auc"}, r"training\.monitor = 'val_auc': .*did you mean 'val_auroc'"),
        ({"training.threads": 0}, r"training\.threads = 0"),
        ({"seed": -1}, r"seed = -1"),
        ({"model": 3}, r"model: expected `object`"),
    ],
)
def test_a_value_out_of_range_or_of_the_wrong_type_names_its_key(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(overrides=overrides)


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
    assert set(as_dict(config)) == {"seed", "data", "model", "optimizer", "training"}


def test_a_loss_is_minimised_and_anything_else_maximised() -> None:
    assert load_config(overrides={"training.monitor": "val_loss"}).training.monitor_mode == "min"
    assert load_config(overrides={"training.monitor": "val_f1"}).training.monitor_mode == "max"
