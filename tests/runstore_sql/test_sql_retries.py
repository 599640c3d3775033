"""What is tried again: what may pass, and nothing else (DUR.4)."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import sqlalchemy as sa

from runstore.errors import StoreFailureError
from runstore.hookspecs import OpenOptions
from runstore.model import MetricPoint
from runstore_sql.connections.database import Database
from runstore_sql.dialects.base import parse_url
from runstore_sql.opening import open_sql


def test_a_statement_that_the_database_refuses_for_good_is_sent_once(url: str) -> None:
    open_sql(url, OpenOptions()).close()
    database = Database(parse_url(url), read_only=False)
    tries = []

    def insert_half_a_row(connection: sa.Connection) -> None:
        tries.append(1)
        connection.exec_driver_sql("INSERT INTO runstore_run (id) VALUES (NULL)")

    with pytest.raises(StoreFailureError):
        database.write(insert_half_a_row)

    database.close()
    assert len(tries) == 1


def test_writers_that_deadlock_both_succeed(url: str) -> None:
    with open_sql(url, OpenOptions()) as store:
        ids = [store.get_or_create_experiment(name) for name in ("one", "other")]
    both_hold_one = threading.Barrier(2)
    tries: list[str] = []

    def update(first: str, second: str) -> None:
        database = Database(parse_url(url), read_only=False)

        def work(connection: sa.Connection) -> None:
            is_first_try = first not in tries
            tries.append(first)
            connection.execute(_DESCRIBE, {"id": first})
            if is_first_try:
                with suppress(threading.BrokenBarrierError):  # SQLite lets no second writer begin
                    both_hold_one.wait(1.0 if database.dialect.name == "sqlite" else 30.0)
            connection.execute(_DESCRIBE, {"id": second})

        database.write(work)
        database.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(update, *ids), pool.submit(update, *reversed(ids))]:
            done.result()

    assert len(tries) >= (2 if url.startswith("sqlite") else 3)


@pytest.mark.server
def test_a_transaction_that_the_server_ended_for_standing_idle_is_begun_again(postgresql_url: str) -> None:
    open_sql(postgresql_url, OpenOptions()).close()
    url = f"{postgresql_url}?options=-cidle_in_transaction_session_timeout%3D50ms"
    database = Database(parse_url(url), read_only=False)
    tries: list[int] = []

    def work(connection: sa.Connection) -> int:
        tries.append(1)
        if len(tries) == 1:
            time.sleep(0.5)
        return int(connection.exec_driver_sql("SELECT 7").scalar_one())

    assert database.write(work) == 7
    assert len(tries) == 2
    database.close()


@pytest.mark.server
def test_a_writer_waits_for_no_writer_of_another_run_on_mariadb(mariadb_url: str) -> None:
    several = [MetricPoint(name=name, value=0.5, step=step) for name in "abc" for step in range(3)]
    engine = sa.create_engine(parse_url(mariadb_url), isolation_level="READ COMMITTED")
    with open_sql(mariadb_url, OpenOptions()) as store, engine.connect() as rival:
        experiment_id = store.get_or_create_experiment("x")
        before, own, after = (store.ensure_run(experiment_id, run_id=run_id) for run_id in ("before", "own", "after"))
        for run_id in (before, own, after):
            store.log_metrics(run_id, several)
        for run_id in (before, after):
            rival.execute(_LOCK_SERIES, {"id": run_id})

        with ThreadPoolExecutor(1) as pool:
            for points in (several, [*several, MetricPoint(name="new", value=0.5, step=1)], several[:1]):
                done = pool.submit(store.log_metrics, own, points)
                try:
                    done.result(timeout=40)  # the server gives up after 50 s
                finally:
                    if not done.done():
                        rival.rollback()

        assert store.get_summaries(own)[0].count == 3
    engine.dispose()


_LOCK_SERIES = sa.text(
    "SELECT s.pk FROM runstore_series s FORCE INDEX (runstore_series_identity) WHERE s.run_pk = "
    "(SELECT pk FROM runstore_run WHERE id = :id) FOR UPDATE"
)
_DESCRIBE = sa.text("UPDATE runstore_experiment SET description = 'x' WHERE id = :id")
