"""Searches, counts and facets among 10,000 and 100,000 runs, beside hand-written SQL on the same tables.

    python benchmarks/search_at_size.py [--kind sqlite] [--runs 10000 100000] [--rounds 9]

Both take turns in one process, and give whole rows of at most 100 runs. The least of the rounds is shown, for a busy machine
adds to each; of SQLite, which works in this process, the processor's time.
"""

import argparse
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from many_runs import load
from recorder_support import database, folder, line, machine

from runstore import open_reader
from runstore.backend import Store

KINDS: Final = ("sqlite", "postgresql", "mariadb")
_SHOWN: Final = "r.deleted_us IS NULL AND r.archived_us IS NULL"
_METRIC: Final = "(SELECT pk FROM runstore_metric WHERE name = 'auroc' AND dataset_type = 'validation')"
_LAST: Final = "ORDER BY r.start_us DESC LIMIT 100"
_TAG: Final = "t.key = 'owner' AND t.head = 'owner-3'"
_DEPTH: Final = "l.key = 'model.depth' AND l.number = 34 AND l.kind = 'int'"
_OF_TAG: Final = "runstore_tag t JOIN runstore_run r ON r.pk = t.run_pk"
_OF_METRIC: Final = "runstore_result v JOIN runstore_run r ON r.pk = v.run_pk"
_AND_DEPTH: Final = "JOIN runstore_config_leaf l ON l.run_pk = r.pk"

Question = tuple[Callable[[Store], Any], str]

QUESTIONS: Final[dict[str, Question]] = {
    "newest": (lambda store: store.search_runs(), f"SELECT r.* FROM runstore_run r WHERE {_SHOWN} {_LAST}"),
    "order by a metric": (
        lambda store: store.search_runs(order_by=["metric.validation.auroc.max desc"]),
        (
            f"SELECT r.*, v.max_value FROM {_OF_METRIC} WHERE v.metric_pk = {_METRIC} AND v.max_value IS NOT NULL AND {_SHOWN} "
            "ORDER BY v.max_value DESC LIMIT 100"
        ),
    ),
    "a metric, many pass": (
        lambda store: store.search_runs("metric.validation.auroc.max > 1.9"),
        (
            "SELECT r.* FROM runstore_run r JOIN runstore_series s ON s.run_pk = r.pk AND s.name = 'auroc' "
            f"AND s.dataset_type = 'validation' WHERE s.max_value > 1.9 AND {_SHOWN} {_LAST}"
        ),
    ),
    "a metric, few pass": (
        lambda store: store.search_runs("metric.validation.auroc.max > 1.9995"),
        f"SELECT r.* FROM {_OF_METRIC} WHERE v.metric_pk = {_METRIC} AND v.max_value > 1.9995 AND {_SHOWN} {_LAST}",
    ),
    "a metric and its order": (
        lambda store: store.search_runs("metric.validation.auroc > 0.9", order_by=["metric.validation.auroc"]),
        (
            f"SELECT r.* FROM {_OF_METRIC} WHERE v.metric_pk = {_METRIC} AND v.last_value > 0.9 AND {_SHOWN} "
            "ORDER BY v.last_value LIMIT 100"
        ),
    ),
    "a name": (
        lambda store: store.search_runs("name = 'run 777'"),
        f"SELECT r.* FROM runstore_run r WHERE r.name = 'run 777' AND {_SHOWN} {_LAST}",
    ),
    "nothing: a metric": (
        lambda store: store.search_runs("metric.validation.auroc.max > 100"),
        f"SELECT r.* FROM {_OF_METRIC} WHERE v.metric_pk = {_METRIC} AND v.max_value > 100 AND {_SHOWN} {_LAST}",
    ),
    "nothing: a setting": (
        lambda store: store.search_runs("config.lr > 100"),
        (
            "SELECT r.* FROM runstore_config_leaf l JOIN runstore_run r ON r.pk = l.run_pk "
            f"WHERE l.key = 'lr' AND l.number > 100 AND {_SHOWN} {_LAST}"
        ),
    ),
    "tag and setting": (
        lambda store: store.search_runs("tag.owner = 'owner-3' and config.model.depth = 34"),
        f"SELECT r.* FROM {_OF_TAG} {_AND_DEPTH} WHERE {_TAG} AND {_DEPTH} AND {_SHOWN} {_LAST}",
    ),
    "tag, setting, metric": (
        lambda store: store.search_runs(
            "tag.owner = 'owner-3' and config.model.depth = 34 and metric.validation.auroc.max > 1.5"
        ),
        (
            f"SELECT r.* FROM {_OF_TAG} {_AND_DEPTH} JOIN runstore_result v ON v.run_pk = r.pk AND v.metric_pk = {_METRIC} "
            f"WHERE {_TAG} AND {_DEPTH} AND v.max_value > 1.5 AND {_SHOWN} {_LAST}"
        ),
    ),
    "tag and setting by metric": (
        lambda store: store.search_runs(
            "tag.owner = 'owner-3' and config.model.depth = 34", order_by=["metric.validation.auroc.max desc"]
        ),
        (
            f"SELECT r.* FROM {_OF_TAG} {_AND_DEPTH} JOIN runstore_result v ON v.run_pk = r.pk AND v.metric_pk = {_METRIC} "
            f"WHERE {_TAG} AND {_DEPTH} AND {_SHOWN} ORDER BY v.max_value DESC LIMIT 100"
        ),
    ),
    "count: all": (lambda store: store.count_runs(), f"SELECT count(*) FROM runstore_run r WHERE {_SHOWN}"),
    "count: a setting": (
        lambda store: store.count_runs("config.model.depth = 34"),
        f"SELECT count(*) FROM runstore_run r {_AND_DEPTH} WHERE {_DEPTH} AND {_SHOWN}",
    ),
    "count: half by a metric": (
        lambda store: store.count_runs("metric.validation.auroc.max > 1.5"),
        f"SELECT count(*) FROM {_OF_METRIC} WHERE v.metric_pk = {_METRIC} AND v.max_value > 1.5 AND {_SHOWN}",
    ),
    "keys of settings": (
        lambda store: store.list_keys("config"),
        "SELECT l.key, count(*) FROM runstore_config_leaf l GROUP BY l.key",
    ),
    "keys of metrics": (
        lambda store: store.list_keys("metric"),
        "SELECT v.metric_pk, count(*) FROM runstore_result v GROUP BY v.metric_pk",
    ),
    "values of a tag": (
        lambda store: store.list_values("tag.owner"),
        "SELECT t.head, count(*) FROM runstore_tag t WHERE t.key = 'owner' GROUP BY t.head",
    ),
    "values of a setting": (
        lambda store: store.list_values("config.lr"),
        "SELECT l.number, count(*) FROM runstore_config_leaf l WHERE l.key = 'lr' GROUP BY l.number",
    ),
    "values of the status": (
        lambda store: store.list_values("status"),
        f"SELECT r.status, count(*) FROM runstore_run r WHERE {_SHOWN} GROUP BY r.status",
    ),
}


def connected(url: str) -> Any:
    """The driver's connection."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite3.connect(unquote(parts.path))
    if parts.scheme == "postgresql":
        import psycopg  # noqa: PLC0415 - only who measures this backend needs its driver

        return psycopg.connect(url, autocommit=True)
    import pymysql  # noqa: PLC0415 - as above

    return pymysql.connect(
        host=parts.hostname, port=parts.port or 3306, user=parts.username, database=parts.path[1:], autocommit=True
    )


def measure(url: str, rounds: int) -> dict[str, tuple[float, float]]:
    """Milliseconds of ours and of the hand-written statement, by question."""
    clock = time.process_time if url.startswith("sqlite") else time.perf_counter
    found: dict[str, tuple[float, float]] = {}
    with open_reader(url) as store, closing(connected(url)) as raw:
        cursor = raw.cursor()
        for question, (ask, statement) in QUESTIONS.items():
            times: list[tuple[float, float]] = []
            for _ in range(rounds):
                begin = clock()
                ask(store)  # type: ignore[arg-type]
                half = clock()
                cursor.execute(
                    statement.replace("l.key", "l.`key`").replace("t.key", "t.`key`") if "mysql" in url else statement
                )
                cursor.fetchall()
                times.append((half - begin, clock() - half))
            found[question] = (min(ours for ours, _ in times) * 1e3, min(hand for _, hand in times) * 1e3)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, default="sqlite")
    parser.add_argument("--runs", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", help="where a SQLite file lies; /var/tmp by default")
    given = parser.parse_args()
    for count in given.runs:
        with folder(given.folder) as place, database(given.kind, place) as (url, _):
            load(url, count)
            print(f"{given.kind}, {count:,} runs; {machine()}")
            for question, (ours, hand) in measure(url, given.rounds).items():
                print(line(question, {"ours ms": ours, "by hand ms": hand}), flush=True)


if __name__ == "__main__":
    main()
