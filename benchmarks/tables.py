"""How long a table takes: runs with their settings and metrics, and the points of curves, beside pandas over the views.

    python benchmarks/tables.py [--kind sqlite] [--runs 1000] [--keys 50] [--points 1000000] [--rounds 5]

The least of the rounds, of elapsed and of processor time of this process; "raw" reads the same rows with the database's own
driver and makes nothing of them. MongoDB has no view that pandas reads.
"""

import argparse
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas
import sqlalchemy
from recorder_support import database, folder, line, machine

from runstore import MetricPoint, open_reader, open_store

_CURVES = "select run_id, metric_name, dataset_type, step, metric_value, logged_at from run_metrics where metric_name = 'loss'"
_SETTINGS = "select run_id, key, value from run_configurations"
_LAST = "select run_id, metric_name, metric_value from run_metrics where metric_name <> 'loss'"


def fill(url: str, *, runs: int, keys: int, points: int) -> None:
    with open_store(url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("tables")
        for number in range(runs):
            run_id = store.ensure_run(experiment_id, name=f"run {number}", tags={"owner": "me"})
            store.log_config(run_id, {f"p{key}": key * number if key % 2 else key * 0.1 for key in range(keys)})
            store.log_metrics(
                run_id,
                [
                    MetricPoint(name=f"m{key}", value=key * 0.1, step=0, dataset_type="validation")
                    for key in range(keys)
                ],
            )
            store.finalize(run_id, "completed")
        run_id = store.ensure_run(experiment_id, name="curves", tags={"curves": "yes"})
        for first in range(0, points, 100_000):
            steps = range(first, min(first + 100_000, points))
            store.log_metrics(run_id, [MetricPoint(name="loss", value=1 / (step + 1), step=step) for step in steps])
        store.finalize(run_id, "completed")


def least(work: Callable[[], Any], rounds: int) -> dict[str, Any]:
    spent = []
    for _ in range(rounds):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        work()
        spent.append((time.perf_counter() - begin, time.process_time() - begin_cpu))
    return {"ms": min(elapsed for elapsed, _ in spent) * 1e3, "cpu ms": min(cpu for _, cpu in spent) * 1e3}


@contextmanager
def raw_connection(kind: str, url: str) -> Iterator[tuple[Any, Callable[[str], Any]]]:
    """What pandas reads through, and a function that fetches all rows of a query with the driver itself."""
    if kind == "sqlite":
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        yield connection, lambda query: connection.execute(query).fetchall()
        connection.close()
        return
    drivers = {"postgresql": "postgresql+psycopg", "mariadb": "mysql+pymysql"}
    scheme, _, rest = url.partition("://")
    del scheme
    engine = sqlalchemy.create_engine(f"{drivers[kind]}://{rest}")
    driver: Any = engine.raw_connection()

    def fetched(query: str) -> Any:
        cursor = driver.cursor()
        cursor.execute(query)
        return cursor.fetchall()

    yield engine, fetched
    driver.close()
    engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=("sqlite", "postgresql", "mariadb", "mongodb"), default="sqlite")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--keys", type=int, default=50)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", help="where a SQLite file lies; /var/tmp by default")
    given = parser.parse_args()
    with folder(given.folder) as place, database(given.kind, place) as (url, _):
        fill(url, runs=given.runs, keys=given.keys, points=given.points)
        print(
            f"{given.kind}: {given.runs} runs x {given.keys} settings and metrics, {given.points} points; {machine()}"
        )
        with open_reader(url) as reader:
            newest = "tag.owner = 'me'"
            curve = reader.search_runs("tag.curves = 'yes'")
            metrics = ["id", *(f"metric.validation.m{key}" for key in range(given.keys))]
            works: dict[str, Callable[[], Any]] = {
                "runs_frame, settings and metrics": lambda: reader.runs_frame(newest, as_="pandas"),
                "runs_frame, metrics": lambda: reader.runs_frame(newest, columns=metrics, as_="pandas"),
                "history_frame": lambda: reader.history_frame(curve, "loss", as_="pandas"),
                "history_frame, as a frame": lambda: reader.history_frame(curve, "loss", as_="frame"),
            }
            for name, work in works.items():
                print(line(name, least(work, given.rounds)), flush=True)
        if given.kind == "mongodb":
            return
        with raw_connection(given.kind, url) as (connection, fetched):
            for name, query in {"settings": _SETTINGS, "metrics": _LAST, "curves": _CURVES}.items():
                work = lambda query=query: pandas.read_sql(query, connection)  # noqa: E731
                print(line(f"pandas.read_sql, {name}", least(work, given.rounds)), flush=True)
                raw = lambda query=query: fetched(query)  # noqa: E731
                print(line(f"raw, {name}", least(raw, given.rounds)), flush=True)


if __name__ == "__main__":
    main()
