"""Charts of series of any length: a sample, a part of one, and many series on one grid; beside the raw driver's pass.

    python benchmarks/charts.py [--kind sqlite postgresql mariadb mongodb] [--points 1000000] [--runs 20] [--grid-points 1000000] [--pauses 100]

Points are stored past the recorder, in calls of 100,000. The raw figure is the best that SQL does on the same table without
roll-ups: the least and the greatest value of each of 1,000 ranges of steps; of MongoDB, whose buckets are packed, to read
them all. Each figure is the least of ``--times``, in
milliseconds; of SQLite, whose work is done in this process, the processor's time as well. ``--pauses`` has the runs on the
grid wait for 20 s so often, as for a validation.
"""

import argparse
import random
import sys
import time
from array import array
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import pymongo
from recorder_support import folder, line, machine

from runstore.backend import BackendStore
from runstore.opening.stores import open_store
from runstore.series import Columns
from runstore_sql.store import SqlStore
from support.servers import private_server

_BATCH = 100_000
_BEGAN_US = 1_790_000_000_000_000
_PAUSE_US = 20_000_000
_RAW = {
    "sqlite": "SELECT step / ?, min(value), max(value) FROM runstore_point WHERE series_pk = ? AND step < ? GROUP BY 1",
    "postgresql": "SELECT step / %s, min(value), max(value) FROM runstore_point WHERE series_pk = %s AND step < %s GROUP BY 1",
    "mysql": "SELECT step DIV %s, min(value), max(value) FROM runstore_point WHERE series_pk = %s AND step < %s GROUP BY 1",
}


def fill(store: BackendStore, run_id: str, points: int, values: "array[float]", *, pauses: int = 0) -> float:
    """Stores a series; microseconds a point."""
    began = time.perf_counter()
    for first in range(0, points, _BATCH):
        steps = array("q", range(first, min(points, first + _BATCH)))
        times = array("q", [_BEGAN_US + 1000 * step + _PAUSE_US * (step * pauses // points) for step in steps])
        store.append(run_id, {("loss", "train"): Columns(steps, values[: len(steps)], times)})
    return (time.perf_counter() - began) / points * 1e6


def least(times: int, work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock, and of this process's processor time."""
    clock, processor = [], []
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    return min(clock) * 1e3, min(processor) * 1e3


def raw(store: BackendStore, url: str, points: int) -> int:
    """The pass that roll-ups spare, of the first series."""

    def work(connection: Any) -> int:
        cursor = connection.cursor()
        cursor.execute(_RAW[store.database.dialect.name], (max(points // 1000, 1), 1, points))
        return len(cursor.fetchall())

    if isinstance(store, SqlStore):
        return store.database.with_driver(work)
    with pymongo.MongoClient(url) as client:
        return len(list(client.get_default_database()["run_buckets"].find()))


def measure(url: str, given: argparse.Namespace) -> None:
    values = array("d", [random.Random(1).gauss(0, 1) for _ in range(_BATCH)])
    points = given.points
    with cast("BackendStore", open_store(url, durable=False)) as store:
        experiment_id = store.get_or_create_experiment("charts")
        run_id = store.ensure_run(experiment_id)
        print(line(f"store {points:,} points", {"us a point": fill(store, run_id, points, values)}), flush=True)
        parts: dict[str, dict[str, int]] = {
            "whole": {},
            "two thirds": {"min_step": points // 3},
            "a fifth": {"min_step": points // 3, "max_step": points // 3 + points // 5},
            "60,000 steps, each point read": {"min_step": points // 3, "max_step": points // 3 + 60_000},
        }
        for name, part in parts.items():
            clock, processor = least(
                given.times, lambda part=part: store.sample_history(run_id, "loss", "train", **part)
            )
            print(line(f"sample of 2,000, {name}", {"ms": clock, "processor": processor}), flush=True)
        clock, processor = least(2, lambda: raw(store, url, points))
        print(line("raw pass, whole", {"ms": clock, "processor": processor}), flush=True)
        runs = [store.ensure_run(experiment_id) for _ in range(given.runs)]
        for each in runs:
            fill(store, each, given.grid_points, values, pauses=given.pauses)
        keys = [(each, "loss", "train") for each in runs]
        for by in ("step", "log_step", "time"):
            clock, processor = least(3, lambda by=by: store.sample_histories(keys, by=by))
            is_bounded = store.sample_histories(keys, by=by).is_bounded
            name = f"{given.runs} runs x {given.grid_points:,} by {by}"
            print(line(name, {"ms": clock, "processor": processor, "bounded": is_bounded}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", nargs="+", default=["sqlite", "postgresql", "mariadb", "mongodb"])
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--grid-points", type=int, default=1_000_000)
    parser.add_argument("--pauses", type=int, default=0)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--folder")
    given = parser.parse_args()
    for kind in given.kind:
        with ExitStack() as stack:
            place = stack.enter_context(folder(given.folder))
            url = f"sqlite:///{place / 'runs.sqlite'}"
            if kind != "sqlite":
                url = stack.enter_context(private_server(kind)).new_database()
            print(f"{kind}: {machine()}", flush=True)
            measure(url, given)


if __name__ == "__main__":
    main()
