"""A Galera cluster whose nodes write to one run, are killed, cut off from the others, and join again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

import pymysql
import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore.backend import Store
from runstore.errors import StoreUnavailableError
from runstore.recording import Recorder
from runstore_sql.dialects.mysql import connecting
from runstore_sql.dialects.mysql.connecting import BoundedConnection, connect_one
from runstore_sql.dialects.mysql.ingest import MysqlPointWriter
from runstore_sql.transactions import Transactions
from support import session
from support.engines import database_of, with_database
from support.galera import Galera
from support.outages import until_it_answers
from support.servers import private_server

pytestmark = pytest.mark.server

_CALLS = 60


@pytest.fixture(scope="module")
def galera() -> Iterator[Galera]:
    with private_server("mariadb-galera", durable=False) as server:
        assert isinstance(server, Galera)
        yield server


@pytest.fixture
def empty(galera: Galera, request: pytest.FixtureRequest) -> str:
    """The URL of a new database."""
    session.needs(request.node, galera.kind)
    return galera.new_database()


def _begun(store: Store) -> str:
    """A new run."""
    return store.ensure_run(store.get_or_create_experiment("x"))


def steps_on(galera: Galera, url: str, run_id: str, name: str = "loss") -> list[list[int]]:
    """Which steps each node has."""
    found = []
    for node in range(3):
        with open_reader(galera.on(url, node)) as reader:
            found.append(list(reader.get_history(run_id, name, "other").steps))
    return found


def test_writers_of_one_run_through_three_nodes_undo_none_of_each_others_calls(galera: Galera, empty: str) -> None:
    with open_store(galera.on(empty, 0), durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))

    def write(node: int) -> None:
        with open_store(galera.on(empty, node), durable=False) as store:
            for call in range(_CALLS):
                step = 3 * call + node
                store.log_metrics(run_id, [MetricPoint("loss", step / 7, step), MetricPoint(f"own/{node}", 1.0, step)])
                store.log_config(run_id, {f"node{node}": {"call": call}})

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(write, range(3)))

    assert steps_on(galera, empty, run_id) == [list(range(3 * _CALLS))] * 3
    with open_reader(galera.on(empty, 1)) as reader:
        assert {each.name: each.count for each in reader.get_summaries(run_id)} == {
            "loss": 3 * _CALLS,
            **{f"own/{node}": _CALLS for node in range(3)},
        }
        assert reader.get_config(run_id) == {f"node{node}": {"call": _CALLS - 1} for node in range(3)}


@pytest.mark.parametrize("in_one_answer", [False, True])
def test_a_call_that_another_node_undoes_in_its_middle_leaves_nothing_and_says_so(
    galera: Galera, empty: str, *, in_one_answer: bool
) -> None:
    database = database_of(empty)
    for statement in ("CREATE TABLE fought (pk INT PRIMARY KEY, n INT)", "INSERT INTO fought VALUES (1, 0)"):
        galera.ask(0, statement, database)
    connection = connect_one(
        {"host": "127.0.0.1", "port": galera.ports[0], "user": "root", "database": database}, read_only=False
    )
    writer = MysqlPointWriter(Transactions("START TRANSACTION"))

    def write_in_one_transaction() -> None:
        with writer.transaction(connection) as trips:
            if in_one_answer:
                trips.answer_once()
            trips.execute("INSERT INTO fought VALUES (2, 0)")
            trips.execute("UPDATE fought SET n = n + 1 WHERE pk = 1")
            trips.execute("DO SLEEP(60)")  # which the other node's change ends
            trips.execute("INSERT INTO fought VALUES (3, 0)")

    with closing(connection), ThreadPoolExecutor(1) as threads:
        written = threads.submit(write_in_one_transaction)
        sleeps = "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'"
        galera.until(lambda: galera.ask(0, sleeps))
        galera.ask(1, "UPDATE fought SET n = n + 100 WHERE pk = 1", database)
        with pytest.raises(pymysql.err.OperationalError, match="Deadlock"):
            written.result()

    only_the_others = "SELECT 1 FROM fought HAVING count(*) = 1 AND max(n) = 100"
    for node in range(3):
        galera.until(partial(galera.ask, node, only_the_others, database))


def test_a_point_takes_one_round_trip_and_a_call_of_two_series_four(
    galera: Galera, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    class Counted(BoundedConnection):
        def query(self, sql: Any, unbuffered: bool = False) -> int:  # noqa: FBT001, FBT002 - the driver's signature
            asked.append(sql)
            return super().query(sql, unbuffered)

    monkeypatch.setattr(connecting, "BoundedConnection", Counted)
    with open_store(galera.on(empty, 0), durable=False) as store:
        run_id = _begun(store)
        store.log_metrics(run_id, [MetricPoint("loss", 0.5, 0), MetricPoint("accuracy", 0.5, 0)])
        counts = []
        for step, names in ((1, ["loss", "accuracy"]), (2, ["loss"])):
            asked.clear()
            store.log_metrics(run_id, [MetricPoint(name, 0.5, step) for name in names])
            counts.append(len(asked))

    assert counts == [4, 1]


def test_when_a_node_is_killed_writers_and_readers_go_on_by_the_urls_other_nodes_or_by_haproxy(
    galera: Galera, empty: str
) -> None:
    url = galera.on(empty, 0, 1, 2)
    with galera.haproxy() as address, ExitStack() as opened:
        opened.callback(galera.start_node, 0)
        proxied = with_database(f"mysql://root@{address}", database_of(empty))
        stores = [
            opened.enter_context(until_it_answers(partial(open_store, each, durable=False))) for each in (url, proxied)
        ]
        readers = [opened.enter_context(open_reader(each)) for each in (url, proxied)]
        run_ids = [until_it_answers(partial(_begun, store)) for store in stores]
        for step in range(60):
            if step == 20:
                galera.kill_node(0)
            for store, reader, run_id in zip(stores, readers, run_ids, strict=True):
                point = MetricPoint("loss", step / 7, step)
                until_it_answers(lambda store=store, run_id=run_id, point=point: store.log_metrics(run_id, [point]))  # type: ignore[misc]
                read = partial(reader.get_history, run_id, "loss", "other")
                assert len(until_it_answers(read).steps) == step + 1
        for store, run_id in zip(stores, run_ids, strict=True):
            until_it_answers(partial(store.finalize, run_id, "completed"))

    for run_id in run_ids:
        assert steps_on(galera, empty, run_id) == [list(range(60))] * 3


def test_a_node_that_was_cut_off_is_an_outage_in_its_own_words_and_what_is_recorded_waits(
    galera: Galera, empty: str
) -> None:
    alone = galera.on(empty, 2)
    recorded = open_store(alone)
    assert isinstance(recorded, Recorder)
    with recorded, open_store(alone, durable=False) as bare, open_reader(alone) as reader:
        run_id = recorded.ensure_run(recorded.get_or_create_experiment("x"))
        recorded.log_metrics(run_id, [MetricPoint("loss", 0.5, 0)])
        recorded.flush(deadline_s=120)
        with galera.cut_off(2):
            for asked in (
                lambda: bare.log_metrics(run_id, [MetricPoint("loss", 0.5, 1)]),
                lambda: reader.get_run(run_id),
                lambda: open_reader(alone),
                lambda: open_store(alone, durable=False),
            ):
                with pytest.raises(StoreUnavailableError, match="no part in its cluster"):
                    asked()
            recorded.log_metrics(run_id, [MetricPoint("loss", 0.5, 2)])
            with open_reader(galera.on(empty, 2, 0)) as elsewhere:
                assert elsewhere.get_run(run_id).id == run_id
        recorded.flush(deadline_s=120)
        recorded.finalize(run_id, "completed")

    assert steps_on(galera, empty, run_id) == [[0, 2]] * 3


def test_a_node_that_was_cut_off_is_passed_over_by_haproxy(galera: Galera, empty: str) -> None:
    with galera.haproxy() as address:
        proxied = with_database(f"mysql://root@{address}", database_of(empty))
        with until_it_answers(lambda: open_store(proxied, durable=False)) as store:
            run_id = until_it_answers(partial(_begun, store))
            with galera.cut_off(0):
                point = MetricPoint("loss", 0.5, 0)
                until_it_answers(lambda: store.log_metrics(run_id, [point]))
            until_it_answers(partial(store.finalize, run_id, "completed"))

    assert steps_on(galera, empty, run_id) == [[0]] * 3


@pytest.mark.parametrize("takes", ["what it missed", "the whole state"])
def test_a_node_that_joins_again_has_what_was_written_meanwhile(galera: Galera, empty: str, takes: str) -> None:
    with open_store(galera.on(empty, 0), durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
        store.log_metrics(run_id, [MetricPoint("loss", 0.5, 0)])
        galera.kill_node(1)
        store.log_metrics(run_id, [MetricPoint("loss", 0.5, step) for step in range(1, 400)])
        galera.start_node(1, without_state=takes == "the whole state")
        with open_store(galera.on(empty, 1), durable=False) as joined:
            joined.log_metrics(run_id, [MetricPoint("loss", 0.5, 400)])
            joined.finalize(run_id, "completed")

    assert steps_on(galera, empty, run_id) == [list(range(401))] * 3


def test_new_keys_that_go_up_in_steps_of_the_clusters_size_mix_nothing_up(galera: Galera, empty: str) -> None:
    with open_store(galera.on(empty, 0), durable=False) as store:
        experiment_id = store.get_or_create_experiment("x")
    for node in (2, 0, 1, 0, 2, 1):
        with open_store(galera.on(empty, node), durable=False) as store:
            run_id = store.ensure_run(experiment_id, name=f"through {node}")
            store.log_metrics(run_id, [MetricPoint("loss", float(node), 1)])
            store.finalize(run_id, "completed")

    database = database_of(empty)
    keys = [pk for (pk,) in galera.ask(1, "SELECT pk FROM runstore_run ORDER BY pk", database)]
    assert max(keys) - min(keys) > len(keys) - 1, "the keys went up by one, and nothing was tried"
    with open_reader(galera.on(empty, 1)) as reader:
        found = reader.search_runs("metric.other.loss.last >= 1", order_by="metric.other.loss.last").items
        assert [run.name for run in found] == ["through 1", "through 1", "through 2", "through 2"]
