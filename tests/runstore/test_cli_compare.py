"""Runs side by side."""

import csv
import io
import json
import math
from pathlib import Path

import pytest

from runstore import MetricPoint, open_store
from support.commands import runstore


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with three runs, alike in much."""
    url = f"sqlite:///{tmp_path_factory.mktemp('compared')}/runs.db"
    with open_store(url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("lungs")
        parent = store.ensure_run(experiment_id, name="study")
        store.finalize(parent, "completed")
        for number in range(3):
            run_id = store.ensure_run(
                experiment_id,
                name=f"trial {number}",
                parent_run_id=parent if number else None,
                tags={"owner": "me", "stage": f"s{number}"},
                provenance={"process": {"pid": number}, "git": {"commit": f"c{number // 2}"}},
            )
            store.log_config(run_id, {"lr": 0.1 / (1 + number), "depth": 18, "flag": (True, 1, 1.0)[number]})
            points = [MetricPoint("auroc", 0.5 + 0.1 * number, 0, "validation"), MetricPoint("wer", number, 0, "test")]
            points += [MetricPoint("auroc", math.nan, 1, "validation"), MetricPoint("loss", 0.25, 0, "train")]
            store.log_metrics(run_id, points)
            store.finalize(run_id, "completed")
    return url


def _lines(url: str, *arguments: str, columns: int = 120) -> dict[str, list[str]]:
    printed = runstore("compare", *arguments, "--store", url, columns=columns)
    assert printed.returncode == 0, printed.stderr
    assert max(map(len, printed.stdout.splitlines())) <= columns
    return {line.split()[0]: line.split()[1:] for line in printed.stdout.splitlines() if line.strip()}


_TRIALS = ("trial 0", "trial 1", "trial 2")


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_only_what_differs_is_shown_and_the_best_is_marked(url: str, columns: int) -> None:
    rows = _lines(url, *_TRIALS, columns=columns)

    assert rows["lr"][:2] == ["0.1", "0.05"]
    assert rows["flag"] == ["true", "1", "1.0"]
    assert rows["stage"] == ["s0", "s1", "s2"]
    assert rows["git.commit"] == ["c0", "c0", "c1"]
    assert not {"depth", "owner", "process.pid", "experiment"} & set(rows)
    assert rows["validation/auroc"] == ["max", "0.5", "0.6", "0.7", "*"]
    assert rows["train/loss"] == ["min", "0.25", "*", "0.25", "*", "0.25", "*"]
    assert rows["test/wer"] == ["last", "0", "1", "2"]


def test_what_is_the_same_is_shown_on_demand(url: str) -> None:
    rows = _lines(url, *_TRIALS, "--all")

    assert rows["depth"] == ["18", "18", "18"]
    assert rows["owner"] == ["me", "me", "me"]
    assert rows["process.pid"] == ["0", "1", "2"]


def test_which_value_is_the_best_can_be_said(url: str) -> None:
    rows = _lines(url, *_TRIALS, "--best", "test/wer=min", "--best", "auroc=last")

    assert rows["test/wer"] == ["min", "0", "*", "1", "2"]
    assert rows["validation/auroc"] == ["last", "nan", "nan", "nan"]


def test_of_a_parent_the_end_of_its_id_is_shown_by_which_it_can_be_named(url: str) -> None:
    shown = _lines(url, *_TRIALS, columns=80)["parent_run_id"][0]

    assert json.loads(runstore("show", shown, "--store", url, "--json").stdout)["name"] == "study"


def test_programs_get_values_as_they_are(url: str) -> None:
    as_json = json.loads(runstore("compare", *_TRIALS, "--json", "--store", url).stdout)
    as_csv = list(csv.DictReader(io.StringIO(runstore("compare", *_TRIALS, "--csv", "--store", url).stdout)))

    ids = [run["id"] for run in as_json["runs"]]
    assert [run["name"] for run in as_json["runs"]] == list(_TRIALS)
    assert as_json["config"]["flag"] == dict(zip(ids, [True, 1, 1.0], strict=True))
    (auroc,) = [row for row in as_json["metrics"] if row["series"] == "validation/auroc"]
    assert (auroc["stat"], auroc["best"], auroc["values"][ids[1]]) == ("max", [ids[2]], 0.6)
    (lr,) = [row for row in as_csv if row["key"] == "lr"]
    assert (lr["section"], lr[ids[1]]) == ("config", "0.05")


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("trial 0",), 2, "at least two runs"),
        (("trial 0", "trial 0"), 2, "at least two runs"),
        (("trial 0", "trial 1", "--best", "auroc"), 1, "give a metric and min, max or last"),
        (("trial 0", "trial 1", "--best", "aurok=max"), 1, "these runs have no metric 'aurok'; did you mean auroc?"),
        (("trial 0", "nobody"), 1, "no run has the id or the name 'nobody'"),
    ],
)
def test_what_cannot_be_compared_is_refused(url: str, arguments: tuple[str, ...], status: int, told: str) -> None:
    refused = runstore("compare", *arguments, "--store", url)

    assert refused.returncode == status
    assert told in refused.stderr


def test_more_runs_than_there_is_room_for_are_named(tmp_path: Path) -> None:
    many = f"sqlite:///{tmp_path}/many.db"
    with open_store(many, durable=False) as store:
        experiment_id = store.get_or_create_experiment("lungs")
        for number in range(30):
            run_id = store.ensure_run(experiment_id)
            store.log_config(run_id, {"lr": number / 7})
            store.finalize(run_id, "completed")

    printed = runstore("compare", *(f"@{number}" for number in range(1, 31)), "--store", many, columns=80)

    assert max(map(len, printed.stdout.splitlines())) <= 80
    assert "R30" in printed.stderr
    assert "No room for " in printed.stderr
