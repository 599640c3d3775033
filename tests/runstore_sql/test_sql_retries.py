"""What is tried again: what may pass, and nothing else (DUR.4)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import sqlalchemy as sa

from runstore.errors import StoreFailureError
from runstore.hookspecs import OpenOptions
from runstore.model import MetricPoint
from runstore_sql.database import Database, parse_url
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
                    both_hold_one.wait(1.0 if database.dialect == "sqlite" else 30.0)
            connection.execute(_DESCRIBE, {"id": second})

        database.write(work)
        database.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(update, *ids), pool.submit(update, *reversed(ids))]:
            done.result()

    assert len(tries) >= (2 if url.startswith("sqlite") else 3)


@pytest.mark.server
def test_writers_to_runs_of_their_own_never_deadlock_on_mariadb(mariadb_url: str) -> None:
    with open_sql(mariadb_url, OpenOptions()) as store:
        experiment_id = store.get_or_create_experiment("x")
        before = _deadlocks(mariadb_url)

        def write(number: int) -> None:
            run_id = store.ensure_run(experiment_id, run_id=f"run {number}")
            for step in range(10):
                store.log_metrics(run_id, [MetricPoint(name=f"m{m}", value=0.5, step=step) for m in range(10)])

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(64)))

    assert _deadlocks(mariadb_url) == before


_DESCRIBE = sa.text("UPDATE runstore_experiment SET description = 'x' WHERE id = :id")


def _deadlocks(url: str) -> int:
    engine = sa.create_engine(parse_url(url))
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'").one()
    engine.dispose()
    return int(found[1])
