"""What a call that logs points costs, and the end of a run, beside another commit of this repository and the raw driver.

    python benchmarks/write_rates.py --against COMMIT [--kind sqlite postgresql mariadb mongodb] [--rounds 5]

Each round is one process a side, this tree's first in every second one, on a new database of a server that waits for no
disk: what is compared is the work. Shown are medians over rounds of the mean of a call, of which some roll up: in processor
time of this process, and in time. ``--plain`` measures a program that has not loaded numpy. The driver writes the same points
in a table with their key, or in documents with a column each, one transaction a call, and keeps no summary of them.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pymysql
from pymongo import MongoClient
from recorder_support import folder, line, machine, private_server
from sqlalchemy import make_url

HERE = Path(__file__).resolve().parent.parent

SHAPES = {"1 x 1": (1, 1, 1_500), "10 x 1": (10, 1, 600), "10 x 100": (10, 100, 85), "1 x 1,000": (1, 1_000, 85)}
"""Series, points of each in a call, and calls."""
WARM = 5
ENDS = 60

Figures = dict[str, tuple[float, float]]
"""Microseconds of the processor and of time, by shape."""


def timed(calls: Sequence[Callable[[], object]]) -> tuple[float, float]:
    processor, began = time.process_time(), time.perf_counter()
    for call in calls:
        call()
    spent = time.process_time() - processor, time.perf_counter() - began
    return spent[0] / len(calls) * 1e6, spent[1] / len(calls) * 1e6


def through_store(url: str) -> Figures:
    runstore = import_module("runstore")  # that of one side

    def batch(series: int, points: int, call: int) -> list[Any]:
        steps = range(call * points, (call + 1) * points)
        return [
            runstore.MetricPoint(name=f"m{one}", value=step * 0.1, step=step) for one in range(series) for step in steps
        ]

    found: Figures = {}
    with runstore.open_store(url, durable=False) as store:
        experiment = store.get_or_create_experiment("rates")
        for shape, (series, points, calls) in SHAPES.items():
            run_id = store.ensure_run(experiment)
            batches = [batch(series, points, call) for call in range(calls)]
            for some in batches[:WARM]:
                store.log_metrics(run_id, some)
            found[shape] = timed([partial(store.log_metrics, run_id, some) for some in batches[WARM:]])
            store.finalize(run_id, "completed")
        runs = [store.ensure_run(experiment) for _ in range(ENDS)]
        for run_id in runs:
            store.log_metrics(run_id, batch(6, 3, 0))
        found["end"] = timed([partial(store.finalize, run_id, "completed") for run_id in runs])
    return found


def through_driver(url: str) -> Figures:
    def rows(series: int, points: int, call: int) -> list[tuple[int, int, float, int]]:
        steps = range(call * points, (call + 1) * points)
        return [(one, step, step * 0.1, 7) for one in range(series) for step in steps]

    found: Figures = {}
    with raw_writer(url) as write:
        for number, (shape, (series, points, calls)) in enumerate(SHAPES.items(), 1):
            batches = [
                [(number * 100 + row[0], *row[1:]) for row in rows(series, points, call)] for call in range(calls)
            ]
            for some in batches[:WARM]:
                write(some)
            found[shape] = timed([partial(write, some) for some in batches[WARM:]])
    return found


@contextmanager
def raw_writer(url: str) -> Iterator[Callable[[list[Any]], object]]:
    """What writes rows in one transaction, in the driver's quickest way."""
    parts = make_url(url)
    if parts.drivername.startswith("mongodb"):
        client: MongoClient[Any]
        with MongoClient(url) as client:
            points = client.get_default_database()["raw_points"]
            yield lambda rows: points.insert_one(dict(zip("kstl", map(list, zip(*rows, strict=True)), strict=True)))
        return
    with closing(connected(url)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(
            "CREATE TABLE raw_points (series BIGINT, step BIGINT, value DOUBLE PRECISION, at BIGINT, "
            "PRIMARY KEY (series, step))"
        )
        connection.commit()
        mark = "?" if parts.drivername == "sqlite" else "%s"

        def write(rows: list[Any]) -> None:
            if len(rows) > 10 and hasattr(cursor, "copy"):
                with cursor.copy("COPY raw_points FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            else:
                cursor.executemany(f"INSERT INTO raw_points VALUES ({', '.join([mark] * 4)})", rows)
            connection.commit()

        yield write


def connected(url: str) -> Any:
    parts = make_url(url)
    if parts.drivername == "sqlite":
        connection = sqlite3.connect(parts.database or "")
        connection.execute("PRAGMA journal_mode = WAL")
        return connection
    if parts.drivername.startswith("postgresql"):
        return psycopg.connect(url)
    given = {"host": parts.host, "port": parts.port, **parts.query}
    named = {name: given[name] for name in ("host", "port", "unix_socket") if given.get(name)}
    return pymysql.connect(user=parts.username, password=parts.password or "", database=parts.database, **named)


def turn(side: str, url: str, *, is_plain: bool) -> Figures:
    command = [sys.executable, __file__, "--turn", side, "--url", url, *(["--plain"] if is_plain else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


def take_turn(given: argparse.Namespace) -> None:
    if not given.plain:
        import_module("numpy")  # as a program that trains
    if given.turn != "driver":
        sys.path.insert(0, given.turn)
        found = str(import_module("runstore").__file__)
        assert found.startswith(given.turn), found
    print(json.dumps((through_driver if given.turn == "driver" else through_store)(given.url)))


def unpack(commit: str, place: Path) -> Path:
    """The source of a commit, in a folder of its own."""
    archive = subprocess.run(["git", "-C", str(HERE), "archive", commit, "src"], stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "-x", "-C", str(place)], input=archive.stdout, check=True)
    return place / "src"


def compare(kind: str, sides: dict[str, str], given: argparse.Namespace, place: Path) -> None:
    found: dict[str, list[Figures]] = {side: [] for side in sides}
    with nullcontext() if kind == "sqlite" else private_server(kind) as server:
        for number in range(given.rounds):
            for side in sorted(sides, reverse=bool(number % 2)):
                file = place / f"{side}-{number}.db"
                url = f"sqlite:///{file}" if server is None else server.new_database()
                found[side].append(turn(sides[side], url, is_plain=given.plain))
    for shape in (*SHAPES, "end"):
        middle = {
            side: [statistics.median(each[shape][part] for each in rounds) for part in (0, 1)]
            for side, rounds in found.items()
            if shape in rounds[0]
        }
        before, after = middle["before"], middle["after"]
        figures = {
            "cpu before": before[0],
            "after": after[0],
            "ratio": f"{after[0] / before[0]:.2f}",
            "time before": before[1],
            "after ": after[1],
            "ratio ": f"{after[1] / before[1]:.2f}",
        }
        if "driver" in middle:
            figures["driver"] = middle["driver"][1]
        print(line(f"{kind}, {shape}", figures), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", metavar="COMMIT", help="the commit to compare this tree with")
    parser.add_argument("--kind", nargs="+", default=["sqlite", "postgresql", "mariadb", "mongodb"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plain", action="store_true", help="without numpy")
    parser.add_argument("--folder", help="where the files of SQLite and the other commit lie for the time being")
    parser.add_argument("--turn", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.turn:
        take_turn(given)
        return
    if not given.against:
        parser.error("give the commit to compare with: --against COMMIT")
    print(machine(), "- microseconds a call of series x points")
    with folder(given.folder) as place:
        sides = {"before": str(unpack(given.against, place)), "after": str(HERE / "src"), "driver": "driver"}
        for kind in given.kind:
            compare(kind, sides, given, place)


if __name__ == "__main__":
    main()
