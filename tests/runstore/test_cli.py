"""The command as its user meets it: a terminal, an exit status, a line that says what is wrong."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from runstore import MetricPoint, open_store


def _runstore(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from runstore.cli import main; sys.argv[0] = 'runstore'; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def run_id(sqlite_url: str, tmp_path: Path) -> str:
    """A run with a hostile name, a NaN, a config and an artifact."""
    (tmp_path / "model.bin").write_bytes(b"weights")
    with open_store(sqlite_url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("pneumonia"), name="[red]x[/red]\u202e")
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
    shown = _runstore("show", run_id, "--store", sqlite_url)

    assert shown.returncode == 0, shown.stderr
    for text in (
        "pneumonia",
        "[red]x[/red]",
        "failed",
        "ValueError: no more X-rays",
        "0.9 @ 1",
        "model.bin",
        '"depth": 18',
    ):
        assert text in shown.stdout


def test_json_is_strict_json(sqlite_url: str, run_id: str) -> None:
    shown = _runstore("show", run_id, "--store", sqlite_url, "--json")

    values = json.loads(shown.stdout, parse_constant=pytest.fail)
    assert values["config"] == {"model": {"depth": 18, "lr": "inf"}}
    assert values["summaries"][0]["last"] == {"step": 2, "value": "nan"}


def test_runs_are_listed_by_filter(sqlite_url: str, run_id: str) -> None:
    found = _runstore("runs", "--store", sqlite_url, "--filter", "metric.validation.auroc.max > 0.8", "--json")
    none = _runstore("runs", "--store", sqlite_url, "--filter", "status = 'completed'", "--json")

    assert [run["id"] for run in json.loads(found.stdout)] == [run_id]
    assert json.loads(none.stdout) == []


def test_an_artifact_is_fetched_into_a_file(sqlite_url: str, run_id: str, tmp_path: Path) -> None:
    target = tmp_path / "out" / "fetched.bin"

    fetched = _runstore("fetch", run_id, "model.bin", str(target), "--store", sqlite_url)

    assert fetched.returncode == 0, fetched.stderr
    assert target.read_bytes() == b"weights"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "no-such-run"), "no run has the id 'no-such-run'"),
        (("runs", "--filter", "status ="), "found the end"),
        (("runs", "--store", "nowhere://u:s3cret@h"), "no backend for scheme 'nowhere'"),
    ],
)
@pytest.mark.usefixtures("run_id")
def test_a_failure_is_one_line_and_status_one(sqlite_url: str, arguments: tuple[str, ...], told: str) -> None:
    store = () if "--store" in arguments else ("--store", sqlite_url)

    failed = _runstore(*arguments, *store)

    assert failed.returncode == 1
    assert told in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1
    assert "s3cret" not in failed.stderr


def test_the_backends_are_listed() -> None:
    listed = json.loads(_runstore("backends", "--json").stdout)

    assert {"memory", "sqlite", "postgresql", "mysql", "mongodb"} <= {row["name"] for row in listed["backends"]}
