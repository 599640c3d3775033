"""How fast `runstore copy` is, beside reading the same points with sqlite3 and sending them with PostgreSQL's COPY.

    python benchmarks/copying.py [--to postgresql mariadb mongodb sqlite] [--runs 100] [--series 10] [--steps 1000]

A SQLite file is filled, copied into a new database, copied once more (nothing is sent then), and verified. The raw way
knows the whole table in advance, keeps no summaries, no roll-ups and no second look: it is what the wire and the disk give.
"""

import argparse
import random
import sqlite3
import time
from array import array
from contextlib import closing
from pathlib import Path
from typing import Any

from recorder_support import KINDS, database, folder, line, machine

from runstore import open_reader, open_store
from runstore.backend import BackendStore
from runstore.moving import copy, verify
from runstore.series import Columns

_TABLE = "CREATE TABLE raw_point (series bigint, step bigint, value double precision, at_us bigint, PRIMARY KEY (series, step))"


def opened(url: str) -> BackendStore:
    """The store, to write."""
    store = open_store(url, durable=False)
    assert isinstance(store, BackendStore)
    return store


def fill(url: str, runs: int, series: int, steps: int) -> None:
    """Runs whose series have so many steps each."""
    draw = random.Random(7)
    with opened(url) as store:
        experiment_id = store.get_or_create_experiment("copied")
        for number in range(runs):
            run_id = store.ensure_run(experiment_id, name=f"run {number}", tags={"owner": "me"})
            store.log_config(run_id, {"lr": draw.random(), "model": {"depth": number}})
            at_us = array("q", range(1_700_000_000_000_000, 1_700_000_000_000_000 + 1000 * steps, 1000))
            columns = {
                (f"metric {each:03d}", "train"): Columns(
                    array("q", range(steps)), array("d", [draw.random() for _ in range(steps)]), at_us
                )
                for each in range(series)
            }
            store.append(run_id, columns)
            store.finalize(run_id, "completed")


def timed(work: Any) -> tuple[float, Any]:
    """Seconds, and what the work gives."""
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def raw_copy(source: Path, url: str) -> int:
    """Reads all points with sqlite3 and sends them with COPY; how many it were."""
    import psycopg  # noqa: PLC0415 - only this way needs it

    count = 0
    with closing(sqlite3.connect(source)) as reader, psycopg.connect(url) as connection:
        connection.execute(_TABLE)
        names = [row[1] for row in reader.execute("PRAGMA table_info(runstore_point)")]
        columns = ", ".join(name for name in ("series_pk", "step", "value", "logged_at_us") if name in names)
        with connection.cursor().copy("COPY raw_point FROM STDIN") as sink:
            for row in reader.execute(f"SELECT {columns} FROM runstore_point"):
                sink.write_row(row)
                count += 1
    return count


def measure(kind: str, given: argparse.Namespace) -> None:
    """One database's rows of the report."""
    points = given.runs * given.series * given.steps
    with folder(given.folder) as place, database(kind, place / "target") as (url, _server):
        (place / "target").mkdir()
        source_path = place / "source.sqlite"
        source_url = f"sqlite:///{source_path}"
        fill(source_url, given.runs, given.series, given.steps)
        with opened(url):
            pass  # the schema
        with open_reader(source_url) as source:
            with opened(url) as target:
                first_s, report = timed(lambda: copy(source, target))
                again_s, again = timed(lambda: copy(source, target))
            with open_reader(url) as reader:
                verify_s, verdict = timed(lambda: verify(source, reader))
        assert (report.points, again.points, verdict.differences) == (points, 0, ())
        figures = {
            "points": points,
            "copied/s": points / first_s,
            "again s": again_s,
            "verified/s": points / verify_s,
        }
        if kind == "postgresql":
            raw_s, count = timed(lambda: raw_copy(source_path, url))
            assert count == points
            figures["raw COPY/s"] = points / raw_s
        print(line(f"{kind} {given.runs} x {given.series} x {given.steps}", figures))


def main() -> None:
    """Measures each database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", nargs="+", choices=KINDS, default=["postgresql"])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--series", type=int, default=10)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--folder")
    given = parser.parse_args()
    print(machine())
    for kind in given.to:
        measure(kind, given)


if __name__ == "__main__":
    main()
