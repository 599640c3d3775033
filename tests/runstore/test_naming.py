import logging

import pytest

from runstore.model import DatasetType
from runstore.training.naming import MetricNames, SeriesName, split_metric_name


@pytest.mark.parametrize(
    ("key", "name", "dataset_type"),
    [
        ("train_loss", "loss", "train"),
        ("train/loss", "loss", "train"),
        ("training.loss", "loss", "train"),
        ("train_loss_step", "loss_step", "train"),
        ("train_loss_epoch", "loss_epoch", "train"),
        ("val_auroc", "auroc", "validation"),
        ("valid_auroc", "auroc", "validation"),
        ("validation/auroc", "auroc", "validation"),
        ("Val-AUROC", "AUROC", "validation"),
        ("val_loss/dataloader_idx_0", "loss/dataloader_idx_0", "validation"),
        ("val/loss_epoch/dataloader_idx_1", "loss_epoch/dataloader_idx_1", "validation"),
        ("test_acc", "acc", "test"),
        ("testing/acc", "acc", "test"),
    ],
)
def test_a_leading_split_word_becomes_the_dataset_type(key: str, name: str, dataset_type: str) -> None:
    assert split_metric_name(key) == (name, dataset_type)


@pytest.mark.parametrize(
    "key", ["epoch", "lr-Adam", "loss", "loss_val", "train", "val_", "/train_loss", "trainer_speed", "value_loss", ""]
)
def test_anything_else_stays_whole_under_other(key: str) -> None:
    assert split_metric_name(key) == (key, "other")


def test_step_and_epoch_forms_of_one_metric_are_different_series() -> None:
    names = MetricNames()

    series = [names[key] for key in ("train_loss", "train_loss_step", "train_loss_epoch")]

    assert series == [("loss", "train"), ("loss_step", "train"), ("loss_epoch", "train")]


def test_two_keys_that_the_rule_would_merge_stay_apart() -> None:
    names = MetricNames()

    first, second = names["val_loss"], names["val/loss"]

    assert first == ("loss", "validation")
    assert second == ("val/loss", "other")
    assert names["val_loss"] == first
    assert names["val/loss"] == second


def test_that_a_key_does_not_get_its_short_name_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    names = MetricNames()

    with caplog.at_level(logging.WARNING, "runstore.training.naming"):
        for key in ("val_loss", "val/loss", "val/loss", "val/auroc"):
            names[key]

    (record,) = caplog.records
    assert "'val/loss' is kept whole" in record.getMessage()
    assert "'val_loss' has the name 'loss' of validation" in record.getMessage()


@pytest.mark.parametrize("keys", [("val_loss", "val/loss"), ("val/loss", "val_loss")])
def test_a_key_that_a_run_has_whole_stays_whole_in_whatever_order_they_come(keys: tuple[str, str]) -> None:
    names = MetricNames(prefix="a")
    names.learn([SeriesName("a-loss", DatasetType.VALIDATION), SeriesName("a-val/loss", DatasetType.OTHER)])

    found = {key: names[key] for key in keys}

    assert found == {"val_loss": ("a-loss", "validation"), "val/loss": ("a-val/loss", "other")}


def test_what_a_run_has_counts_more_than_what_was_answered_before() -> None:
    names = MetricNames()
    answered_before = names["val/loss"]

    names.learn([SeriesName("val/loss", DatasetType.OTHER)])

    assert answered_before == ("loss", "validation")
    assert names["val/loss"] == ("val/loss", "other")
    assert names["val_loss"] == ("loss", "validation")


def test_the_rule_can_be_switched_off() -> None:
    assert MetricNames(split=False)["val_auroc"] == ("val_auroc", "other")


def test_a_prefix_stands_before_the_name_and_not_before_the_split_word() -> None:
    names = MetricNames(prefix="fold1")

    assert names["val_auroc"] == ("fold1-auroc", "validation")
    assert names["epoch"] == ("fold1-epoch", "other")
