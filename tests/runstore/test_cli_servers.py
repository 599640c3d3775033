"""What the commands show of a sweep is the same on each server as in SQLite."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runstore import MetricPoint, open_store
from support.commands import runstore

_START = datetime(2026, 11, 28, 12, tzinfo=UTC)


def _sweep(url: str) -> None:
    with open_store(url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("sweep")
        for number, parent in enumerate([None, "run-0", "run-0", "run-2"]):
            start = _START + timedelta(minutes=number)
            run_id = store.ensure_run(
                experiment_id, run_id=f"run-{number}", name=f"n{number}", parent_run_id=parent, start_time=start
            )
            store.log_config(run_id, {"lr": 0.1 / (1 + number), "depth": 18, "optim": {"name": "adam"}})
            points = [MetricPoint("loss", 1 / (1 + step + number), step, "train") for step in range(5)]
            store.log_metrics(run_id, points)
            store.finalize(run_id, "completed", end_time=start + timedelta(minutes=1))


def _told(url: str, *arguments: str) -> Any:
    printed = runstore(*arguments, "--json", "--store", url)
    assert printed.returncode == 0, printed.stderr
    return json.loads(printed.stdout)


def _ids(runs: list[dict[str, Any]]) -> list[Any]:
    return [[run["id"], run["changed"], *_ids(run["children"])] for run in runs]


@pytest.mark.parametrize(
    "server",
    [
        "sqlite_url",
        *(
            pytest.param(name, marks=pytest.mark.server)
            for name in ("postgresql_url", "mariadb_url", "mongodb_url", "mongodb_replica_url")
        ),
    ],
)
def test_a_sweep_is_shown_alike_on_each_database(server: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(server)
    _sweep(url)

    tree = _told(url, "runs", "--tree", "--only-changed")
    compared = _told(url, "compare", "@1", "run-1")
    (history,) = _told(url, "history", "n2", "loss", "--min-step", "3")

    assert _ids(tree) == [
        ["run-0", {"lr": 0.1}, ["run-2", {"lr": 0.1 / 3}, ["run-3", {"lr": 0.025}]], ["run-1", {"lr": 0.05}]]
    ]
    assert compared["config"] == {"lr": {"run-3": 0.025, "run-1": 0.05}}
    assert compared["run"] == {"parent_run_id": {"run-3": "run-2", "run-1": "run-0"}}
    assert [(row["series"], row["stat"], row["best"]) for row in compared["metrics"]] == [
        ("train/loss", "min", ["run-3"])
    ]
    assert (history["steps"], history["values"]) == ([3, 4], [1 / 6, 1 / 7])
