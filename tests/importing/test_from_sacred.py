"""Folders that Sacred has written are in the store afterwards, each point of them."""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runstore.backend import BackendStore
from runstore.importing import ImportReport, Told, bring_from, source_at
from runstore.moving import Outcome
from support.tools import made_by, tool

SPLIT = {"train.loss": ("loss", "train")}


class Made(NamedTuple):
    """What Sacred has made: its folder, and what was logged, by the run's name."""

    place: Path
    told: dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def made_by_sacred(fast_folder: Path) -> Made:
    """Not to be changed."""
    folder = fast_folder / "sacred"
    folder.mkdir()
    told = json.loads(
        made_by(tool("sacred", "sacred==0.8.7", "numpy", "setuptools<81"), "sacred_runs.py", folder=folder)
    )
    return Made(folder / "sacred_runs", {each["id"]: each for each in told})


@pytest.fixture
def copied(made_by_sacred: Made, fast_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(made_by_sacred.place, fast_path / "sacred_runs"))


def brought(place: Path, store: BackendStore) -> ImportReport:
    return bring_from(source_at(str(place)), store)


def test_every_run_and_every_point_is_there(made_by_sacred: Made, store: BackendStore) -> None:
    report = brought(made_by_sacred.place, store)

    runs = {run.name: run for run in store.search_runs()}
    assert runs.keys() == made_by_sacred.told.keys()
    for name, made in made_by_sacred.told.items():
        run = runs[name]
        points = {}
        for each in store.get_summaries(run.id):
            history = store.get_history(run.id, each.name, each.dataset_type)
            points[each.name, str(each.dataset_type)] = list(zip(history.steps, map(repr, history.values), strict=True))
        assert points == {
            SPLIT.get(key, (key, "other")): list(map(tuple, rows)) for key, rows in made["logged"].items()
        }
        assert store.get_config(run.id) == made["config"]
        assert store.get_experiment(run.experiment_id).name == made["name"]
        assert {each.name for each in store.list_artifacts(run.id)} >= {"report.txt"}
    assert report.is_whole
    assert report.brought.runs == {Outcome.NEW: 2}


def test_how_a_run_ended_and_its_result_come_with_it(made_by_sacred: Made, store: BackendStore) -> None:
    brought(made_by_sacred.place, store)

    done, failed = sorted(store.search_runs(), key=lambda run: run.status)
    assert (done.status, failed.status) == ("completed", "failed")
    assert done.provenance["sacred"]["result"] == 0.9
    assert failed.failure is not None
    assert failed.failure.message == "RuntimeError: too hot"
    assert done.end_time is not None
    times = store.get_history(done.id, "loss", "train").logged_at_us
    assert done.start_time.timestamp() * 1e6 <= min(times) <= max(times) <= done.end_time.timestamp() * 1e6


def test_a_second_import_changes_nothing(made_by_sacred: Made, store: BackendStore) -> None:
    brought(made_by_sacred.place, store)

    again = brought(made_by_sacred.place, store)

    assert again.brought.runs == {Outcome.UNCHANGED: 2}
    assert (again.brought.points, again.brought.files) == (0, 0)


METRIC = {"steps": [0], "values": [1.0], "timestamps": ["2025-01-01T00:00:00"]}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("metrics.json", '{\n"loss": {"steps": [0', "metrics.json:2: is no JSON, or is cut off"),
        ("run.json", "{", "run.json:1: is no JSON"),
        ("config.json", "[]", "config.json: is no mapping"),
        ("config.json", "[" * 100_000, "config.json: is no JSON"),
        ("run.json", "{}", "run.json: the start_time is None"),
        ("metrics.json", json.dumps({"loss": METRIC | {"steps": [0, 1]}}), "'loss' has not as many"),
        ("metrics.json", json.dumps({"loss": METRIC | {"steps": ["0"]}}), "'loss' has a step that is no number"),
        ("metrics.json", '{"loss": 1}', "'loss' has not as many"),
    ],
    ids=["cut off", "short", "list", "deep", "no start", "uneven", "text", "number"],
)
def test_a_damaged_file_is_told_with_its_place(
    name: str, text: str, said: str, copied: Path, store: BackendStore
) -> None:
    (copied / "1" / name).write_text(text, encoding="utf-8")

    report = brought(copied, store)

    (found,) = [each.text for each in report.findings if each.what is Told.UNREADABLE]
    assert found.startswith(str(copied / "1" / name))
    assert said in found
    assert {run.name for run in store.search_runs()} == {"2"}


def test_what_no_store_takes_is_folded_and_told(copied: Path, store: BackendStore) -> None:
    metrics = {
        "below": {"steps": [-1, 0], "values": [1, 2], "timestamps": ["2025-01-01T00:00:00", "never"]},
        "half": {"steps": [0.5, 1.5], "values": [1, "x"], "timestamps": ["2025-01-01T00:00:00"] * 2},
    }
    (copied / "1" / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")

    report = brought(copied / "1", store)

    assert {(each.what, each.key) for each in report.findings} == {
        (Told.STEPS_SHIFTED, "below"), (Told.TIMES_REPLACED, "below"), (Told.STEPS_COUNTED, "half"), (Told.NO_NUMBERS, "half"),
    }  # fmt: skip
