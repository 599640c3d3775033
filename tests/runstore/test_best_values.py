"""Which series are said first: results, on data that a run has not learnt from."""

from runstore.texts import leading_series


def test_validation_comes_before_test_and_test_before_train() -> None:
    run = [("loss", "train"), ("loss", "test"), ("loss", "validation"), ("lr", "other")]

    assert leading_series([run], limit=9) == [
        ("loss", "validation"),
        ("loss", "test"),
        ("loss", "train"),
        ("lr", "other"),
    ]


def test_each_metric_stands_there_once_before_any_stands_there_again_and_losses_come_last() -> None:
    run = [(name, kind) for name in ("loss", "recall", "dice") for kind in ("train", "validation")]

    assert leading_series([run], limit=4) == [
        ("dice", "validation"),
        ("recall", "validation"),
        ("loss", "validation"),
        ("dice", "train"),
    ]
    assert [name for name, _ in leading_series([run], limit=4, each_once=True)] == ["dice", "recall", "loss"]


def test_a_metric_that_only_training_data_has_is_said_too() -> None:
    assert leading_series([[("accuracy", "train"), ("loss", "validation")]], limit=4, each_once=True) == [
        ("loss", "validation"),
        ("accuracy", "train"),
    ]


def test_where_the_dataset_type_says_nothing_the_words_of_the_name_do() -> None:
    run = [("train_loss", "other"), ("val_loss", "other"), ("eval/accuracy", "other")]

    assert leading_series([run], limit=4, each_once=True) == [("eval/accuracy", "other"), ("val_loss", "other")]


def test_what_few_runs_have_comes_after_what_most_have() -> None:
    runs = [[("loss", "validation"), ("loss", "train")], [("loss", "train")], [("loss", "train")]]

    assert leading_series(runs, limit=4, each_once=True) == [("loss", "train")]
