"""The mean of runs over steps: where it is, of how many runs, and what is done where runs have other steps."""

import csv
import io
import json
import math
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore_ui import Options, make_app
from runstore_ui.means import mean_and_spread
from support.asgi import ask

START = datetime(2026, 1, 1, tzinfo=UTC)
LONG = 20_000


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Runs on the same steps, one that ends early, one on other steps, one with NaN, and three long ones."""
    url = f"sqlite:///{tmp_path_factory.mktemp('groups') / 'runs.db'}"
    series = {
        "a": {step: 1.0 + step for step in range(0, 100, 10)},
        "b": {step: 3.0 + step for step in range(0, 100, 10)},
        "early": {step: 5.0 + step for step in range(0, 50, 10)},
        "other": {step: 2.0 * step for step in range(5, 100, 30)},
        "broken": {0: 1.0, 10: math.nan, 20: 1.0, 30: 1.0},
        **{f"long{index}": {step: index + step / LONG for step in range(LONG)} for index in range(3)},
    }
    with open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment("e")
        for name, values in series.items():
            run = store.ensure_run(experiment, run_id=name, name=f"run {name}", start_time=START)
            points = [
                MetricPoint("loss", value, step, "validation", START + timedelta(seconds=step))
                for step, value in values.items()
            ]
            store.log_metrics(run, points)
            store.finalize(run, "completed", end_time=START + timedelta(hours=6))
    with open_reader(url) as reader:
        yield make_app(reader, Options(shown_url=url))


def query(*runs: str, more: str = "") -> str:
    return f"group=g&{'&'.join(f'run={run}' for run in runs)}&metric=loss&dataset=validation{more}"


def drawn(app: Any, *runs: str, more: str = "") -> tuple[dict[str, Any], dict[float, Any]]:
    """The chart, and of its mean the value, the deviation and the number of runs at each place."""
    chart = json.loads(ask(app, f"/chart.json?{query(*runs, more=more)}").body)
    line = chart["series"][0]
    columns = zip(line["x"], line["y"], line["spread"], line["runs"], strict=True)
    return chart, {x: (y, spread, count) for x, y, spread, count in columns}


def test_at_common_steps_the_mean_and_the_deviation_are_those_of_the_values(groups: Any) -> None:
    chart, found = drawn(groups, "a", "b")

    assert chart["means"] == "mean ± sd of runs"
    assert found == {step: (2.0 + step, pytest.approx(math.sqrt(2)), 2) for step in range(0, 100, 10)}


def test_a_run_that_ended_counts_no_longer_and_the_number_of_runs_says_so(groups: Any) -> None:
    chart, found = drawn(groups, "a", "b", "early")

    assert [count for _, _, count in found.values()] == [3] * 5 + [2] * 5
    assert chart["series"][0]["label"] == "g, n 2 to 3"


def test_of_one_run_there_is_no_deviation(groups: Any) -> None:
    _, found = drawn(groups, "a")

    assert set(found.values()) == {(1.0 + step, None, 1) for step in range(0, 100, 10)}


def test_a_run_on_other_steps_counts_between_its_points_by_a_straight_line_and_the_chart_says_so(groups: Any) -> None:
    chart, found = drawn(groups, "a", "other")

    assert "between its points a run counts by a straight line" in chart["means"]
    assert found[20] == (pytest.approx((21 + 40) / 2), pytest.approx(statistics.stdev([21, 40])), 2)
    assert found[35] == (pytest.approx((36 + 70) / 2), pytest.approx(statistics.stdev([36, 70])), 2)
    assert found[0][2] == 1


def test_next_to_a_value_that_is_not_finite_a_run_does_not_count(groups: Any) -> None:
    chart, found = drawn(groups, "a", "broken")

    assert [found[step][2] for step in (0, 10, 20, 30, 40)] == [2, 1, 2, 2, 1]
    assert chart["not_finite"] == 1


def test_long_histories_have_means_at_steps_that_all_have_and_a_range_has_more_of_them(groups: Any) -> None:
    chart, found = drawn(groups, "long0", "long1", "long2")
    near, narrow = drawn(groups, "long0", "long1", "long2", more="&from=100&to=300")

    assert chart["means"] == f"mean ± sd of runs at {len(found)} steps"
    assert 300 < len(found) <= 501
    assert all(value == (pytest.approx(1 + x / LONG), pytest.approx(1.0), 3) for x, value in found.items())
    assert (list(narrow), near["means"]) == (list(range(100, 301)), "mean ± sd of runs")


@pytest.mark.parametrize("by", ["time", "log"])
def test_on_other_axes_means_lie_at_their_places(groups: Any, by: str) -> None:
    _, found = drawn(groups, "a", "b", more=f"&by={by}")

    assert found[50] == (52.0, pytest.approx(math.sqrt(2)), 2)
    assert (0 in found) == (by == "time")


def test_over_time_a_mean_knows_its_steps_so_that_a_range_can_be_told_in_them(groups: Any) -> None:
    chart, _ = drawn(groups, "a", "b", more="&by=time")

    assert chart["series"][0]["steps"] == list(range(0, 100, 10))


def test_each_run_is_smoothed_before_the_mean_is_made(groups: Any) -> None:
    chart, found = drawn(groups, "a", "b", more="&smooth=0.5")
    single = [
        json.loads(ask(groups, f"/chart.json?run={run}&metric=loss&smooth=0.5").body)["series"][0]["smooth"]
        for run in ("a", "b")
    ]

    assert chart["means"] == "mean ± sd of runs, each smoothed over all points"
    assert [mean for mean, _, _ in found.values()] == [
        pytest.approx((one + other) / 2) for one, other in zip(*single, strict=True)
    ]


def test_single_runs_have_the_look_of_their_group_and_stand_behind_it(groups: Any) -> None:
    chart, _ = drawn(groups, "a", "b", more="&group=h&run=early&single=yes")
    look = {each["group"]: (each["colour"], each["dash"]) for each in chart["series"] if each["runs"]}

    assert [(each["group"], each["run"]) for each in chart["series"]] == [
        ("g", ""),
        ("h", ""),
        ("g", "a"),
        ("g", "b"),
        ("h", "early"),
    ]
    assert all((each["colour"], each["dash"]) == look[each["group"]] for each in chart["series"])
    assert len(set(look.values())) == 2


def test_the_files_of_a_chart_of_groups_have_mean_deviation_and_number_of_runs(groups: Any) -> None:
    table = list(csv.DictReader(io.StringIO(ask(groups, f"/chart.csv?{query('a', 'b', 'early')}").text)))
    svg = ask(groups, f"/chart.svg?{query('a', 'b', 'early', more='&single=yes')}").text
    root = ElementTree.fromstring(svg)

    assert table[0] == {
        "group": "g",
        "metric": "loss",
        "dataset_type": "validation",
        "step": "0",
        "mean": "3.0",
        "sd": "2.0",
        "n": "3",
    }
    assert [row["n"] for row in table] == ["3"] * 5 + ["2"] * 5
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polygon"))) == 1
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polyline"))) == 4


def test_means_of_values_at_the_edge_of_what_a_number_holds_are_finite() -> None:
    assert mean_and_spread([1.7e308, 1.7e308]) == (1.7e308, 0.0)
    assert mean_and_spread([-1.7e308, 1.7e308])[0] == 0.0
    assert mean_and_spread([5e-324]) == (5e-324, None)
