"""Projects that Trackio has written are in the store afterwards, each point of them."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runstore import Run
from runstore.backend import BackendStore
from runstore.errors import SourceError
from runstore.importing import Findings, ImportReport, Told, bring_from, source_at
from runstore.moving import Outcome
from support.tools import made_by, tool

SPLIT = {"train/loss": ("loss", "train"), "val/auroc": ("auroc", "validation")}


class Made(NamedTuple):
    """What Trackio has made: its folder, and what was logged, by the run's name."""

    place: Path
    told: dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def made_projects(fast_folder: Path) -> Made:
    """Not to be changed."""
    folder = fast_folder / "trackio-made"
    folder.mkdir()
    told = json.loads(made_by(tool("trackio", "trackio==0.43.0"), "trackio_runs.py", folder=folder))
    return Made(folder / "trackio", {each["name"]: each for each in told})


@pytest.fixture
def copied(made_projects: Made, fast_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(made_projects.place, fast_path / "trackio"))


def brought(place: Path, store: BackendStore) -> ImportReport:
    return bring_from(source_at(str(place)), store)


def named(store: BackendStore, name: str) -> Run:
    (run,) = store.search_runs(f"name = '{name}'")
    return run


def points_of(store: BackendStore, run_id: str) -> dict[tuple[str, str], list[tuple[int, str]]]:
    found = {}
    for each in store.get_summaries(run_id):
        history = store.get_history(run_id, each.name, each.dataset_type)
        found[each.name, str(each.dataset_type)] = list(zip(history.steps, map(repr, history.values), strict=True))
    return found


def told(report: ImportReport) -> set[tuple[Told, str | None, int]]:
    return {(each.what, each.key, each.count) for each in report.findings}


def test_every_run_and_every_point_is_there(made_projects: Made, store: BackendStore) -> None:
    report = brought(made_projects.place, store)

    assert {run.name for run in store.search_runs()} == made_projects.told.keys()
    for name, made in made_projects.told.items():
        run = named(store, name)
        points = points_of(store, run.id)
        expected = {SPLIT.get(key, (key, "other")): list(map(tuple, rows)) for key, rows in made["logged"].items()}
        assert {series: rows for series, rows in points.items() if not series[0].startswith("system/")} == expected
        assert store.get_config(run.id) == made["config"]
        assert store.get_experiment(run.experiment_id).name == made["project"]
        assert run.provenance["imported"]["id"] == f"{made['project']}/{made['id']}"
    assert report.is_whole
    assert report.brought.runs == {Outcome.NEW: 2}


def test_a_group_readings_of_the_machine_and_times_come_with_it(made_projects: Made, store: BackendStore) -> None:
    brought(made_projects.place, store)

    run = named(store, "first try")
    assert run.tags == {"group": "sweep"}
    assert points_of(store, run.id)["system/cpu", "other"] == [(0, "12.5")]
    assert run.end_time is not None
    times = store.get_history(run.id, "loss", "train").logged_at_us
    assert run.start_time.timestamp() * 1e6 <= min(times)
    assert max(times) <= run.end_time.timestamp() * 1e6


def test_what_is_not_brought_is_told(made_projects: Made, store: BackendStore) -> None:
    report = brought(made_projects.place, store)

    assert told(report) == {(Told.NO_NUMBERS, "words", 1), (Told.NO_NUMBERS, "list", 1), (Told.LEFT_OUT, "alerts", 1)}


def test_a_second_import_changes_nothing(made_projects: Made, store: BackendStore) -> None:
    brought(made_projects.place, store)

    again = brought(made_projects.place, store)

    assert again.brought.runs == {Outcome.UNCHANGED: 2}
    assert (again.brought.points, again.brought.files) == (0, 0)


def test_a_run_that_went_on_is_brought_up(copied: Path, store: BackendStore) -> None:
    path = copied / "other.db"
    brought(path, store)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) "
            "SELECT run_id, timestamp, run_name, 1, '{\"loss\": NaN}' FROM metrics"
        )
    connection.close()

    report = brought(path, store)

    assert report.brought.runs == {Outcome.UPDATED: 1}
    assert points_of(store, named(store, "second").id)["loss", "other"] == [(0, "0.5"), (1, "nan")]


def test_a_database_before_runs_had_ids_is_read_by_their_names(tmp_path: Path, store: BackendStore) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection, connection:
        connection.executescript(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp TEXT NOT NULL, run_name TEXT NOT NULL,"
            " step INTEGER NOT NULL, metrics TEXT NOT NULL);"
            "INSERT INTO metrics (timestamp, run_name, step, metrics) VALUES"
            " ('2025-08-01T10:00:00', 'a', -1, '{\"loss\": 0.5}'), ('2025-08-01T10:00:01', 'a', 0, '{\"loss\": 0.25}'),"
            " ('2025-08-01T10:00:02', 'b', 0, '{\"loss\": 1e999}'), ('never', 'b', 1, '{\"loss\": 1}');"
        )
    connection.close()

    report = brought(tmp_path, store)

    assert points_of(store, named(store, "a").id) == {("loss", "other"): [(0, "0.5"), (1, "0.25")]}
    assert points_of(store, named(store, "b").id) == {("loss", "other"): [(0, "inf"), (1, "1.0")]}
    assert named(store, "a").start_time.isoformat() == "2025-08-01T10:00:00+00:00"
    assert told(report) == {(Told.STEPS_SHIFTED, "loss", 2), (Told.TIMES_REPLACED, "loss", 1)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE metrics SET metrics = '{' WHERE id = 1", "table metrics, row 1: is no JSON"),
        ("UPDATE metrics SET metrics = '[1]' WHERE id = 1", "table metrics, row 1: is no mapping"),
        ("UPDATE metrics SET step = 'one' WHERE id = 1", "table metrics, row 1: the step is 'one'"),
        ("UPDATE metrics SET step = 9e999 WHERE id = 1", "table metrics, row 1: the step is inf"),
        ("UPDATE metrics SET metrics = zeroblob(5000000) WHERE id = 1", "table metrics, row 1: is no JSON"),
        (
            "UPDATE metrics SET metrics = '{\"a\":' || replace(hex(zeroblob(3000)), '00', '[') || '}'",
            "row 1: is no JSON",
        ),
        ("UPDATE configs SET config = 'x'", "table configs, row 1: is no JSON"),
    ],
    ids=["cut off", "list", "text", "endless", "monstrous", "deep", "config"],
)
def test_a_damaged_row_is_told_and_the_other_projects_are_brought(
    change: str, said: str, copied: Path, store: BackendStore
) -> None:
    path = copied / "chest-x-rays.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    connection.close()

    report = brought(copied, store)

    (text,) = [each.text for each in report.findings if each.what is Told.UNREADABLE]
    assert text.startswith(f"{path}: ")
    assert said in text
    assert {run.name for run in store.search_runs()} == {"second"}


def test_a_cut_off_database_is_told(copied: Path, store: BackendStore) -> None:
    path = copied / "chest-x-rays.db"
    path.write_bytes(path.read_bytes()[:6000])

    with pytest.raises(SourceError, match=rf"{path}: .*cannot be read"):
        brought(path, store)


def test_of_a_long_run_a_part_is_held_at_once(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "long.db")) as connection, connection:
        connection.execute(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT)"
        )
        row = "'2025-08-01T10:00:00', 'a', n, '{\"loss\": 0.5}'"
        connection.execute(
            "WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 219999) "
            f"INSERT INTO metrics (timestamp, run_name, step, metrics) SELECT {row} FROM c"
        )
    connection.close()
    (run,) = source_at(str(tmp_path / "long.db")).runs(Findings())

    assert [len(columns.steps) for _, columns in run.pieces()] == [100_000, 100_000, 20_000]
