"""A PostgreSQL whose standby is promoted under a writer, and a standby that ends the statements of its readers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from runstore import MetricPoint, open_reader, open_store
from runstore.errors import StoreUnavailableError
from runstore.hookspecs import OpenOptions
from runstore.plugins.registry import find_backends
from runstore.recording import Recorder, RecorderOptions, open_recorder, sync_leftovers
from runstore_sql.connections.database import Database
from runstore_sql.dialects.base import parse_url
from runstore_sql.opening import open_sql
from support import session
from support.dying import die
from support.engines import Server, database_of, with_database
from support.outages import until_it_answers
from support.servers import private_server
from support.standby import Standby, standby
from support.waiting import wait_until

pytestmark = pytest.mark.server

_FOLLOWED = ("-c", "synchronous_commit=on", "-c", "wal_keep_size=256MB", "-c", "autovacuum=off")
_VERSION = "SELECT version FROM runstore_schema"
_STEPS = 300


@contextmanager
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Server, Standby]]:
    """A primary whose commits wait for its standby."""
    session.needs(request.node, "postgresql")
    with private_server("postgresql", durable=False, options=_FOLLOWED) as primary, standby(primary) as replica:
        # Now and not before: the standby's making would wait for a standby.
        with psycopg.connect(f"{primary.url}/postgres", autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
        yield primary, replica


def of_both(primary: Server, replica: Standby, url: str) -> str:
    """The URL as PostgreSQL's manual writes it."""
    hosts = ",".join(f"127.0.0.1:{each.ports[0]}" for each in (primary, replica))
    return f"postgresql://postgres@{hosts}/{database_of(url)}?target_session_attrs=read-write"


@pytest.mark.parametrize("kind", ["bare", "recorded"])
def test_a_synchronous_standby_that_is_promoted_has_all_that_was_acknowledged(
    request: pytest.FixtureRequest, kind: str
) -> None:
    with pair(request) as (primary, replica):
        url = of_both(primary, replica, primary.new_database())
        promoting = threading.Timer(0.3, replica.promote)
        with open_store(url, durable=kind == "recorded") as store:
            run_id = store.ensure_run(store.get_or_create_experiment("x"))
            for step in range(_STEPS):
                if step == _STEPS // 3:
                    if isinstance(store, Recorder):
                        store.flush(deadline_s=120)
                    primary.kill()
                    promoting.start()
                point = MetricPoint("loss", step / 7, step)
                until_it_answers(lambda point=point: store.log_metrics(run_id, [point]))  # type: ignore[misc]
            until_it_answers(lambda: store.finalize(run_id, "completed"))
            if isinstance(store, Recorder):
                store.flush(deadline_s=120)

        promoting.join()  # it ends some time after the standby takes writes

        with open_reader(url) as reader:
            assert list(reader.get_history(run_id, "loss", "other").steps) == list(range(_STEPS))
            assert reader.get_run(run_id).status == "completed"


def test_a_standby_is_promoted_while_a_sync_drains_what_a_dead_writer_left(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with pair(request) as (primary, replica):
        written = primary.new_database()
        url = of_both(primary, replica, written)
        with open_store(url, durable=False) as store:
            run_id = store.ensure_run(store.get_or_create_experiment("x"))
            primary.kill()
            options = RecorderOptions(state_dir=tmp_path, confirm_s=0.1)
            backend = find_backends().backend_for("postgresql")
            recorder = open_recorder(url, backend, OpenOptions(), options)
            for step in range(_STEPS * 100):
                recorder.log_metrics(run_id, [MetricPoint("loss", step / 7, step)])
            die(recorder, deadline_s=0.1)
            primary.start()

            def drain() -> None:
                while (report := sync_leftovers(store, url, state_dir=tmp_path)).error is not None:
                    assert isinstance(report.error, StoreUnavailableError)

            draining = threading.Thread(target=drain)
            draining.start()
            with open_reader(with_database(replica.url, database_of(written))) as behind:
                while draining.is_alive() and not behind.get_summaries(run_id):
                    draining.join(0.01)
            primary.kill()
            replica.promote()
            draining.join(240)

            assert not draining.is_alive()
            assert list(store.get_history(run_id, "loss", "other").steps) == list(range(_STEPS * 100))


def test_when_neither_of_two_hosts_answers_the_error_names_both() -> None:
    with pytest.raises(StoreUnavailableError, match=r"me@127\.0\.0\.1:1,127\.0\.0\.1:2/lab"):
        open_store("postgresql://me@127.0.0.1:1,127.0.0.1:2/lab", durable=False)
    with pytest.raises(StoreUnavailableError, match=r"me@127\.0\.0\.1:1,127\.0\.0\.1:2/lab"):
        open_store("mysql://me@127.0.0.1:1,127.0.0.1:2/lab", durable=False)


@pytest.mark.parametrize("is_in_statement", [True, False], ids=["in a statement", "between two statements"])
def test_a_reader_whose_standby_must_go_on_reads_again(request: pytest.FixtureRequest, is_in_statement: object) -> None:
    session.needs(request.node, "postgresql")
    with private_server("postgresql", durable=False, options=_FOLLOWED) as primary, standby(primary) as replica:
        written = primary.new_database()
        open_sql(written, OpenOptions()).close()
        replica.stop()
        replica.options = ["-c", "max_standby_streaming_delay=0"]
        replica.start()
        replica.wait()
        database = Database(parse_url(with_database(replica.url, database_of(written))), read_only=True)
        tries: list[int] = []

        def work(connection: sa.Connection) -> int:
            tries.append(1)
            if len(tries) > 1:
                return int(connection.exec_driver_sql(_VERSION).scalar_one())
            if is_in_statement:
                vacuuming.start()
                connection.exec_driver_sql("SELECT version, pg_sleep(60) FROM runstore_schema")
            else:
                connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ")
                connection.exec_driver_sql(_VERSION)
                vacuum()
                replica.wait()
                connection.exec_driver_sql(_VERSION)
            raise AssertionError("the standby ended nothing")

        def vacuum() -> None:
            with psycopg.connect(written, autocommit=True) as connection:
                connection.execute("UPDATE runstore_schema SET written_by = 'another'")
                connection.execute("VACUUM runstore_schema")
                # What only cleans up reaches the disk, and so the standby, with the next commit.
                connection.execute("UPDATE runstore_schema SET written_by = 'one more'")

        def vacuum_beside_the_statement() -> None:
            sleeps = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            wait_until(lambda: replica.ask(replica, sleeps), "the statement to begin", pause_s=0.0)
            vacuum()

        vacuuming = threading.Thread(target=vacuum_beside_the_statement, daemon=True)

        assert database.read(work) > 0
        assert len(tries) == 2
        if is_in_statement:
            vacuuming.join()
        database.close()


def test_a_recorder_in_front_of_a_standby_says_that_it_is_one_and_waits(request: pytest.FixtureRequest) -> None:
    session.needs(request.node, "postgresql")
    with private_server("postgresql", durable=False, options=_FOLLOWED) as primary, standby(primary) as replica:
        written = primary.new_database()
        open_sql(written, OpenOptions()).close()
        replica.wait()
        with open_store(with_database(replica.url, database_of(written))) as store:
            assert isinstance(store, Recorder)
            run_id = store.ensure_run(store.get_or_create_experiment("x"))
            with pytest.raises(StoreUnavailableError, match="read replica"):
                store.flush(deadline_s=2)
            replica.promote()
            store.finalize(run_id, "completed")
            store.flush(deadline_s=120)
            assert store.get_run(run_id).status == "completed"
