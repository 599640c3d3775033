"""Runs that Sacred has kept in MongoDB are in the store afterwards, each point of them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gridfs
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from runstore import open_store
from runstore.backend import BackendStore
from runstore.errors import MissingDriverError, SettingsError, SourceError, StoreUnavailableError
from runstore.importing import Findings, ImportReport, Told, bring_from, source_at
from runstore.moving import Outcome
from support.commands import runstore_here
from support.tools import made_by, tool

pytestmark = pytest.mark.server
SPLIT = {"train.loss": ("loss", "train")}
BEGAN = datetime(2026, 1, 2, 3, 4, 5, 678_000)  # noqa: DTZ001 - as Sacred keeps it, in UTC


def run_document(number: object, **facts: Any) -> dict[str, Any]:
    """A run as Sacred keeps it."""
    return {
        "_id": number, "format": "MongoObserver-0.7.0", "experiment": {"name": "chest-x-rays", "sources": []}, "config": {"lr": 0.1},
        "status": "COMPLETED", "start_time": BEGAN, "stop_time": BEGAN + timedelta(hours=1), "artifacts": [], "info": {},
        "captured_out": "", **facts,
    }  # fmt: skip


def metric(run: object, name: str, values: list[Any], **columns: Any) -> dict[str, Any]:
    times = [BEGAN + timedelta(seconds=index) for index in range(len(values))]
    return {
        "run_id": run,
        "name": name,
        "steps": list(range(len(values))),
        "values": values,
        "timestamps": times,
        **columns,
    }


@pytest.fixture
def database(mongodb_url: str) -> Iterator[Database[dict[str, Any]]]:
    """The database of ``mongodb_url``."""
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        yield client.get_default_database()


def brought(url: str, store: BackendStore) -> ImportReport:
    return bring_from(source_at(url), store)


@pytest.mark.packaging
def test_every_run_point_and_artifact_is_there_and_a_second_import_changes_nothing(
    mongodb_url: str, store: BackendStore, tmp_path: Path
) -> None:
    parts = urlsplit(mongodb_url)
    server, name = f"{parts.scheme}://{parts.netloc}", parts.path.lstrip("/")
    python = tool("sacred-mongodb", "sacred==0.8.7", "numpy", "setuptools<81", "pymongo==4.20.0")
    printed = made_by(python, "sacred_runs.py", server, name, folder=tmp_path)
    told = {each["id"]: each for each in json.loads(printed.splitlines()[-1])}  # the observer prints, too

    report, again = brought(mongodb_url, store), brought(mongodb_url, store)

    runs = {run.name: run for run in store.search_runs()}
    assert runs.keys() == told.keys()
    for number, made in told.items():
        run = runs[number]
        points = {}
        for each in store.get_summaries(run.id):
            history = store.get_history(run.id, each.name, each.dataset_type)
            points[each.name, str(each.dataset_type)] = list(zip(history.steps, map(repr, history.values), strict=True))
            assert run.start_time.timestamp() * 1e6 <= min(history.logged_at_us)
        assert points == {
            SPLIT.get(key, (key, "other")): list(map(tuple, rows)) for key, rows in made["logged"].items()
        }
        assert store.get_config(run.id) == made["config"]
        assert store.get_experiment(run.experiment_id).name == made["name"]
        with store.open_artifact(run.id, "report.txt") as artifact:
            assert artifact.read() == b"all well\n"
    done, failed = sorted(runs.values(), key=lambda run: run.status)
    assert (done.status, failed.status) == ("completed", "failed")
    assert done.provenance["sacred"]["result"] == 0.9
    assert failed.failure is not None
    assert failed.failure.message == "RuntimeError: too hot"
    assert (report.is_whole, report.brought.runs) == (True, {Outcome.NEW: 2})
    assert again.brought.runs == {Outcome.UNCHANGED: 2}
    assert (again.brought.points, again.brought.files) == (0, 0)


def test_a_store_of_ours_is_told_apart(mongodb_url: str, store: BackendStore) -> None:
    open_store(mongodb_url, durable=False).close()

    with pytest.raises(SourceError, match="is a store of runstore; its runs are brought by: runstore copy"):
        brought(mongodb_url, store)


@pytest.mark.parametrize(
    ("documents", "found"), [([], "none"), ([{"_id": 1, "name": "a game of chess"}], "runs")], ids=["empty", "others"]
)
def test_a_database_of_others_is_told_with_what_is_in_it(
    documents: list[dict[str, Any]],
    found: str,
    mongodb_url: str,
    database: Database[dict[str, Any]],
    store: BackendStore,
) -> None:
    if documents:
        database["runs"].insert_many(documents)

    with pytest.raises(SourceError, match=rf"no collection of Sacred's runs \(found: {found}\)"):
        brought(mongodb_url, store)


def test_a_damaged_run_is_told_with_its_place_and_the_others_come(
    mongodb_url: str, database: Database[dict[str, Any]], store: BackendStore
) -> None:
    database["runs"].insert_many(
        [
            run_document(1),
            run_document(2, start_time="never"),
            run_document(3),
            run_document(4),
            run_document(5, status="QUEUED", start_time=None),
            run_document("six", config=["no mapping"], experiment={"name": "\0"}, artifacts=[7, {"name": "a"}]),
        ]
    )
    database["metrics"].insert_many(
        [metric(1, "loss", [1.0]), metric(3, "loss", [1.0], steps=[0, 1]), metric(4, "loss", [1.0], steps=["0"])]
    )

    report = brought(mongodb_url, store)

    assert {(each.run, each.what) for each in report.findings} == {
        ("2", Told.UNREADABLE), ("3", Told.UNREADABLE), ("4", Told.UNREADABLE), ("5", Told.LEFT_OUT), ("six", Told.NAME_CHANGED),
        ("six", Told.FILE_LEFT_OUT),
    }  # fmt: skip
    assert all("of runs" in each.text for each in report.findings if each.what is Told.UNREADABLE)
    assert {run.name for run in store.search_runs()} == {"1", "six"}


def test_what_no_store_takes_is_folded_and_told_and_values_of_bson_are_plain(
    mongodb_url: str, database: Database[dict[str, Any]], store: BackendStore
) -> None:
    files = gridfs.GridFS(database)
    files.put(b"old", filename="x", _id=1)
    files.put(b"new", filename="x", _id=2)
    artifacts = [{"name": name, "file_id": each} for name, each in (("a", 1), ("a", 2), ("../b", 1), ("gone", 3))]
    database["runs"].insert_one(
        run_document(
            1,
            config={"when": BEGAN, "$x": {"a.b": 1}},
            result={"at": BEGAN},
            artifacts=artifacts,
            captured_out="Höhe\0\n",
        )
    )
    database["metrics"].insert_many(
        [metric(1, "below", [1.0, 2.0], steps=[-1, 0]), metric(1, "odd", [float("nan"), "text", 3])]
    )

    report = brought(mongodb_url, store)

    (run,) = store.search_runs()
    assert store.get_config(run.id) == {"when": "2026-01-02T03:04:05.678000", "$x": {"a.b": 1}}
    assert run.provenance["sacred"]["result"] == {"at": "2026-01-02T03:04:05.678000"}
    assert run.start_time == BEGAN.replace(tzinfo=UTC)
    contents = {}
    for each in store.list_artifacts(run.id):
        with store.open_artifact(run.id, each.name) as opened:
            contents[each.name] = opened.read()
    assert contents == {"a": b"new", "cout.txt": "Höhe\\x00\n".encode()}
    assert {(each.what, each.key) for each in report.findings} == {
        (Told.STEPS_SHIFTED, "below"), (Told.NO_NUMBERS, "odd"), (Told.FILE_LEFT_OUT, "../b"), (Told.FILE_LEFT_OUT, "gone"),
    }  # fmt: skip
    assert [repr(each) for each in store.get_history(run.id, "odd", "other").values] == ["nan", "3.0"]


def test_collections_with_a_prefix_are_found_too(
    mongodb_url: str, database: Database[dict[str, Any]], store: BackendStore
) -> None:
    database["old_runs"].insert_one(run_document(1))
    database["old_metrics"].insert_one(metric(1, "loss", [0.5]))
    database["runs"].insert_one(run_document(1))
    database["metrics"].insert_one(metric(1, "loss", [0.25]))

    brought(mongodb_url, store)

    lasts = {run.name: store.get_history(run.id, "loss", "other").values[-1] for run in store.search_runs()}
    assert lasts == {"1": 0.25, "old/1": 0.5}


def test_of_many_metrics_one_is_held_at_a_time(mongodb_url: str, database: Database[dict[str, Any]]) -> None:
    database["runs"].insert_one(run_document(1))
    for number in range(2):
        database["metrics"].insert_one(metric(1, f"m{number}", [0.5] * 120_000))
    source = source_at(mongodb_url)
    try:
        (run,) = source.runs(Findings())
        pieces = [(series[0], len(columns.steps)) for series, columns in run.pieces()]
    finally:
        source.close()

    assert [name for name, _ in pieces] == sorted(name for name, _ in pieces)
    assert sum(count for _, count in pieces) == 240_000
    assert max(count for _, count in pieces) <= 100_000


def test_a_server_that_is_away_a_url_without_a_database_and_no_driver_are_told(
    mongodb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = mongodb_url.rpartition("/")[0]
    with pytest.raises(SourceError, match="names no database"):
        source_at(server)
    with pytest.raises(StoreUnavailableError, match="cannot be reached") as away:
        source_at("mongodb://me:secret@127.0.0.1:1/sacred?serverSelectionTimeoutMS=50")
    assert "secret" not in str(away.value)
    with pytest.raises(SettingsError, match="is no URL of MongoDB"):
        source_at("mongodb://one,other/sacred?directConnection=true")
    monkeypatch.setattr("runstore.importing.recognise.find_spec", lambda _: None)
    with pytest.raises(MissingDriverError, match=r'to read a database of Sacred takes pymongo.*"runstore\[mongo\]"'):
        source_at(mongodb_url)


def test_the_command_brings_them(mongodb_url: str, database: Database[dict[str, Any]], tmp_path: Path) -> None:
    database["runs"].insert_one(run_document(1))

    done = runstore_here("import", mongodb_url, "--store", f"sqlite:///{tmp_path / 'runs.db'}")

    assert done.exit_code == 0, done.output
    assert "1 run: 1 new" in done.stdout
