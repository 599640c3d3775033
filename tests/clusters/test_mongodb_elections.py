"""A MongoDB replica set of three nodes whose primary is killed while points, artifacts and an end are on their way."""

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore.backend import Store
from runstore.recording import Recorder
from support import session
from support.servers import MongoDBFailoverSet, private_server

pytestmark = pytest.mark.server

_CALLS = 400


@pytest.fixture(scope="module")
def nodes() -> Iterator[MongoDBFailoverSet]:
    with private_server("mongodb-replica3", durable=False) as server:
        assert isinstance(server, MongoDBFailoverSet)
        yield server


@pytest.fixture
def url(nodes: MongoDBFailoverSet, request: pytest.FixtureRequest) -> str:
    """The URL of a new database."""
    session.needs(request.node, nodes.kind)
    return nodes.new_database()


@pytest.mark.parametrize("is_recorded", [True, False], ids=["recorded", "bare"])
def test_an_election_loses_nothing_of_what_is_on_its_way(
    nodes: MongoDBFailoverSet, url: str, tmp_path: Path, is_recorded: object
) -> None:
    bytes_of = {f"part {number}": bytes([number]) * 300_000 for number in range(6)}
    with open_store(url, durable=bool(is_recorded)) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"), name="mine")
        killed = nodes.primary
        has_begun, is_killed = Event(), Event()

        def kill() -> None:
            has_begun.wait(120)
            nodes.kill_node(killed)
            is_killed.set()

        killing = Thread(target=kill)
        killing.start()
        for call in range(_CALLS):
            store.log_metrics(run_id, [MetricPoint("loss", call / 7, call), MetricPoint("other", 1.0, call)])
            if call == _CALLS // 4:
                has_begun.set()
            if call % 60 == 30:
                name = f"part {call // 60}"
                if name in bytes_of:
                    _keep(store, run_id, tmp_path / "file", name, bytes_of[name])
        assert is_killed.wait(120)
        store.log_config(run_id, {"seed": 7})
        store.finalize(run_id, "completed")
    killing.join()
    nodes.start_node(killed)

    with open_reader(url) as reader:
        assert list(reader.get_history(run_id, "loss", "other").steps) == list(range(_CALLS))
        assert [each.count for each in reader.get_summaries(run_id)] == [_CALLS, _CALLS]
        assert (reader.get_run(run_id).status, reader.get_config(run_id)) == ("completed", {"seed": 7})
        kept = {each.name: each.sha256 for each in reader.list_artifacts(run_id) if each.name.startswith("part")}
    assert kept == {name: hashlib.sha256(data).hexdigest() for name, data in bytes_of.items()}


def _keep(store: Store, run_id: str, path: Path, name: str, data: bytes) -> None:
    path.write_bytes(data)
    store.log_artifact(run_id, path, name=name)


@pytest.mark.parametrize(("option", "is_weak"), [("", False), ("&w=majority", False), ("&w=2", False), ("&w=1", True)])
def test_a_write_concern_below_the_majority_is_told_at_opening(
    url: str, caplog: pytest.LogCaptureFixture, option: str, is_weak: object
) -> None:
    with caplog.at_level(logging.WARNING):
        open_store(f"{url}{option}", durable=False).close()

    told = [each.getMessage() for each in caplog.records if "nodes" in each.getMessage()]
    assert [("w=1" in each and "election" in each) for each in told] == ([True] if is_weak else [])


def test_one_node_is_its_own_majority(
    mongodb_url: str, mongodb_replica_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for url in (f"{mongodb_url}?w=1", f"{mongodb_replica_url}&w=1"):
        with caplog.at_level(logging.WARNING):
            open_store(url, durable=False).close()

    assert not caplog.records


def test_what_an_election_forgets_of_writes_with_w_1_is_sent_again(request: pytest.FixtureRequest) -> None:
    session.needs(request.node, MongoDBFailoverSet.kind)
    options = ["--setParameter", "enableTestCommands=1"]
    with private_server("mongodb-replica3", durable=False, options=options) as server:
        assert isinstance(server, MongoDBFailoverSet)
        url = server.new_database()
        with open_store(f"{url}&w=1") as store:
            assert isinstance(store, Recorder)
            run_id = store.ensure_run(store.get_or_create_experiment("x"))
            _log(store, run_id, range(100))
            store.flush(deadline_s=120)
            server.wait_for_others()
            primary = server.primary
            others = {0, 1, 2} - {primary}
            for node in others:
                server.hold_back(node)
            _log(store, run_id, range(100, 300))
            store.flush(deadline_s=120)

            server.kill_node(primary)
            for node in others:
                server.hold_back(node, is_held=False)
            _log(store, run_id, range(300, 400))
            store.finalize(run_id, "completed")
            store.flush(deadline_s=120)

        told = store.health().runs[run_id].sent_again
        assert told is not None
        assert (told.points, told.lost) == (200, ())
        with open_reader(url) as reader:
            assert list(reader.get_history(run_id, "loss", "other").steps) == list(range(400))
            assert reader.get_run(run_id).status == "completed"


def _log(store: Store, run_id: str, steps: range) -> None:
    for step in steps:
        store.log_metrics(run_id, [MetricPoint("loss", step / 7, step)])
