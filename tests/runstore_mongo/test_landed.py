"""Stores that the first released schema wrote, byte for byte: they are read as they are, and taken over when written to.

``landed/store_1.json`` is a dump of such a store: its documents, its indexes and its views, as extended JSON.
"""

import math
from array import array
from pathlib import Path
from typing import Any

import pytest
from bson import json_util
from pymongo import MongoClient

from runstore.model import MetricPoint, RunStatus
from runstore.series import Columns
from runstore_mongo.documents.packed import packed
from runstore_mongo.points import thinning
from runstore_mongo.schema import indexes
from runstore_mongo.store import MongoStore
from support.waiting import wait_until

_DUMP = Path(__file__).parent / "landed" / "store_1.json"


@pytest.fixture
def landed(url: str) -> str:
    """The URL of a database with the dumped store."""
    found = json_util.loads(_DUMP.read_text(encoding="utf-8"))
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        for name, documents in found["collections"].items():
            database.create_collection(name)
            if documents:
                database[name].insert_many(documents)
            for index in found["indexes"][name]:
                options = {key: value for key, value in index.items() if key not in {"v", "key", "ns"}}
                database[name].create_index(list(index["key"].items()), **options)
        for name, options in found["views"].items():
            database.create_collection(name, **options)
    return url


def taken_over(database: Any) -> dict[str, Any]:
    """The schema's document, once what is made in the background is made."""
    found: dict[str, Any] = {}

    def is_whole() -> bool:
        found.clear()
        found.update(database["runstore_schema"].find_one())
        return found["is_complete"] and "is_rolled_up" not in found

    wait_until(is_whole, "what is made in the background", pause_s=0.01)
    return found


def told(store: MongoStore) -> list[Any]:
    """All that the store tells of its runs."""
    runs = store.search_runs(order_by=["id"]).items
    found: list[Any] = [[(each.name, each.description) for each in store.list_experiments().items]]
    for run in runs:
        summaries = store.get_summaries(run.id)
        found.append((run, store.get_config(run.id), repr(summaries)))
        found += [repr(store.get_history(run.id, each.name, each.dataset_type)) for each in summaries]
        found += [repr(store.sample_history(run.id, each.name, each.dataset_type, max_points=9)) for each in summaries]
        found.append(store.list_artifacts(run.id))
    found.append([run.id for run in store.search_runs("metric.train.loss.max > 1", order_by=["id"]).items])
    found.append([run.id for run in store.search_runs(order_by=["metric.train.loss.min"]).items])
    return found


def test_it_is_read_without_a_change(landed: str) -> None:
    with MongoStore(landed, read_only=True) as reader:
        runs = {run.id: run for run in reader.search_runs().items}
        odd = reader.get_history("ended", "odd", "train")
        loss = reader.get_history("ended", "loss", "train")
        with reader.open_artifact("ended", "roc.png") as file:
            content = file.read()
        schema = reader._connection.database["runstore_schema"].find_one()  # noqa: SLF001 - what is stored

    assert {run_id: run.status for run_id, run in runs.items()} == {
        "ended": RunStatus.FAILED,
        "live": RunStatus.LOST if runs["live"].status is RunStatus.LOST else RunStatus.IN_PROGRESS,
        "wide": RunStatus.COMPLETED,
    }
    assert runs["ended"].note is None
    assert runs["ended"].archived_at is None
    assert [math.isnan(odd.values[0]), *odd.values[1:3]] == [True, math.inf, -math.inf]
    assert (len(loss.steps), loss.values[9], loss.values[10]) == (3000, -1.0, 370.0 % 101)
    assert content == b"roc"
    assert schema == {"_id": "schema", "version": 1, "min_reader": 1, "min_writer": 1, "is_complete": True}


def test_opened_for_writing_it_tells_the_same_and_takes_no_older_writer(landed: str) -> None:
    with MongoStore(landed, read_only=True) as reader:
        before = told(reader)

    with MongoStore(landed) as store:
        after = told(store)
        database = store._connection.database  # noqa: SLF001 - what is stored
        schema = taken_over(database)
        names = database["runs"].index_information()
        store.delete_run("ended")
        rows = sorted(database["run_metrics"].distinct("run_id"))

    assert after == before
    assert schema == {"_id": "schema", "version": 2, "min_reader": 1, "min_writer": 2, "is_complete": True}
    assert {"results", "deleted"} <= names.keys()
    assert rows == ["live", "wide"]


def test_its_runs_are_changed_and_written_on(landed: str) -> None:
    with MongoStore(landed) as store:
        store.set_note("ended", "as found")
        store.archive_run("wide")
        store.delete_run("live")
        store.log_metrics("ended", [MetricPoint(name="loss", value=-5.0, step=4000, dataset_type="train")])
        store.restore_run("live")
        found = {
            run.id: (run.note, run.archived_at is not None)
            for run in store.search_runs("archived in (true, false)").items
        }
        summary = next(each for each in store.get_summaries("ended") if each.name == "loss")

    assert found == {"ended": ("as found", False), "live": (None, False), "wide": (None, True)}
    assert (summary.count, summary.last.step, summary.last.value) == (3001, 4000, -5.0)


def test_the_indexes_of_a_large_store_are_built_while_it_is_used(landed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "_MOST_WAITED_FOR", 0)

    with MongoStore(landed) as store:
        found = store.search_runs(order_by=["metric.train.loss.max desc"]).items
        taken_over(store._connection.database)  # noqa: SLF001 - what is stored
        names = store._connection.database["runs"].index_information()  # noqa: SLF001 - as above

    assert [run.id for run in found] == ["ended", "live", "wide"]
    assert "results" in names


def test_its_long_series_are_rolled_up_in_the_background(landed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "ROLL_AT", 1_000)
    with MongoClient[dict[str, Any]](landed) as client:
        database = client.get_default_database()
        series = database["run_series"].find_one({"metric_name": "loss", "run_id": "ended"})
        assert series is not None
        steps = range(3_000, 12_000)  # as the calls of that release would have made it longer
        bucket = {"_id": f"{series['_id']}\n{3000:019d}", "series": series["_id"], "run_id": "ended", "version": 1}
        database["run_buckets"].insert_one({**bucket, "low": 3_000, "high": 11_999, **packed_steps(steps)})
        change = {"count": 12_000, "last_step": 11_999, "sealed_to": 11_999}
        database["run_series"].update_one({"_id": series["_id"]}, {"$set": change})
        with MongoStore(landed, read_only=True) as reader:
            before = repr(reader.sample_history("ended", "loss", "train", max_points=50))

        with MongoStore(landed) as store:
            taken_over(database)
            after = repr(store.sample_history("ended", "loss", "train", max_points=50))
            rolled = database["run_series"].find_one({"_id": series["_id"]}, {"rolled": 1})

    assert rolled == {"_id": series["_id"], "rolled": 8_192}
    assert after == before


def packed_steps(steps: range) -> dict[str, Any]:
    values = array("d", [float(step * 37 % 101) for step in steps])
    return packed(Columns(array("q", steps), values, array("q", steps)))
