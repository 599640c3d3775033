"""Runs that MLflow 1, 2 and 3 have made are in the store afterwards, each point of them."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from importing import mlflow_oracle
from importing.conftest import Made, mlflow
from runstore import RunStatus
from runstore.backend import BackendStore
from runstore.importing import ImportReport, Told, bring_from, source_at
from runstore.moving import Outcome
from support.tools import made_by

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STATUSES = {"FINISHED": "completed", "FAILED": "failed", "KILLED": "interrupted", "RUNNING": "in_progress"}


def brought(place: Path | str, store: BackendStore) -> ImportReport:
    return bring_from(source_at(str(place)), store)


def by_source(store: BackendStore) -> dict[str, Any]:
    return {run.provenance["imported"]["id"]: run for run in store.search_runs(limit=1000)}


def points_of(store: BackendStore, run_id: str) -> dict[tuple[str, str], mlflow_oracle.Points]:
    found = {}
    for each in store.get_summaries(run_id):
        history = store.get_history(run_id, each.name, each.dataset_type)
        found[each.name, str(each.dataset_type)] = [
            (step, repr(value), time)
            for step, value, time in zip(history.steps, history.values, history.logged_at_us, strict=True)
        ]
    return found


def milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // timedelta(milliseconds=1)


def test_every_run_and_every_point_is_there(made: Made, store: BackendStore) -> None:
    report = brought(made.place, store)

    runs = by_source(store)
    assert runs.keys() == made.told.keys()
    for source_id, told in made.told.items():
        run = runs[source_id]
        assert store.get_experiment(run.experiment_id).name == told["experiment"]
        assert run.name == told["tags"]["mlflow.runName"]
        assert run.note == told["tags"].get("mlflow.note.content")
        assert run.tags == {key: text for key, text in told["tags"].items() if not key.startswith("mlflow.")}
        assert (milliseconds(run.start_time), milliseconds(run.end_time)) == (told["start"], told["end"])
        assert run.status == ("lost" if told["status"] == "RUNNING" else STATUSES[told["status"]])
        parent = told["tags"].get("mlflow.parentRunId")
        assert run.parent_run_id == (runs[parent].id if parent else None)
        assert store.get_config(run.id) == mlflow_oracle.config_of(told)
        assert points_of(store, run.id) == mlflow_oracle.series_of(told)
    assert report.is_whole
    assert report.brought.runs == {Outcome.NEW: len(made.told)}


def test_values_keep_their_types_where_python_wrote_them(newest: Made, store: BackendStore) -> None:
    brought(newest.place, store)

    config = store.get_config(by_source(store)[newest.run("first try")[0]].id)
    assert config["amp"] is True
    assert (type(config["epochs"]), type(config["lr"]), config["nothing"]) == (int, float, None)
    assert (config["seed"], config["big"], config["net/name"]) == ("007", "1e-3", "resnet-18")


def test_the_experiment_has_its_description(made: Made, store: BackendStore) -> None:
    brought(made.place, store)

    assert {each.name: each.description for each in store.list_experiments()} == {
        "chest x-rays": "Who has pneumonia?",
        "other": None,
    }


def test_files_come_with_their_bytes(made: Made, store: BackendStore) -> None:
    brought(made.place, store)

    run_id = by_source(store)[made.run("first try")[0]].id
    assert [each.name for each in store.list_artifacts(run_id)] == ["model/weights.bin", "report.txt"]
    with store.open_artifact(run_id, "model/weights.bin") as file:
        assert file.read() == bytes(range(256)) * 40


def test_models_of_mlflow_3_come_with_the_run_that_has_logged_them(made: Made, store: BackendStore) -> None:
    brought(made.place, store)

    run_id = by_source(store)[made.run("sweep")[0]].id
    models = store.list_artifacts(run_id)
    assert len(models) == (2 if made.release == "3" else 0)
    assert {each.artifact_type for each in models} <= {"model"}
    contents = []
    for each in models:
        with store.open_artifact(run_id, each.name) as file:
            contents.append((each.name.startswith("models/net/"), file.read()))
    assert sorted(contents, reverse=True) == ([(True, b"1"), (False, b"2")] if models else [])


def test_what_was_folded_or_left_out_is_told(made: Made, store: BackendStore) -> None:
    report = brought(made.place, store)

    first = made.run("first try")[0]
    told = {(each.what, each.key): each.count for each in report.findings if each.run == first}
    expected = {
        (Told.STEPS_SHIFTED, "below"): 4,
        (Told.STEPS_REPEATED, "repeated"): 2,
        (Told.STEPS_COUNTED, "no steps"): 3,
    }
    if made.place.name == "mlflow.db":
        expected[Told.INFINITIES, "odd"] = 2
    assert told == expected
    assert [each.what for each in report.findings if each.run != first] == [Told.DELETED]


def test_a_second_import_changes_nothing(made: Made, store: BackendStore) -> None:
    brought(made.place, store)
    before = {
        run.id: (run, points_of(store, run.id), store.list_artifacts(run.id)) for run in store.search_runs(limit=99)
    }

    report = brought(made.place, store)

    after = {
        run.id: (run, points_of(store, run.id), store.list_artifacts(run.id)) for run in store.search_runs(limit=99)
    }
    assert report.brought.runs == {Outcome.UNCHANGED: len(made.told)}
    assert (report.brought.points, report.brought.files) == (0, 0)
    assert after == before


def test_a_run_that_went_on_is_brought_up(made: Made, store: BackendStore, tmp_path: Path) -> None:
    shutil.copytree(made.place.parent, tmp_path, dirs_exist_ok=True)
    place = tmp_path / made.place.name
    brought(place, store)
    run_id = made.run("going on")[0]
    uri = made.uri
    made_by(mlflow(made.release), "mlflow_going_on.py", uri, run_id, folder=tmp_path)

    report = brought(place, store)

    run = by_source(store)[run_id]
    assert report.brought.runs == {Outcome.UPDATED: 1, Outcome.UNCHANGED: len(made.told) - 1}
    assert report.brought.points == 3
    assert run.status is RunStatus.COMPLETED
    assert store.get_config(run.id) == {"added": 1}
    assert [point[:2] for point in points_of(store, run.id)["later", "other"]] == [
        (0, "0.5"),
        (1, "0.25"),
        (2, "0.125"),
    ]


@pytest.mark.packaging
@pytest.mark.server
@pytest.mark.parametrize("server", ["postgresql", "mariadb"])
def test_a_database_on_a_server_gives_the_same(
    server: str, store: BackendStore, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = str(request.getfixturevalue(f"{server}_url"))
    drivers = {"postgresql": "postgresql+psycopg2", "mariadb": "mysql+pymysql"}
    place = url.partition("://")[2]
    told = json.loads(
        made_by(
            mlflow("3"),
            "mlflow_runs.py",
            f"{drivers[server]}://{place}",
            str(tmp_path),
            folder=tmp_path,
        )
    )

    report = bring_from(source_at(url, artifacts=[tmp_path]), store)

    runs = by_source(store)
    assert report.is_whole
    assert runs.keys() == told.keys()
    for source_id, facts in told.items():
        assert points_of(store, runs[source_id].id) == mlflow_oracle.series_of(facts)
        assert store.get_config(runs[source_id].id) == mlflow_oracle.config_of(facts)
    first = next(each for each, facts in told.items() if facts["tags"]["mlflow.runName"] == "first try")
    assert [each.name for each in store.list_artifacts(runs[first].id)] == ["model/weights.bin", "report.txt"]
    assert brought(url, store).brought.runs == {Outcome.UNCHANGED: len(told)}
