"""What tells runs of a list apart: the settings that differ, and which run is whose child."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from runstore import MetricPoint, open_store
from support.commands import runstore

_START = datetime(2026, 11, 28, 12, tzinfo=UTC)


class _Sweep(NamedTuple):
    study: str
    trials: list[str]
    client: str


@pytest.fixture
def sweep(sqlite_url: str) -> _Sweep:
    """A study with two trials, the second of which has a client; and the settings of the trials."""
    with open_store(sqlite_url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("sweep")
        study = store.ensure_run(experiment_id, name="study", start_time=_START)
        trials = []
        for number, lr in enumerate((0.1, 0.01)):
            start = _START + timedelta(minutes=1 + number)
            run_id = store.ensure_run(experiment_id, name=f"trial {number}", parent_run_id=study, start_time=start)
            store.log_config(run_id, {"lr": lr, "depth": 18, "optim": {"name": "adam"}})
            store.log_metrics(run_id, [MetricPoint("auroc", 0.5 + lr, 0, "validation")])
            store.finalize(run_id, "completed", end_time=start + timedelta(minutes=1))
            trials.append(run_id)
        client = store.ensure_run(
            experiment_id, name="client", parent_run_id=trials[1], start_time=_START + timedelta(minutes=9)
        )
        for run_id in (client, study):
            store.finalize(run_id, "completed", end_time=_START + timedelta(minutes=10))
    return _Sweep(study, trials, client)


def _lines(url: str, *arguments: str, columns: int = 200, **more: str) -> list[str]:
    printed = runstore("runs", *arguments, "--store", url, columns=columns, **more)
    assert printed.returncode == 0, printed.stderr
    return printed.stdout.splitlines()


def test_children_stand_below_their_parents_and_no_child_at_the_top(sqlite_url: str, sweep: _Sweep) -> None:
    lines = _lines(sqlite_url, "--tree")

    assert [line.split("  ")[0] for line in lines[-4:]] == [
        sweep.study,
        f"├─ {sweep.trials[1]}",
        f"│  └─ {sweep.client}".split("  ")[0],
        f"└─ {sweep.trials[0]}",
    ]
    assert f"│  └─ {sweep.client}" in lines[-2]


def test_a_terminal_without_lines_has_a_tree_all_the_same(sqlite_url: str, sweep: _Sweep) -> None:
    printed = runstore("runs", "--tree", "--store", sqlite_url, columns=200, PYTHONIOENCODING="cp1252")

    assert f"|  `- {sweep.client}" in printed.stdout


def test_of_runs_that_a_filter_finds_each_is_listed_once(sqlite_url: str, sweep: _Sweep) -> None:
    lines = _lines(sqlite_url, "--tree", "--filter", "name like 'trial%' or name = 'client'")

    assert [line for line in lines if sweep.client in line] == [lines[-2]]
    assert not any(sweep.study in line for line in lines)


@pytest.mark.parametrize("columns", [60, 80])
def test_a_tree_in_a_narrow_window_has_names(sqlite_url: str, sweep: _Sweep, columns: int) -> None:
    lines = _lines(sqlite_url, "--tree", columns=columns)

    assert max(map(len, lines)) <= columns
    assert [line for line in lines if sweep.client in line and "client" in line]


def test_in_json_children_are_in_their_parents(sqlite_url: str, sweep: _Sweep) -> None:
    (study,) = json.loads("\n".join(_lines(sqlite_url, "--tree", "--json")))

    second, first = study["children"]
    assert [study["id"], second["id"], first["id"]] == [sweep.study, *reversed(sweep.trials)]
    assert [child["id"] for child in second["children"]] == [sweep.client]
    assert first["children"] == []


def test_settings_that_differ_are_columns_and_others_are_not(sqlite_url: str, sweep: _Sweep) -> None:
    lines = _lines(sqlite_url, "--only-changed")
    narrow = _lines(sqlite_url, "--only-changed", columns=80)

    heads = lines[1].split()
    assert "lr" in heads
    assert not {"depth", "optim.name"} & set(heads)
    (row,) = [line for line in lines if sweep.trials[1] in line]
    assert "0.01" in row.split()
    assert "lr" in narrow[1].split()


@pytest.mark.usefixtures("sweep")
def test_settings_that_differ_are_told_to_programs_as_they_are(sqlite_url: str) -> None:
    asked = "--only-changed", "--filter", "name like 'trial%'"

    as_json = json.loads("\n".join(_lines(sqlite_url, *asked, "--json")))
    as_csv = list(csv.DictReader(io.StringIO("\n".join(_lines(sqlite_url, *asked, "--csv")))))

    assert [run["changed"] for run in as_json] == [{"lr": 0.01}, {"lr": 0.1}]
    assert [row["config.lr"] for row in as_csv] == ["0.01", "0.1"]
    assert "config.depth" not in as_csv[0]


@pytest.mark.usefixtures("sweep")
def test_that_nothing_differs_is_said(sqlite_url: str) -> None:
    printed = runstore("runs", "--only-changed", "--filter", "name = 'trial 0'", "--store", sqlite_url)

    assert printed.stderr == "The settings of these runs do not differ.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--only-changed", "--columns", "name"),
        ("--tree", "--csv"),
        ("--watch", "--json"),
        ("--deleted", "--tree"),
        ("--all", "--limit", "3"),
    ],
)
def test_what_cannot_go_together_is_refused(arguments: tuple[str, ...]) -> None:
    refused = runstore("runs", *arguments)

    assert refused.returncode == 2
    assert arguments[0] in refused.stderr
