"""Runs of a million points are purged while another process writes: how long that writer's calls take, quiet and meanwhile.

    python benchmarks/purge_beside_writers.py [--kind sqlite postgresql mariadb mongodb] [--runs 1] [--points 1000000]

The writer logs one point a call to a run of its own, past the recorder, and waits ``--pace-ms`` after each call. The purge
rests in every second window of ``--window-s``, so that both kinds of calls meet the same machine: a call is quiet if the
purge rested all the while. What it has not done after ``--most-s`` is left to a next one, and told.
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
from runstore_mongo import sweeping
from runstore_sql.editing.pace import Pace

_BATCH = 50_000

Span = tuple[float, float]
"""Begin and end by a clock that all processes of a machine share."""


class _CutShortError(Exception):
    """The purge has lasted for as long as it may."""


def write(url: str, pace_s: float, stop: Event, answer: Any) -> None:
    """Logs until told to stop; answers with when each call began and ended."""
    calls: list[Span] = []
    with open_store(url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("writer"))
        step = 0
        while not stop.is_set():
            began = time.monotonic()
            store.log_metrics(run_id, [MetricPoint(name="loss", value=0.5, step=step)])
            calls.append((began, time.monotonic()))
            step += 1
            time.sleep(pace_s)
    answer.put(calls)


def collect(url: str, window_s: float, most_s: float, ready: Event, answer: Any) -> None:
    """Purges all that was deleted; answers with whether it came to its end, how long it took, and when it rested longer."""
    holder, name = (sweeping, "_rest") if url.startswith("mongodb") else (Pace, "_rest")
    rest = getattr(holder, name)
    rests: list[Span] = []

    def rest_longer(given: Any) -> None:
        rest(given)
        begin = time.monotonic()
        if begin > began + most_s:
            raise _CutShortError
        while int(time.monotonic() / window_s) % 2:
            time.sleep(0.01)
        rests.append((begin, time.monotonic()))

    setattr(holder, name, rest_longer)
    with open_store(url, durable=False) as store:
        ready.set()
        began, is_whole = time.monotonic(), True
        try:
            store.collect_garbage(deleted_before=datetime.now(UTC) + timedelta(days=1), dry_run=False)
        except _CutShortError:
            is_whole = False
        answer.put((is_whole, (began, time.monotonic()), rests))


def fill(url: str, runs: int, points: int) -> None:
    with open_store(url, durable=False) as store:
        for _ in range(runs):
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
        fill(url, given.runs, given.points)
        stop, ready, calls, done = context.Event(), context.Event(), context.Queue(), context.Queue()
        writer = context.Process(target=write, args=(url, given.pace_ms / 1000, stop, calls))
        collector = context.Process(target=collect, args=(url, given.window_s, given.most_s, ready, done))
        writer.start()
        time.sleep(3)
        collector.start()
        is_whole, (began, ended), rests = done.get()
        collector.join()
        time.sleep(2)
        stop.set()
        found: list[Span] = [(begin, end) for begin, end in calls.get() if begin >= began]
        writer.join()
    quiet: list[int] = []
    beside: list[int] = []
    for begin, end in found:
        is_quiet = begin > ended or any(first <= begin and end <= last for first, last in rests)
        (quiet if is_quiet else beside).append(int((end - begin) * 1e9))
    before, meanwhile = percentiles(quiet), percentiles(beside)
    return {
        "purge s": ended - began - sum(last - first for first, last in rests),
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
    parser.add_argument("--kind", nargs="+", default=["sqlite", "postgresql", "mariadb", "mongodb"])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--pace-ms", type=float, default=2.0)
    parser.add_argument("--window-s", type=float, default=1.0)
    parser.add_argument("--most-s", type=float, default=300.0)
    parser.add_argument("--folder")
    given = parser.parse_args()
    print(machine(), "- microseconds a call")
    for kind in given.kind:
        print(line(kind, measure(kind, given)), flush=True)


if __name__ == "__main__":
    main()
