"""Runs as a table: a row a run in the order asked for, a column a field of the filter language."""

import logging
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas
import polars
import pyarrow
import pytest

from runstore import MetricPoint, Store, open_store
from runstore.errors import InvalidValueError, QueryError

START = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


@pytest.fixture
def store() -> Any:
    with open_store("memory://", durable=False) as opened:
        yield opened


def make_runs(store: Store) -> list[str]:
    """Two runs of two experiments: one whole, one with nothing but an id."""
    first, second = store.get_or_create_experiment("lungs"), store.get_or_create_experiment("hearts")
    whole = store.ensure_run(first, name="unet", tags={"owner": "me"}, start_time=START)
    store.log_config(whole, {"lr": 0.1, "model": {"depth": 18, "a.b": True}, "layers": [1, 2]})
    store.log_metrics(
        whole,
        [
            MetricPoint(name="loss", value=0.5, step=0, dataset_type="train"),
            MetricPoint(name="loss", value=math.nan, step=1, dataset_type="train"),
            MetricPoint(name="auroc", value=0.9, step=0, dataset_type="validation"),
        ],
    )
    store.finalize(whole, "completed", end_time=START + timedelta(seconds=90))
    bare = store.ensure_run(second, start_time=START + timedelta(minutes=1))
    return [whole, bare]


def test_by_default_it_has_what_is_known_of_the_runs(store: Store) -> None:
    whole, bare = make_runs(store)

    rows = list(store.runs_frame(order_by=["start_time"], as_="frame"))

    assert list(rows[0]) == [
        "id",
        "name",
        "experiment",
        "status",
        "start_time",
        "duration",
        "tag.owner",
        "config.layers",
        "config.lr",
        'config.model."a.b"',
        "config.model.depth",
        "metric.train.loss",
        "metric.validation.auroc",
    ]
    assert rows[0]["id"] == whole
    assert rows[0]["experiment"] == "lungs"
    assert rows[0]["duration"] == 90.0
    assert rows[0]["config.layers"] == "[1,2]"
    assert math.isnan(rows[0]["metric.train.loss"])
    assert rows[1] | {"id": bare, "experiment": "hearts", "status": "in_progress"} == rows[1]
    assert {name for name, value in rows[1].items() if value is None} == set(rows[1]) - {
        "id",
        "experiment",
        "status",
        "start_time",
    }


def test_columns_are_the_fields_that_were_asked_for_in_their_order(store: Store) -> None:
    make_runs(store)

    frame = store.runs_frame(
        columns=[
            "metric.train.loss.min",
            "config.model.depth",
            "attempt",
            "tag.owner",
            "metric.train.loss.count",
            "end_time",
        ],
        order_by=["start_time"],
        as_="frame",
    )

    assert list(frame) == [
        {
            "metric.train.loss.min": 0.5,
            "config.model.depth": 18,
            "attempt": 1,
            "tag.owner": "me",
            "metric.train.loss.count": 2,
            "end_time": START + timedelta(seconds=90),
        },
        {
            "metric.train.loss.min": None,
            "config.model.depth": None,
            "attempt": 1,
            "tag.owner": None,
            "metric.train.loss.count": None,
            "end_time": None,
        },
    ]


def test_a_group_stands_for_all_that_the_runs_have(store: Store) -> None:
    make_runs(store)

    def columns(*asked: str) -> tuple[str, ...]:
        return tuple(store.runs_frame(columns=list(asked), as_="frame").columns)

    assert columns("metric.*") == ("metric.train.loss", "metric.validation.auroc")
    assert columns("metric.validation.*.max", "tag.*") == ("metric.validation.auroc.max", "tag.owner")
    assert columns("config.lr", "config.*")[0] == "config.lr"
    assert len(columns("config.lr", "config.*")) == 4


def test_a_name_that_needs_quotes_is_written_so_that_the_filter_takes_it(store: Store) -> None:
    experiment_id = store.get_or_create_experiment("odd")
    run_id = store.ensure_run(experiment_id, tags={'a "b".c': "x"})
    store.log_config(run_id, {"a b": {"": 1}})
    store.log_metrics(run_id, [MetricPoint(name="max", value=1.0, step=0, dataset_type="train")])

    columns = store.runs_frame(columns=["tag.*", "config.*", "metric.*"], as_="frame").columns

    assert columns == ('tag."a ""b"".c"', 'config."a b".""', "metric.train.max")
    again = store.runs_frame(columns=columns, as_="frame")
    assert list(again) == [dict(zip(columns, ("x", 1, 1.0), strict=True))]


def test_a_table_without_columns_has_its_rows(store: Store) -> None:
    make_runs(store)

    for as_ in ("frame", "pandas", "arrow"):
        assert len(store.runs_frame(columns=["metric.test.*"], as_=as_)) == 2
    assert list(store.runs_frame(columns=[], as_="frame")) == [{}, {}]


def test_a_filter_an_order_and_a_limit_are_those_of_a_search(store: Store) -> None:
    experiment_id = store.get_or_create_experiment("many")
    for number in range(7):
        store.ensure_run(experiment_id, name=f"run {number}", tags={"odd": str(number % 2)})

    frame = store.runs_frame("tag.odd = '1'", columns=["name"], order_by=["name desc"], limit=2, as_="frame")

    assert frame["name"] == ["run 5", "run 3"]
    assert len(store.runs_frame(experiment_id="nobody", as_="frame")) == 0


def test_more_runs_than_a_page_are_all_there_and_a_late_column_is_missing_before(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runstore.query.walking._PAGE", 4)
    experiment_id = store.get_or_create_experiment("many")
    for number in range(10):
        run_id = store.ensure_run(experiment_id, name=f"{number}")
        store.log_config(run_id, {"number": number} | ({"late": True} if number == 9 else {}))

    frame = store.runs_frame(columns=["name", "config.*"], order_by=["name"], as_="frame")

    assert frame["config.number"] == list(range(10))
    assert frame["config.late"] == [None] * 9 + [True]


def test_it_comes_as_each_library_has_it(store: Store) -> None:
    make_runs(store)

    assert isinstance(store.runs_frame(), pandas.DataFrame)
    assert isinstance(store.runs_frame(as_="pandas"), pandas.DataFrame)
    assert isinstance(store.runs_frame(as_="polars"), polars.DataFrame)
    assert isinstance(store.runs_frame(as_="arrow"), pyarrow.Table)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["nonsense"], "expected a field"),
        (["params.lr"], "did you mean config.lr?"),
        (["artifact"], "artifact is no column"),
        (["config.*.max"], "cannot read"),
        (["name desc"], "expected the end"),
        (5, "give a list of fields"),
    ],
)
def test_a_column_that_is_no_field_is_refused_before_anything_is_read(store: Store, columns: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message.replace("?", r"\?")):
        store.runs_frame(columns=columns)


def test_arguments_are_checked_as_those_of_a_search(store: Store) -> None:
    with pytest.raises(QueryError):
        store.runs_frame("nonsense = 1")
    with pytest.raises(InvalidValueError, match="limit is 0"):
        store.runs_frame(limit=0)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("config.lrr", "no run has config.lrr; did you mean config.lr?"),
        ("config.dept", "no run has config.dept;"),
        ("tag.ownr", "no run has tag.ownr; did you mean tag.owner?"),
        ("metric.validation.aurok.max", "did you mean metric.validation.auroc.max?"),
        ("metric.train.auroc", "no run has metric.train.auroc;"),
    ],
)
def test_a_column_that_no_run_has_is_empty_and_named_in_a_warning(
    store: Store, column: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    make_runs(store)

    with caplog.at_level(logging.WARNING, "runstore.frames"):
        frame = store.runs_frame(columns=["id", column], as_="frame")

    assert frame[column] == [None, None]
    (record,) = caplog.records
    assert said in record.getMessage()


def test_a_column_that_other_runs_have_and_a_table_of_no_runs_are_no_mistake(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    _, bare = make_runs(store)

    with caplog.at_level(logging.WARNING, "runstore.frames"):
        store.runs_frame(f"id = '{bare}'", columns=["config.lr", "tag.owner", "metric.train.loss", "note"])
        store.runs_frame("name = 'nobody'", columns=["config.lrr"])

    assert caplog.records == []
