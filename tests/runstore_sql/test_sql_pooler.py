"""PgBouncer between runstore and PostgreSQL: it works, and no other program of the pool notices."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from moving.everything import fill
from runstore import MetricPoint, open_reader, open_store
from runstore.errors import StoreFailureError, StoreUnavailableError
from runstore.hookspecs import OpenOptions
from runstore_sql.opening import open_sql
from support.commands import runstore_here
from support.pooler import pooled
from support.servers import private_server

pytestmark = pytest.mark.server


def points(count: int) -> list[MetricPoint]:
    return [MetricPoint(name="loss", value=step / 7, step=step) for step in range(count)]


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_writers_and_readers_work_through_a_pooler(postgresql_url: str, mode: str) -> None:
    def write(name: str, url: str) -> str:
        with open_sql(url, OpenOptions()) as store:
            run_id = store.ensure_run(store.get_or_create_experiment(name), tags={"a": "b"})
            for point in points(30):
                store.log_metrics(run_id, [point])
            store.log_config(run_id, {"a": 1.5})
            store.finalize(run_id, "completed")
            return run_id

    with pooled(postgresql_url, mode=mode) as url:
        with ThreadPoolExecutor(2) as pool:
            run_ids = list(pool.map(lambda name: write(name, url), ("one", "two", "three")))

        with open_sql(url, OpenOptions(read_only=True)) as reader:
            for run_id in run_ids:
                assert list(reader.get_history(run_id, "loss", "train").values) == []
                assert list(reader.get_history(run_id, "loss", "other").values) == [step / 7 for step in range(30)]
                assert reader.get_config(run_id) == {"a": 1.5}
            for _ in range(8):  # more often than a driver waits for before it prepares a statement
                assert {run.id for run in reader.search_runs("tag.a = 'b'").items} == set(run_ids)


def test_whatever_a_store_can_do_it_does_through_a_pooler(postgresql_url: str, tmp_path: Path) -> None:
    later = datetime.now(UTC) + timedelta(minutes=1)
    with pooled(postgresql_url) as url:
        with open_store(url, durable=False) as store:
            fill(store, tmp_path)
            run_id = store.ensure_run(store.get_or_create_experiment("long"))
            for first in range(0, 9_000, 3_000):  # enough for roll-ups
                store.log_metrics(run_id, points(9_000)[first : first + 3_000])
            store.finalize(run_id, "completed")
        with open_store(url) as recorded:
            child = recorded.ensure_run(recorded.get_or_create_experiment("long"), parent_run_id=run_id)
            recorded.log_metrics(child, points(100))
            recorded.finalize(child, "completed")
        same = runstore_here("verify", url, postgresql_url)
        copied = runstore_here("copy", url, f"sqlite:///{tmp_path}/copy.db")
        assert (same.exit_code, copied.exit_code) == (0, 0), (same.output, copied.output)
        doctor = runstore_here("doctor", "--store", url)
        assert doctor.exit_code == 0, doctor.output

        with open_reader(url) as pooled_reader, open_reader(postgresql_url) as reader:
            sampled = [each.sample_history(run_id, "loss", "other", max_points=50) for each in (pooled_reader, reader)]
            assert sampled[0].values == sampled[1].values
        with open_store(url, durable=False) as store:
            assert store.thin_histories(ended_before=later).points
            store.delete_experiment(store.get_or_create_experiment("long"))
            assert store.collect_garbage(deleted_before=later, dry_run=False).runs >= 2


def test_other_programs_of_the_pool_find_their_sessions_as_they_left_them(postgresql_url: str) -> None:
    with pooled(postgresql_url) as url, psycopg.connect(url, autocommit=True, prepare_threshold=None) as theirs:
        theirs.execute("CREATE TABLE theirs (number int)")
        names = ("jit", "default_transaction_read_only", "transaction_isolation", "statement_timeout")
        before = [theirs.execute(f"SHOW {name}".encode()).fetchone() for name in names]
        with open_store(url) as store:
            run_id = store.ensure_run(store.get_or_create_experiment("experiment"))
            store.log_metrics(run_id, points(10))
        with open_reader(url) as reader:
            reader.search_runs()

            for _ in range(4):
                theirs.execute("INSERT INTO theirs VALUES (1)")
                after = [theirs.execute(f"SHOW {name}".encode()).fetchone() for name in names]

                assert after == before
                assert theirs.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)


def test_a_pooler_that_pools_by_statement_is_refused_at_opening(postgresql_url: str) -> None:
    open_sql(postgresql_url, OpenOptions()).close()

    with pooled(postgresql_url, mode="statement") as url:
        for options in (OpenOptions(), OpenOptions(read_only=True)):
            with pytest.raises(StoreFailureError, match="pool_mode = transaction"):
                open_sql(url, options)


def test_a_setting_that_the_pooler_does_not_pass_on_is_told(postgresql_url: str) -> None:
    with pooled(postgresql_url) as url, pytest.raises(StoreFailureError, match="give it to the role or the database"):
        open_sql(f"{url}?options=-csearch_path%3Dpublic", OpenOptions())


def test_a_database_that_only_the_server_knows_to_be_missing_is_a_refusal(postgresql_url: str) -> None:
    with pooled(postgresql_url) as url, pytest.raises(StoreFailureError, match="does not exist"):
        open_sql(f"{url}_nowhere", OpenOptions())


def test_a_server_that_is_away_behind_its_pooler_is_away_and_no_refusal() -> None:
    with private_server("postgresql", durable=False) as server:
        database = server.new_database()
        with pooled(database, more="query_wait_timeout = 2\n") as url:
            server.stop()
            for _ in range(2):
                with pytest.raises(StoreUnavailableError):
                    open_sql(url, OpenOptions())


def test_a_pooler_that_is_full_may_have_room_later(postgresql_url: str) -> None:
    full = pooled(postgresql_url, more="max_client_conn = 1\n")
    with full as url, psycopg.connect(url), pytest.raises(StoreUnavailableError):
        open_sql(url, OpenOptions())
