"""What can be counted and does not depend on the machine: bytes a point, round trips, and which index a query uses."""

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pymongo
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.places import size_of

from benchmarks import data
from runstore import MetricPoint, open_store
from runstore.backend import Store
from runstore.model import from_microseconds
from runstore.testing.proxy import FaultProxy

POINTS = 40_000
SERIES = 20


def points_of(batch: list[data.Point]) -> list[MetricPoint]:
    return [
        MetricPoint(
            name=f"metric{point.series}",
            value=point.value,
            step=point.step,
            dataset_type="train",
            logged_at=from_microseconds(point.at_us),
        )
        for point in batch
    ]


def fill(url: str) -> str:
    """Points in 20 series, as the suite's row "disk" has them; the run's id."""
    with closing(open_store(url, durable=False)) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("counts"))
        for batch in data.batches(POINTS, size=10_000, series=SERIES):
            store.log_metrics(run_id, points_of(batch))
        return run_id


def add_runs(store: Store, count: int) -> None:
    experiment = store.get_or_create_experiment("counts")
    for run in data.search_runs(count):
        run_id = store.ensure_run(experiment, name=run.name)
        store.log_config(run_id, run.config)
        store.log_metrics(run_id, [MetricPoint(name=key, value=value, step=1) for key, value in run.metrics.items()])


def best_of(store: Store) -> list[str | None]:
    page = store.search_runs(
        "config.architecture = 'architecture-3'", order_by=["metric.other.metric0.last desc"], limit=5
    )
    return [run.name for run in page.items]


def list_all(store: Store) -> int:
    ids = [run.id for run in store.search_runs(limit=1_000).items]
    return len(store.get_configs(ids)) + len(store.get_summaries_of(ids))


def test_a_point_takes_at_most_40_bytes_in_sqlite(fast_path: Path) -> None:
    url = f"sqlite:///{fast_path}/runs.db"

    fill(url)

    assert size_of(url, fast_path) / POINTS <= 40


def test_a_point_takes_at_most_120_bytes_in_postgresql(postgresql_url: str, fast_path: Path) -> None:
    fill(postgresql_url)

    assert size_of(postgresql_url, fast_path) / POINTS <= 120


def test_a_point_takes_at_most_40_bytes_in_mongodb(mongodb_replica_url: str, fast_path: Path) -> None:
    fill(mongodb_replica_url)

    assert size_of(mongodb_replica_url, fast_path) / POINTS <= 40


@pytest.fixture(params=["postgresql_url", "mariadb_url", "mongodb_replica_url"])
def proxied(request: pytest.FixtureRequest) -> Iterator[tuple[FaultProxy, str]]:
    """A counting proxy, and the URL of a new database behind it."""
    url = request.getfixturevalue(request.param)
    parts = urlsplit(url)
    with FaultProxy(parts.hostname or "", parts.port or 0, is_noise=lambda sent: b"topologyVersion" in sent) as proxy:
        user = f"{parts.username}@" if parts.username else ""
        query = "directConnection=true" if parts.scheme == "mongodb" else parts.query
        yield proxy, urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{proxy.port}", query=query))


@pytest.mark.server
@pytest.mark.parametrize("read", [best_of, list_all])
def test_reading_many_runs_takes_as_many_round_trips_as_reading_few(
    proxied: tuple[FaultProxy, str], read: Callable[[Store], Any]
) -> None:
    proxy, url = proxied
    counts = []
    with closing(open_store(url, durable=False)) as store:
        for more in (10, 40):
            add_runs(store, more)
            read(store)  # connects, and looks at what is looked at once
            with proxy.counted() as round_trips:
                read(store)
                counts.append(round_trips())

    # A first answer of MongoDB holds 101 documents, the second all others: one more for each of three queries.
    assert counts[0] <= counts[1] <= counts[0] + (3 if url.startswith("mongodb") else 0)


def traced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that SQLite runs from now on, with its values in place."""
    statements: list[str] = []
    connect = sqlite3.connect

    def traced_connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced_connect)
    return statements


def test_no_hot_query_of_sqlite_scans_a_table(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = fast_path / "runs.db"
    run_id = fill(f"sqlite:///{file}")
    statements = traced(monkeypatch)
    with closing(open_store(f"sqlite:///{file}", durable=False)) as store:
        add_runs(store, 30)
        statements.clear()
        store.log_metrics(run_id, [MetricPoint(name="metric0", value=1.0, step=10**6, dataset_type="train")])
        store.log_config(run_id, {"depth": 3})
        best_of(store)
        store.get_summaries(run_id)
        store.get_history(run_id, "metric0", "train")
        store.sample_history(run_id, "metric0", "train", max_points=100)
        store.finalize(run_id, "completed")
    monkeypatch.undo()

    with closing(sqlite3.connect(file)) as connection:
        connection.create_function("runstore_now_us", 0, lambda: 0)
        connection.create_function("runstore_take_point", -1, lambda *_: None)
        connection.create_function("runstore_take_series", -1, lambda *_: None)
        plans = {text: plan_of(connection, text) for text in statements if is_query(text)}
    scans = {text: plan for text, plan in plans.items() if any(step.startswith("SCAN runstore_") for step in plan)}
    assert len(plans) > 10
    assert scans == {}


def is_query(text: str) -> bool:
    return text.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"))


def plan_of(connection: sqlite3.Connection, text: str) -> list[str]:
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}")]


def test_no_hot_query_of_postgresql_scans_the_points(postgresql_url: str) -> None:
    run_id = fill(postgresql_url)
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    before = scans_of_points(postgresql_url)

    with closing(open_store(postgresql_url, durable=False)) as store:
        store.log_metrics(run_id, [MetricPoint(name="metric0", value=1.0, step=10**6, dataset_type="train")])
        store.get_history(run_id, "metric0", "train")
        store.sample_history(run_id, "metric0", "train", max_points=100)
        store.get_summaries(run_id)

    assert scans_of_points(postgresql_url) == before


def scans_of_points(url: str) -> object:
    """Counts of scans and of rows read by them; a server process reports what it did when its connection ends."""
    with psycopg.connect(url) as connection:
        query = "SELECT seq_scan, seq_tup_read FROM pg_stat_user_tables WHERE relname = 'runstore_point'"
        return connection.execute(query).fetchone()


def test_no_hot_query_of_mongodb_scans_a_collection(mongodb_replica_url: str) -> None:
    run_id = fill(mongodb_replica_url)
    with pymongo.MongoClient[dict[str, Any]](mongodb_replica_url) as client:
        database = client[urlsplit(mongodb_replica_url).path[1:]]
        with closing(open_store(mongodb_replica_url, durable=False)) as store:
            add_runs(store, 30)
            database.command("profile", 2)
            store.log_metrics(run_id, [MetricPoint(name="metric0", value=1.0, step=10**6, dataset_type="train")])
            best_of(store)
            store.get_summaries(run_id)
            store.get_history(run_id, "metric0", "train")
            store.sample_history(run_id, "metric0", "train", max_points=100)
            database.command("profile", 0)
        seen = [entry for entry in database["system.profile"].find() if "planSummary" in entry]

    assert len(seen) > 3
    assert [json.dumps(entry["command"], default=str) for entry in seen if "COLLSCAN" in entry["planSummary"]] == []
