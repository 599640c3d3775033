"""The points of many series as one long table."""

import logging
import math
from datetime import UTC, datetime
from typing import Any

import polars
import pytest

from runstore import MetricPoint, Store, open_store, start_run
from runstore.errors import InvalidValueError, RunNotFoundError

START = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


@pytest.fixture
def store() -> Any:
    with open_store("memory://", durable=False) as opened:
        yield opened


def point(name: str, kind: str, step: int, value: float) -> MetricPoint:
    return MetricPoint(name=name, value=value, step=step, dataset_type=kind, logged_at=START)


def make_run(store: Store) -> str:
    run_id = store.ensure_run(store.get_or_create_experiment("lungs"))
    store.log_metrics(run_id, [point("loss", "train", step, 1.0 / (step + 1)) for step in range(4)])
    store.log_metrics(run_id, [point("loss", "validation", 3, math.nan), point("lr", "other", 0, 0.1)])
    return run_id


def test_rows_stand_run_by_run_then_by_name_dataset_type_and_step(store: Store) -> None:
    first, second = make_run(store), make_run(store)

    frame = store.history_frame([second, first], as_="frame")

    assert frame.columns == ("run_id", "name", "dataset_type", "step", "value", "logged_at")
    assert frame["run_id"] == [second] * 6 + [first] * 6
    assert frame["name"][:6] == ["loss"] * 5 + ["lr"]
    assert frame["dataset_type"][:6] == ["train"] * 4 + ["validation", "other"]
    assert frame["step"][:6] == [0, 1, 2, 3, 3, 0]
    assert frame["value"][:4] == [1.0, 1 / 2, 1 / 3, 1 / 4]
    assert math.isnan(frame["value"][4])
    assert set(frame["logged_at"]) == {START}


@pytest.mark.parametrize(
    ("metrics", "series"),
    [
        ("loss", [("loss", "train"), ("loss", "validation")]),
        (["loss"], [("loss", "train"), ("loss", "validation")]),
        (("loss", "validation"), [("loss", "validation")]),
        ([("loss", "train"), "lr"], [("loss", "train"), ("lr", "other")]),
        (("loss", "lr"), [("loss", "train"), ("loss", "validation"), ("lr", "other")]),
        ("absent", []),
        ([], []),
    ],
    ids=repr,
)
def test_metrics_are_names_or_pairs_of_name_and_dataset_type(
    store: Store, metrics: Any, series: list[tuple[str, str]]
) -> None:
    run_id = make_run(store)

    frame = store.history_frame(run_id, metrics, as_="frame")

    assert list(dict.fromkeys(zip(frame["name"], frame["dataset_type"], strict=True))) == series


def test_steps_may_be_bounded(store: Store) -> None:
    run_id = make_run(store)

    assert store.history_frame(run_id, ("loss", "train"), min_step=1, max_step=2, as_="frame")["step"] == [1, 2]


def test_many_points_may_be_sampled(store: Store) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("lungs"))
    store.log_metrics(run_id, [point("loss", "train", step, float(step)) for step in range(1000)])

    steps = store.history_frame(run_id, "loss", max_points=10, as_="frame")["step"]

    assert steps == list(store.sample_history(run_id, "loss", "train", max_points=10).steps)
    assert len(steps) <= 10
    part = store.history_frame(run_id, "loss", max_points=10, min_step=900, as_="frame")["step"]
    assert min(part) == 900


def test_runs_may_be_given_as_they_were_read_or_as_a_person_names_them(store: Store) -> None:
    run_id = make_run(store)
    store.rename_run(run_id, "vit")

    expected = list(store.history_frame(store.search_runs(), "lr", as_="frame"))

    assert len(expected) == 1
    for named in (run_id, "vit", "@1", run_id[:8], ["vit", run_id, "@1"], store.iter_runs()):
        assert list(store.history_frame(named, "lr", as_="frame")) == expected


@pytest.mark.parametrize("runs", ["nobody", ["nobody"], "@9"])
def test_a_reference_that_means_no_run_is_an_error(store: Store, runs: Any) -> None:
    make_run(store)

    with pytest.raises(RunNotFoundError, match=r"nobody|@9"):
        store.history_frame(runs, as_="frame")


def test_a_run_that_is_being_led_is_named_by_its_id(store: Store) -> None:
    with start_run("lungs", store=store, console=False) as run:
        for given in (run, [run]):
            with pytest.raises(InvalidValueError, match="its attribute id"):
                store.history_frame(given, as_="frame")  # type: ignore[arg-type]  # a mistake
        assert len(store.history_frame(run.id, as_="frame")) == 0


def test_a_run_that_was_read_and_deleted_since_is_left_out(store: Store) -> None:
    run_id = make_run(store)
    page = store.search_runs()
    store.delete_run(run_id)

    assert len(store.history_frame(page, as_="frame")) == 0


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (("loss", "val"), r"metrics\[0\]\[1\] is 'val'; known: train"),
        (("loss", "Validation"), r"metrics\[0\]\[1\] is 'Validation'; known: train"),
        (["loss", "validation"], r"'validation', which is a dataset type; .* \('loss', 'validation'\)"),
        (["loss", "val"], r"'val', which is a dataset type; .* \('loss', 'validation'\)"),
        (("validation", "loss"), r"'validation', which is a dataset type"),
        ("train/loss", r"'train/loss'; did you mean \('loss', 'train'\)"),
        (["lr", "val_loss"], r"'val_loss'; did you mean \('loss', 'validation'\)"),
    ],
    ids=repr,
)
def test_a_dataset_type_is_never_taken_for_a_name(store: Store, metrics: Any, message: str) -> None:
    run_id = make_run(store)

    with pytest.raises(InvalidValueError, match=message):
        store.history_frame(run_id, metrics, as_="frame")


def test_a_metric_may_have_the_name_of_a_dataset_type(store: Store) -> None:
    run_id = make_run(store)
    store.log_metrics(run_id, [point("val", "other", 0, 1.0), point("test/lr", "other", 0, 1.0)])

    assert store.history_frame(run_id, ["lr", "val", "test/lr"], as_="frame")["name"] == ["lr", "test/lr", "val"]


def test_texts_are_kept_once_however_many_points_there_are(store: Store) -> None:
    make_run(store)

    kinds = store.history_frame(store.search_runs(), as_="polars").schema

    assert (kinds["run_id"], kinds["name"], kinds["step"], kinds["value"]) == (
        polars.Categorical,
        polars.Categorical,
        polars.Int64,
        polars.Float64,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"runs": 5}, "give a run's id"),
        ({"runs": [5]}, r"run_ids\[0\]"),
        ({"runs": "x", "metrics": 5}, "give a metric's name"),
        ({"runs": "x", "metrics": [("loss", "val")]}, "dataset_type|train"),
        ({"runs": "x", "metrics": [("loss", "train", 1)]}, "give a metric's name"),
        ({"runs": "x", "as_": "excel"}, "as_"),
        ({"runs": [], "max_points": 3}, "max_points"),
        ({"runs": [], "min_step": -1}, "min_step"),
        ({"runs": [], "max_step": 1.5}, "max_step"),
    ],
    ids=repr,
)
def test_an_argument_that_is_wrong_is_named(store: Store, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        store.history_frame(**arguments)


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ("los", "these runs have no metric 'los'; did you mean 'loss'?"),
        (
            ["lr", ("loss", "test")],
            "no metric 'loss' of 'test'; did you mean ('loss', 'train') or ('loss', 'validation')?",
        ),
        ("absent", "these runs have no metric 'absent'"),
    ],
)
def test_a_metric_that_the_runs_lack_is_named_in_a_warning(
    store: Store, metrics: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = make_run(store)

    with caplog.at_level(logging.WARNING, "runstore.frames"):
        store.history_frame(run_id, metrics)

    (record,) = caplog.records
    assert said in record.getMessage()


def test_runs_that_have_logged_nothing_yet_lack_no_metric(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    run_id = store.ensure_run(store.get_or_create_experiment("lungs"))

    with caplog.at_level(logging.WARNING, "runstore.frames"):
        store.history_frame(run_id, "loss")

    assert caplog.records == []
