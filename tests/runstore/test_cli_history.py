"""The points of metrics on the screen, in a picture, and in files."""

import csv
import io
import json
import math
from pathlib import Path

import pytest

from runstore import MetricPoint, open_store
from runstore.cli.output.plot import plotted
from support.commands import runstore

_COUNT = 3000


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with one run: a long series, a short one of the same name, and one that is never finite."""
    url = f"sqlite:///{tmp_path_factory.mktemp('curves')}/runs.db"
    with open_store(url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("lungs"), name="long")
        store.log_metrics(run_id, [MetricPoint("loss", 1 / (1 + step), step, "train") for step in range(_COUNT)])
        store.log_metrics(run_id, [MetricPoint("loss", 0.5, step, "validation") for step in (0, 1000, 2000)])
        store.log_metrics(run_id, [MetricPoint("grad", math.nan, step, "other") for step in range(2)])
        store.finalize(run_id, "completed")
    return url


def test_a_long_series_is_sampled_and_how_many_points_there_are_is_said(url: str) -> None:
    printed = runstore("history", "@1", "loss", "--store", url, columns=60)

    lines = printed.stdout.splitlines()
    assert lines[0].split() == ["step", "train", "validation"]
    assert len(lines) < 30
    assert ["1000", "0.5"] in [line.split() for line in lines]
    assert f"of {_COUNT:,} points" in printed.stderr
    assert "validation/loss" not in printed.stderr


def test_of_a_range_of_steps_all_points_are_shown_and_nothing_is_said(url: str) -> None:
    printed = runstore("history", "@1", "train_loss", "--min-step", "10", "--max-step", "49", "--all", "--store", url)

    steps = [line.split()[0] for line in printed.stdout.splitlines()[3:]]
    assert steps == list(map(str, range(10, 50)))
    assert printed.stderr == ""


def test_programs_get_every_point(url: str) -> None:
    as_json = json.loads(runstore("history", "@1", "loss", "grad", "--json", "--store", url).stdout)
    as_csv = list(csv.DictReader(io.StringIO(runstore("history", "@1", "loss", "--csv", "--store", url).stdout)))

    assert [(each["dataset_type"], len(each["steps"])) for each in as_json] == [
        ("train", _COUNT),
        ("validation", 3),
        ("other", 2),
    ]
    assert as_json[2]["values"] == ["nan", "nan"]
    assert len(as_csv) == _COUNT + 3
    assert float(as_csv[2]["value"]) == 1 / 3
    assert (as_csv[2]["name"], as_csv[2]["dataset_type"], as_csv[2]["step"]) == ("loss", "train", "2")


def test_a_parquet_file_has_every_point_and_replaces_nothing_unasked(url: str, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    target = tmp_path / "new" / "loss.parquet"

    written = runstore("history", "@1", "loss", "--parquet", str(target), "--store", url)
    refused = runstore("history", "@1", "grad", "--parquet", str(target), "--store", url)
    table = parquet.read_table(target)

    assert written.returncode == 0, written.stderr
    assert table.column_names == ["run_id", "name", "dataset_type", "step", "value", "logged_at"]
    assert table["value"].to_pylist()[:3] == [1, 1 / 2, 1 / 3]
    assert table.num_rows == _COUNT + 3
    assert refused.returncode == 1
    assert "--force" in refused.stderr


@pytest.mark.parametrize("columns", [60, 120])
def test_a_picture_is_as_wide_as_the_terminal(url: str, columns: int) -> None:
    lines = runstore("history", "@1", "loss", "grad", "--plot", "--store", url, columns=columns).stdout.splitlines()

    assert max(map(len, lines)) == columns
    assert "no value is a finite number" in lines
    assert lines[0] == "train/loss"
    assert lines[1].split()[:2] == ["1", "│⡇"]


def test_a_picture_needs_no_braille(url: str) -> None:
    printed = runstore("history", "@1", "train/loss", "--plot", "--store", url, PYTHONIOENCODING="cp1252")

    assert printed.stdout.isascii()
    assert printed.stdout.splitlines()[1].split() == ["1", "|*"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "the run has other/grad, train/loss, validation/loss"),
        (("los",), "did you mean loss?"),
        (("test/loss",), "has no metric 'test/loss'"),
        (("quux",), "there are other/grad, train/loss, validation/loss"),
    ],
)
def test_a_metric_that_is_not_there_is_answered_with_those_that_are(
    url: str, arguments: tuple[str, ...], told: str
) -> None:
    refused = runstore("history", "@1", *arguments, "--store", url)

    assert refused.returncode == 1
    assert told in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("steps", "values"),
    [
        ([0], [3.0]),
        ([5, 6], [0.0, 0.0]),
        ([0, 2**62], [-1.7e308, 1.7e308]),
        ([0, 1, 2], [math.nan, math.inf, 5e-324]),
        (range(100), [math.sin(step) for step in range(100)]),
    ],
)
def test_every_curve_has_a_picture_of_the_size_that_was_asked_for(steps: list[int], values: list[float]) -> None:
    lines = plotted(steps, values, width=50, height=6)

    assert len(lines) == 8
    assert max(map(len, lines)) <= 50
    assert any(character >= "\u2801" for line in lines[:6] for character in line if character not in "│└─")


def test_a_gap_is_left_where_a_value_is_not_finite() -> None:
    dots = plotted([0, 1, 2, 3, 4], [0, 0, math.nan, 0, 0], width=44, height=1)[0].split("│")[1]

    filled = [character != " " for character in dots.ljust(40)]
    assert filled[0]
    assert filled[-1]
    assert not any(filled[13:27])
