"""Opening, errors, processes and what plain pymongo sees."""

import multiprocessing
import os
import pickle
import signal
import socket
import time
import warnings
from pathlib import Path
from typing import Any

import pymongo
import pytest

from runstore.errors import (
    ForeignSchemaError,
    SchemaError,
    SchemaTooNewError,
    SettingsError,
    StoreFailureError,
    StoreUnavailableError,
)
from runstore.model import MetricPoint
from runstore_mongo.documents import summaries
from runstore_mongo.store import MongoStore
from support.servers import private_server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def point(step: int, value: float = 0.5) -> MetricPoint:
    return MetricPoint(name="loss", value=value, step=step, dataset_type="train")


def test_a_url_without_a_database_says_where_to_put_one() -> None:
    with pytest.raises(SettingsError, match="mongodb://host:27017/runs"):
        MongoStore("mongodb://user:tell-nobody@localhost:27017")


@pytest.mark.parametrize("name", ["a.b", "a%20b", "a$b", "x" * 64])
def test_a_database_name_that_mongodb_refuses_is_refused_before_connecting(name: str) -> None:
    with pytest.raises(SettingsError, match="does not allow"):
        MongoStore(f"mongodb://localhost:1/{name}")


def test_a_server_that_is_not_there_is_unavailable_and_keeps_the_password_to_itself() -> None:
    url = f"mongodb://user:tell-nobody@127.0.0.1:{free_port()}/runs?serverSelectionTimeoutMS=200"

    with pytest.raises(StoreUnavailableError) as caught:
        MongoStore(url)

    assert "tell-nobody" not in str(caught.value)
    assert "Topology" not in str(caught.value)
    assert isinstance(caught.value.__cause__, pymongo.errors.PyMongoError)


def test_a_wrong_password_is_a_failure_that_trying_again_cannot_mend(mongodb_url: str) -> None:
    with pytest.raises(StoreFailureError) as caught:
        MongoStore(mongodb_url.replace("mongodb://", "mongodb://user:tell-nobody@"))

    assert "tell-nobody" not in str(caught.value)
    assert "authSource" in str(caught.value)


def test_opening_for_reading_creates_nothing(mongodb_url: str) -> None:
    with pytest.raises(SchemaError, match="no run store"):
        MongoStore(mongodb_url, read_only=True)

    with pymongo.MongoClient[dict[str, Any]](mongodb_url) as client:
        assert client.get_default_database().list_collection_names() == []


def test_collections_of_our_names_without_our_document_are_left_alone(mongodb_url: str) -> None:
    with pymongo.MongoClient[dict[str, Any]](mongodb_url) as client:
        client.get_default_database()["run_metrics"].insert_one({"_id": 1, "their": "own"})

        with pytest.raises(ForeignSchemaError, match="run_metrics"):
            MongoStore(mongodb_url)

        assert client.get_default_database().list_collection_names() == ["run_metrics"]


def test_a_schema_that_was_cut_off_while_it_was_made_is_completed(mongodb_url: str) -> None:
    with MongoStore(mongodb_url) as store:
        database = store._connection.database  # noqa: SLF001 - breaks it from within
        database["runstore_schema"].update_one({}, {"$set": {"is_complete": False}})
        database["run_buckets"].drop()
        database["run_metrics"].drop()

        with MongoStore(mongodb_url):
            names = set(database.list_collection_names())

    assert {"run_buckets", "run_metrics"} <= names


def test_a_newer_schema_is_read_if_it_allows_that_and_refused_if_not(mongodb_url: str) -> None:
    with MongoStore(mongodb_url) as store:
        schema = store._connection.collection("runstore_schema")  # noqa: SLF001 - plays the newer release
        schema.update_one({}, {"$set": {"version": 7, "min_writer": 6}})

        MongoStore(mongodb_url, read_only=True).close()
        with pytest.raises(SchemaTooNewError, match=r"version 7.*version 6.*version 2.*pip install"):
            MongoStore(mongodb_url)


def test_plain_pymongo_reads_points_and_configs_as_rows(store: MongoStore, run_id: str) -> None:
    store.log_metrics(run_id, [point(step, step / 4) for step in range(1_500)])
    store.log_metrics(run_id, [point(step, -1.0) for step in (3, 1_499, 2**63 - 1)])
    store.log_config(run_id, {"model": {"depth": 18}, "net": "resnet"})
    database = store._connection.database  # noqa: SLF001 - a person with a client

    rows = list(database["run_metrics"].find({"run_id": run_id, "metric_name": "loss"}))
    keys = {row["key"]: row["value"] for row in database["run_configurations"].find({"run_id": run_id})}

    history = store.get_history(run_id, "loss", "train")
    assert sorted((row["step"], row["metric_value"], row["logged_at_us"]) for row in rows) == list(
        zip(history.steps, history.values, history.logged_at_us, strict=True)
    )
    assert {row["dataset_type"] for row in rows} == {"train"}
    assert keys == {"model.depth": "18", "net": "resnet"}


def test_a_forked_child_writes_on_a_connection_of_its_own(store: MongoStore, run_id: str) -> None:
    store.log_metrics(run_id, [point(0)])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads, which is the point
        child = multiprocessing.get_context("fork").Process(target=store.log_metrics, args=(run_id, [point(1)]))
        child.start()
        child.join(600)
    store.log_metrics(run_id, [point(2)])

    assert child.exitcode == 0
    assert list(store.get_history(run_id, "loss", "train").steps) == [0, 1, 2]


def test_a_pickled_store_holds_no_connection_and_opens_its_own(store: MongoStore, run_id: str) -> None:
    with pickle.loads(pickle.dumps(store)) as copy:
        assert copy.get_run(run_id).id == run_id
        assert copy._connection.client is not store._connection.client  # noqa: SLF001 - the point


@pytest.mark.server
def test_a_writer_killed_inside_its_transaction_does_not_keep_others_waiting_for_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A server of its own: to drop a database waits for the dead writer's transaction, which takes the server a minute.
    monkeypatch.setattr(summaries, "MOST_COPIED", 0)  # a run of many series: only there a call is a transaction

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with private_server("mongodb-replica", durable=False) as server, MongoStore(server.new_database()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("pneumonia"))
        store.log_metrics(run_id, [point(0)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads
            dying = multiprocessing.get_context("fork").Process(target=_log_and_die, args=(store, run_id, die))
            dying.start()
            dying.join(600)

        began = time.monotonic()
        store.log_metrics(run_id, [point(2)])

        assert dying.exitcode == -signal.SIGKILL
        assert time.monotonic() - began < 45  # the server's own limit is 60 seconds
        assert list(store.get_history(run_id, "loss", "train").steps) == [0, 2]


def _log_and_die(store: MongoStore, run_id: str, die: Any) -> None:
    store._points._writer._compare_and_set = die  # type: ignore[method-assign]  # noqa: SLF001 - after the transaction's first statement
    store.log_metrics(run_id, [point(1)])


def test_the_same_bytes_are_kept_once_in_gridfs(store: MongoStore, run_id: str, fast_path: Path) -> None:
    for name in ("a.bin", "b.bin"):
        (fast_path / name).write_bytes(b"weights" * 1_000)
        store.log_artifact(run_id, fast_path / name)

    database = store._connection.database  # noqa: SLF001 - counts the files
    assert database["run_artifact_bytes.files"].count_documents({}) == 1
    assert [artifact.name for artifact in store.list_artifacts(run_id)] == ["a.bin", "b.bin"]


def test_bytes_damaged_in_gridfs_are_mended_when_they_are_logged_again(
    store: MongoStore, run_id: str, fast_path: Path
) -> None:
    path = fast_path / "a.bin"
    path.write_bytes(b"weights" * 1_000)
    store.log_artifact(run_id, path)
    database = store._connection.database  # noqa: SLF001 - damages the bytes
    for damage in ({"$set": {"data": b"x" * 7_000}}, {"$set": {"n": 7}}):
        database["run_artifact_bytes.chunks"].update_one({}, damage)

        store.log_artifact(run_id, path)

        with store.open_artifact(run_id, "a.bin") as mended:
            assert mended.read() == b"weights" * 1_000
        assert database["run_artifact_bytes.files"].count_documents({}) == 1
        assert database["run_artifact_bytes.chunks"].count_documents({}) == 1


def test_importing_the_plugin_imports_no_driver() -> None:
    import subprocess  # noqa: PLC0415 - this test alone
    import sys  # noqa: PLC0415 - as above

    code = "import sys, runstore_mongo.plugin; sys.exit('pymongo' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_page_on_mongodb_reads_the_packed_columns_right(store: MongoStore, run_id: str) -> None:
    """The recipe of docs/mongodb.md, word for word but for the names of the metric."""
    pytest.importorskip("numpy")
    page = (Path(__file__).parents[2] / "docs" / "mongodb.md").read_text()
    recipe = next(block.partition("\n")[2] for block in page.split("```")[1::2] if "frombuffer" in block)
    store.log_metrics(
        run_id,
        [MetricPoint(name="auroc", value=step / 8, step=step, dataset_type="validation") for step in range(1_300)],
    )
    store.log_metrics(run_id, [MetricPoint(name="auroc", value=-1.0, step=7, dataset_type="validation")])
    names: dict[str, Any] = {"database": store._connection.database, "run_id": run_id}  # noqa: SLF001 - a person with a client

    exec(recipe, names)

    history = store.get_history(run_id, "auroc", "validation")
    assert {step: value for step, (value, _) in names["points"].items()} == dict(
        zip(history.steps, history.values, strict=True)
    )


def test_a_run_with_its_config_and_first_points_is_four_commands(store: MongoStore, commands: Any) -> None:
    experiment_id = store.get_or_create_experiment("pneumonia")

    with commands.heard() as heard:
        run_id = store.ensure_run(experiment_id)
        store.log_config(run_id, {"lr": 0.1})
        store.log_metrics(run_id, [point(0)])

    assert [next(iter(command)) for command in heard] == ["update", "find", "update", "update"]


def test_a_run_that_this_handle_made_and_another_configured_keeps_both_configs(url: str, run_id: str) -> None:
    with MongoStore(url) as maker, MongoStore(url) as other:
        run_id = maker.ensure_run(maker.get_or_create_experiment("pneumonia"))
        other.log_config(run_id, {"seed": 1})
        other.log_metrics(run_id, [point(0)])

        maker.log_config(run_id, {"lr": 0.1})
        maker.log_metrics(run_id, [point(1)])

        assert maker.get_config(run_id) == {"seed": 1, "lr": 0.1}
        assert list(maker.get_history(run_id, "loss", "train").steps) == [0, 1]
