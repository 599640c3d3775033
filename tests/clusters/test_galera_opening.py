"""Three Galera nodes, and a schema that any process makes through any of them: one does, and the others wait."""

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from runstore import MetricPoint, open_reader, open_store
from runstore.errors import StoreUnavailableError
from runstore.hookspecs import OpenOptions
from runstore_sql.connections.database import Database
from runstore_sql.dialects.base import parse_url
from runstore_sql.dialects.mysql import cluster
from runstore_sql.dialects.mysql import dialect as mysql_dialect
from runstore_sql.opening import open_sql
from support import session
from support.engines import database_of
from support.galera import Galera

pytestmark = pytest.mark.server

_STATEMENTS_OF_SCHEMA = (
    "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN "
    "('COM_CREATE_TABLE', 'COM_CREATE_VIEW', 'COM_CREATE_INDEX', 'COM_ALTER_TABLE', 'COM_DROP_VIEW', 'COM_DROP_TABLE')"
)
_RUN = "01a223c0-3633-755b-8fdb-928b9332031b"
_PROCESSES = 6


@pytest.fixture
def galera(request: pytest.FixtureRequest) -> Galera:
    server = session.server_or_skip("mariadb-galera", request)
    assert isinstance(server, Galera)
    return server


@pytest.fixture
def empty(galera: Galera) -> Iterator[str]:
    url = galera.new_database()
    yield url
    galera.drop_database(url)


def _open_and_write(number: int, url: str, barrier: object, told: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    try:
        with open_store(url, durable=False) as store:
            run_id = store.ensure_run(store.get_or_create_experiment("same"), run_id=_RUN, name="same")
            store.log_metrics(run_id, [MetricPoint("a", float(number), number)])
        told.put("")  # type: ignore[attr-defined]
    except Exception as error:  # noqa: BLE001 - what the test is told
        told.put(f"{type(error).__name__}: {error}")  # type: ignore[attr-defined]


def test_six_processes_make_a_new_store_at_once_through_three_nodes(galera: Galera, empty: str) -> None:
    spawning = multiprocessing.get_context("spawn")
    barrier, told = spawning.Barrier(_PROCESSES), spawning.Queue()
    processes = [
        spawning.Process(target=_open_and_write, args=(number, galera.on(empty, number % 3), barrier, told))
        for number in range(_PROCESSES)
    ]
    for process in processes:
        process.start()
    errors = [told.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()

    assert errors == [""] * _PROCESSES
    for node in range(3):
        with open_reader(galera.on(empty, node)) as reader:
            assert list(reader.get_history(_RUN, "a", "other").steps) == list(range(_PROCESSES))
            assert [each.name for each in reader.list_experiments().items] == ["same"]


def test_who_comes_second_changes_no_schema(galera: Galera, empty: str) -> None:
    open_sql(galera.on(empty, 0), OpenOptions()).close()
    before = [galera.ask(node, _STATEMENTS_OF_SCHEMA) for node in range(3)]

    for node in range(3):
        database = Database(parse_url(galera.on(empty, node)), read_only=False)
        cluster_lock_once(database)
        database.close()
        open_sql(galera.on(empty, node), OpenOptions()).close()

    assert [galera.ask(node, _STATEMENTS_OF_SCHEMA) for node in range(3)] == before
    assert sum(int(count) for _, count in before[0]) > 0


def _lock_and_leave(connection: object, database: Database) -> None:
    with database.dialect.lock(connection, database.url, "shown"):  # type: ignore[arg-type]
        pass


def test_a_process_that_died_while_it_made_the_schema_is_not_waited_for_long(
    galera: Galera, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = database_of(empty)
    galera.ask(1, cluster._MAKE, database)  # noqa: SLF001 - as one that died has left it
    galera.ask(1, "INSERT INTO runstore_opening VALUES (1, 'dead', 7)", database)
    monkeypatch.setattr(cluster, "_DEAD_S", 0.3)

    with open_sql(galera.on(empty, 2), OpenOptions()) as store:
        assert store.get_or_create_experiment("x")


def test_a_process_that_is_still_at_it_is_waited_for_through_another_node(
    galera: Galera, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_BEAT_S", 0.05)
    monkeypatch.setattr(cluster, "_DEAD_S", 2.0)
    monkeypatch.setattr(cluster, "_WAIT_S", 4.0)
    first, second = (Database(parse_url(galera.on(empty, node)), read_only=False) for node in (0, 1))
    has_it, may_leave = threading.Event(), threading.Event()

    def hold(connection: object) -> None:
        with first.dialect.lock(connection, first.url, "shown"):  # type: ignore[arg-type]
            has_it.set()
            may_leave.wait(120)

    holding = threading.Thread(target=lambda: first.read(hold))
    holding.start()
    assert has_it.wait(120)

    try:
        with pytest.raises(StoreUnavailableError, match="another process has been changing"):
            cluster_lock_once(second)
    finally:
        may_leave.set()
        holding.join()
    cluster_lock_once(second)
    first.close()
    second.close()


def test_a_lock_that_only_one_node_knows_would_be_noticed(
    galera: Galera, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def of_one_node(connection: sa.Connection, _: str) -> Iterator[None]:
        assert connection.exec_driver_sql("SELECT GET_LOCK('runstore', 60)").scalar() == 1
        yield
        connection.exec_driver_sql("SELECT RELEASE_LOCK('runstore')")

    monkeypatch.setattr(mysql_dialect, "lock_of_cluster", of_one_node)

    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        test_a_process_that_is_still_at_it_is_waited_for_through_another_node(galera, empty, monkeypatch)


def cluster_lock_once(database: Database) -> None:
    """Takes the lock and gives it back, on one connection, without the retries of a call."""
    with database.engine.connect() as connection:
        _lock_and_leave(connection, database)


def test_what_one_node_has_acknowledged_is_read_through_one_that_is_behind(galera: Galera, empty: str) -> None:
    with (
        open_store(galera.on(empty, 0), durable=False) as store,
        open_store(galera.on(empty, 1), durable=False) as behind,
        open_reader(galera.on(empty, 1)) as reader,
        ThreadPoolExecutor(2) as threads,
    ):
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
        store.log_metrics(run_id, [MetricPoint("loss", 0.5, 0)])
        assert reader.get_summaries(run_id)[0].count == 1
        with galera.held_up(1):
            store.log_metrics(run_id, [MetricPoint("loss", 0.5, 1)])
            later = store.ensure_run(store.get_or_create_experiment("y"))
            read = threads.submit(lambda: reader.get_summaries(run_id)[0].count)
            written = threads.submit(behind.log_metrics, later, [MetricPoint("loss", 0.5, 0)])
            wait({read}, timeout=0.5)  # it gives an old answer, or waits until the node has caught up
        assert read.result(120) == 2
        written.result(120)
        for run in (run_id, later):
            store.finalize(run, "completed")
