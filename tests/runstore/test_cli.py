"""The command as its user meets it: a terminal, an exit status, a line that says what is wrong."""

import json
import math
import re
import sqlite3
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest

from runstore import MetricPoint, open_store
from runstore.cli.recorders import recorder_table
from runstore.recording import Counts, RunHealth
from support.commands import runstore

_HOSTILE = "\x1b[2J\x9b31m\x7f\u202e\U000e0041 two\nlines"
"""Clears the screen, colours it, and turns the direction of writing."""


@pytest.fixture
def run_id(sqlite_url: str, tmp_path: Path) -> str:
    """A run with a hostile name, a NaN, a config and an artifact."""
    (tmp_path / "model.bin").write_bytes(b"weights")
    with open_store(sqlite_url, durable=False) as store:
        run_id = store.ensure_run(
            store.get_or_create_experiment("pneumonia"), name="[red]x[/red]", tags={"note": _HOSTILE}
        )
        values = [0.5, 0.9, math.nan]
        store.log_metrics(
            run_id,
            [
                MetricPoint(name="auroc", value=value, step=step, dataset_type="validation")
                for step, value in enumerate(values)
            ],
        )
        store.log_config(run_id, {"model": {"depth": 18, "lr": math.inf}})
        store.log_artifact(run_id, tmp_path / "model.bin", artifact_type="model", metadata={"score": 0.9})
        store.finalize(run_id, "failed", error=ValueError("no more X-rays"))
    return run_id


def test_a_run_is_shown_with_its_metrics_config_artifacts_and_how_it_ended(sqlite_url: str, run_id: str) -> None:
    shown = runstore("show", run_id, "--store", sqlite_url)

    assert shown.returncode == 0, shown.stderr
    for text in (
        "pneumonia",
        "[red]x[/red]",
        "failed",
        "ValueError: no more X-rays",
        "0.9 @ 1",
        "model.bin",
        "model.depth  18",
    ):
        assert text in shown.stdout


@pytest.mark.parametrize("arguments", [("show", "RUN"), ("show", "RUN", "--json"), ("runs",), ("runs", "--json")])
def test_no_text_of_a_store_steers_the_terminal(sqlite_url: str, run_id: str, arguments: tuple[str, ...]) -> None:
    given = [run_id if argument == "RUN" else argument for argument in arguments]

    printed = runstore(*given, "--store", sqlite_url)

    assert printed.returncode == 0, printed.stderr
    assert [character for character in printed.stdout if not character.isprintable() and character != "\n"] == []
    if "--json" in arguments:
        values = json.loads(printed.stdout)
        assert (values if "RUN" in arguments else values[0])["tags"] == {"note": _HOSTILE}


def test_whether_a_recorder_lost_anything_is_read_at_a_glance(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    with open_store(sqlite_url) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("recorded"))
        store.log_metrics(
            run_id, [MetricPoint(name="loss", value=0.5, step=step, dataset_type="train") for step in (0, 1)]
        )
        store.log_artifact(run_id, tmp_path / "model.bin")
        store.finalize(run_id, "completed")

    shown = runstore("show", run_id, "--store", sqlite_url)
    values = json.loads(runstore("show", run_id, "--store", sqlite_url, "--json").stdout)

    section = shown.stdout[shown.stdout.index("\nrecorder") :].split("\n\n")[0]
    *rows, lag = [line.split(maxsplit=1) for line in section.splitlines() if line]
    assert re.fullmatch(r"lag +\d+\.\d s", lag[1])
    assert rows == [
        ["recorder", "0 lost"],
        ["accepted", "4 calls, 2 points"],
        ["stored", "4 calls, 2 points"],
        ["waiting", "0"],
        ["quarantined", "0"],
        ["writers", "1"],
    ]
    assert "model.bin" in shown.stdout
    assert "runstore.health" not in shown.stdout
    [(writer, figures)] = values["health"].items()
    assert figures["calls"] == {"accepted": 4, "stored": 4, "waiting": 0, "quarantined": 0, "dropped": 0}
    assert f"runstore.health/{writer}" in [artifact["name"] for artifact in values["artifacts"]]


def test_figures_of_several_writers_are_added_and_what_is_lost_is_said_first() -> None:
    calls = Counts(accepted=9, stored=5, quarantined=1, dropped=2)
    points = Counts(accepted=90, stored=50, quarantined=10, dropped=20)
    report = RunHealth(run_id="r", calls=calls, points=points)

    titles, rows = recorder_table({"a": report, "b": report})

    assert titles[1].startswith("LOST 4 calls, 40 points")
    assert rows[0] == ["accepted", "18 calls, 180 points"]
    assert rows[2][1].startswith("6 calls, 60 points")
    assert rows[3][1].startswith("2 calls, 20 points")


def test_an_artifact_that_only_bears_the_name_of_a_report_is_an_artifact(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("own"))
        uri, name = "mine:x", "runstore.health/mine"
        store.log_artifact(run_id, uri, name=name, artifact_type="health", copy=False, metadata={"calls": "many"})

    shown = runstore("show", run_id, "--store", sqlite_url)

    assert shown.returncode == 0, shown.stderr
    assert "runstore.health/mine" in shown.stdout
    assert "recorder" not in shown.stdout  # the table of recorders, in whose title stands what was lost
    assert "0 lost" not in shown.stdout


def test_json_is_strict_json(sqlite_url: str, run_id: str) -> None:
    shown = runstore("show", run_id, "--store", sqlite_url, "--json")

    values = json.loads(shown.stdout, parse_constant=pytest.fail)
    assert values["config"] == {"model": {"depth": 18, "lr": "inf"}}
    assert values["summaries"][0]["last"] == {"step": 2, "value": "nan"}


def test_runs_are_listed_by_filter(sqlite_url: str, run_id: str) -> None:
    found = runstore("runs", "--store", sqlite_url, "--filter", "metric.validation.auroc.max > 0.8", "--json")
    none = runstore("runs", "--store", sqlite_url, "--filter", "status = 'completed'", "--json")

    assert [run["id"] for run in json.loads(found.stdout)] == [run_id]
    assert json.loads(none.stdout) == []


def test_an_artifact_is_fetched_into_a_file(sqlite_url: str, run_id: str, tmp_path: Path) -> None:
    target = tmp_path / "out" / "fetched.bin"

    fetched = runstore("fetch", run_id, "model.bin", str(target), "--store", sqlite_url)

    assert fetched.returncode == 0, fetched.stderr
    assert target.read_bytes() == b"weights"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "no-such-run"), "no run has the id or the name 'no-such-run'"),
        (("runs", "--filter", "status ="), "found the end"),
        (("runs", "--store", "nowhere://u:s3cret@h"), "no backend for scheme 'nowhere'"),
    ],
)
@pytest.mark.usefixtures("run_id")
def test_a_failure_is_one_line_and_status_one(sqlite_url: str, arguments: tuple[str, ...], told: str) -> None:
    store = () if "--store" in arguments else ("--store", sqlite_url)

    failed = runstore(*arguments, *store)

    assert failed.returncode == 1
    assert told in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1
    assert "s3cret" not in failed.stderr


def test_the_backends_are_listed() -> None:
    listed = json.loads(runstore("backends", "--json").stdout)

    assert {"memory", "sqlite", "postgresql", "mysql", "mongodb"} <= {row["name"] for row in listed["backends"]}


def test_the_command_tells_its_version() -> None:
    told = runstore("--version")

    assert told.returncode == 0
    assert told.stdout == f"runstore, version {version('runstore')}\n"


def test_a_list_without_runs_says_why_it_is_empty(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False):
        pass

    none_yet = runstore("runs", "--store", sqlite_url)
    none_matches = runstore("runs", "--store", sqlite_url, "--filter", "status = 'failed'")

    assert none_yet.stdout == "There are no runs yet.\n"
    assert none_matches.stdout == "No run matches.\n"


@pytest.mark.parametrize("arguments", [("runs",), ("show", "x"), ("experiments",), ("fetch", "x", "y")])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_message_speaks_of_commands_and_not_of_calls(
    tmp_path: Path, arguments: tuple[str, ...], *, is_there: bool
) -> None:
    if is_there:
        with closing(sqlite3.connect(tmp_path / "runs.db")) as other:
            other.execute("CREATE TABLE somebody_else_s (colour)")

    refused = runstore(*arguments, "--store", f"sqlite:///{tmp_path}/runs.db")

    assert refused.returncode == 1
    assert re.search(r"\w\(", refused.stderr) is None
    assert ("somebody_else_s" if is_there else "no such file") in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [("runs", "URL"), ("runs", "--limit", "URL"), ("show", "a", "URL"), ("show", "URL"), ("sync", "URL"), ("URL",)],
)
def test_a_url_that_stands_where_none_belongs_shows_no_password(sqlite_url: str, arguments: tuple[str, ...]) -> None:
    with open_store(sqlite_url, durable=False):
        pass
    given = [each.replace("URL", "postgresql://me:hun@s3/c ret@host/lab") for each in arguments]

    refused = runstore(*given, RUNSTORE_URL=sqlite_url)

    assert refused.returncode in {1, 2}
    assert "s3" not in refused.stderr
    assert "c ret" not in refused.stderr


def test_a_run_that_is_named_by_nothing_is_refused(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False):
        pass

    refused = runstore("show", "", "--store", sqlite_url)

    assert refused.returncode == 1
    assert "no run is named" in refused.stderr
