"""Searches, counts and facets among 10,000 and 100,000 runs, beside statements by hand on the same tables and documents.

    python benchmarks/search_at_size.py [--kind sqlite] [--runs 10000 100000] [--rounds 9] [--only count]

Both take turns in one process, and give whole rows of at most 100 runs. The least of the rounds is shown, for a busy machine
adds to each; of SQLite, which works in this process, the processor's time.
"""

import argparse
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import many_runs
from recorder_support import database, folder, line, machine
from search_questions import QUESTIONS, Question

from runstore import open_reader

KINDS: Final = ("sqlite", "postgresql", "mariadb", "mongodb", "mongodb-replica")


def filled(url: str, count: int) -> None:
    """Puts the runs there."""
    if url.startswith("mongodb"):
        import many_runs_mongodb  # noqa: PLC0415 - only who measures this backend needs its driver

        many_runs_mongodb.load(url, count)
    else:
        many_runs.load(url, count)


@contextmanager
def by_hand(url: str) -> Iterator[Callable[[Question], object]]:
    """What asks the driver a question."""
    if url.startswith("mongodb"):
        import pymongo  # noqa: PLC0415 - as above

        with pymongo.MongoClient[Any](url) as client:
            runs = client.get_default_database()["runs"]
            yield lambda question: question.mongodb(runs)
        return
    with closing(connected(url)) as raw:
        cursor = raw.cursor()

        def ask(question: Question) -> object:
            sql = question.sql
            cursor.execute(sql.replace("l.key", "l.`key`").replace("t.key", "t.`key`") if "mysql" in url else sql)
            return cursor.fetchall()

        yield ask


def connected(url: str) -> Any:
    """The driver's connection to a SQL database."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite3.connect(unquote(parts.path))
    if parts.scheme == "postgresql":
        import psycopg  # noqa: PLC0415 - as above

        return psycopg.connect(url, autocommit=True)
    import pymysql  # noqa: PLC0415 - as above

    return pymysql.connect(
        host=parts.hostname, port=parts.port or 3306, user=parts.username, database=parts.path[1:], autocommit=True
    )


def measure(url: str, rounds: int, only: str) -> dict[str, tuple[float, float]]:
    """Milliseconds of ours and of the question by hand."""
    clock = time.process_time if url.startswith("sqlite") else time.perf_counter
    found: dict[str, tuple[float, float]] = {}
    with open_reader(url) as store, by_hand(url) as ask_driver:
        for name, question in QUESTIONS.items():
            if only not in name:
                continue
            times: list[tuple[float, float]] = []
            for _ in range(rounds):
                begin = clock()
                question.ask(store)  # type: ignore[arg-type]
                half = clock()
                ask_driver(question)
                times.append((half - begin, clock() - half))
            found[name] = (min(ours for ours, _ in times) * 1e3, min(hand for _, hand in times) * 1e3)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, default="sqlite")
    parser.add_argument("--runs", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="questions whose name holds this")
    parser.add_argument("--folder", help="where a SQLite file lies; /var/tmp by default")
    given = parser.parse_args()
    for count in given.runs:
        with folder(given.folder) as place, database(given.kind, place) as (url, _):
            filled(url, count)
            print(f"{given.kind}, {count:,} runs; {machine()}")
            for question, (ours, hand) in measure(url, given.rounds, given.only).items():
                print(line(question, {"ours ms": ours, "by hand ms": hand}), flush=True)


if __name__ == "__main__":
    main()
