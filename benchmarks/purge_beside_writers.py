"""A run of a million points is purged while another process writes: how long that writer's calls take, quiet and meanwhile.

    python benchmarks/purge_beside_writers.py [--kind sqlite postgresql mariadb] [--points 1000000] [--pace-ms 2]

The writer logs one point a call to a run of its own, past the recorder, and waits ``--pace-ms`` after each call. The purge
rests in every second window of ``--window-s``, so that both kinds of calls meet the same machine. What it has not done after
``--most-s`` is left to a next one, and told.
"""

import argparse
import multiprocessing
import time
from array import array
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from recorder_support import database, folder, line, machine, percentiles, use_state_dir

from runstore.model import MetricPoint
from runstore.opening.stores import open_store
from runstore.series import Columns
from runstore_sql.editing.pace import Pace

_BATCH = 50_000
_EDGE_S = 0.2
"""So much of each window is left out: a piece may have begun in the one before."""


def write(url: str, pace_s: float, stop: Event, answer: Any) -> None:
    """Logs until told to stop; answers with when each call began and how long it took."""
    calls: list[tuple[float, int]] = []
    with open_store(url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("writer"))
        step = 0
        while not stop.is_set():
            began, at = time.perf_counter_ns(), time.monotonic()
            store.log_metrics(run_id, [MetricPoint(name="loss", value=0.5, step=step)])
            calls.append((at, time.perf_counter_ns() - began))
            step += 1
            time.sleep(pace_s)
    answer.put(calls)


def is_quiet(moment: float, window_s: float) -> bool:
    """Whether the purge rests in the window of this moment, by a clock that all processes of a machine share."""
    return int(moment / window_s) % 2 == 1


def collect(url: str, window_s: float, answer: Any) -> None:
    """Purges all that was deleted, and rests in every second window."""
    rest = Pace._rest  # noqa: SLF001 - to rest longer

    def rest_longer(pace: Pace) -> None:
        rest(pace)
        while is_quiet(time.monotonic(), window_s):
            time.sleep(0.01)

    Pace._rest = rest_longer  # type: ignore[method-assign, assignment]  # noqa: SLF001
    with open_store(url, durable=False) as store:
        answer.put(store.collect_garbage(deleted_before=datetime.now(UTC) + timedelta(days=1), dry_run=False).points)


def fill(url: str, points: int) -> None:
    with open_store(url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("purged"))
        for first in range(0, points, _BATCH):
            count = min(_BATCH, points - first)
            columns = Columns(
                array("q", range(first, first + count)), array("d", [0.5]) * count, array("q", [7]) * count
            )
            store.source().append(run_id, {("loss", "train"): columns})
        store.delete_run(run_id)


def measure(kind: str, given: argparse.Namespace) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    with folder(given.folder) as place, database(kind, place) as (url, _):
        use_state_dir(Path(place) / "state")
        fill(url, given.points)
        stop, calls, done = context.Event(), context.Queue(), context.Queue()
        writer = context.Process(target=write, args=(url, given.pace_ms / 1000, stop, calls))
        writer.start()
        time.sleep(3)
        collector = context.Process(target=collect, args=(url, given.window_s, done))
        collector.start()
        time.sleep(2)  # a program's start
        began = time.monotonic()
        collector.join(given.most_s)
        is_whole, ended = not collector.is_alive(), time.monotonic()
        collector.kill()
        collector.join()
        stop.set()
        found = [(at, took) for at, took in calls.get() if began <= at < ended and at % given.window_s > _EDGE_S]
        writer.join()
    quiet = [took for at, took in found if is_quiet(at, given.window_s)]
    beside = [took for at, took in found if not is_quiet(at, given.window_s)]
    before, meanwhile = percentiles(quiet), percentiles(beside)
    return {
        "purge s": ended - began,
        "whole": is_whole,
        "calls": len(beside),
        "quiet p50": before["p50"],
        "p99": before["p99"],
        "meanwhile p50": meanwhile["p50"],
        "p99 ": meanwhile["p99"],
        "max": meanwhile["max"],
        "p99 / quiet": meanwhile["p99"] / before["p99"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", nargs="+", default=["sqlite", "postgresql", "mariadb"])
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--pace-ms", type=float, default=2.0)
    parser.add_argument("--window-s", type=float, default=3.0)
    parser.add_argument("--most-s", type=float, default=300.0)
    parser.add_argument("--folder")
    given = parser.parse_args()
    print(machine(), "- microseconds a call")
    for kind in given.kind:
        print(line(kind, measure(kind, given)), flush=True)


if __name__ == "__main__":
    main()
