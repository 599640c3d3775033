"""Ten million points while the database is away: how memory grows, and how fast they are drained afterwards.

    python benchmarks/recorder_backlog.py [--kind sqlite] [--points 10000000] [--per-call 10]

The bare store's speed is measured first: the same points in calls of 10,000, made and logged in one loop.
"""

import argparse
import sys
import threading
import time
from typing import Any

import psutil
from recorder_support import KINDS, database, folder, line, machine, use_state_dir

from runstore.errors import StoreUnavailableError
from runstore.model import MetricPoint
from runstore.opening.stores import open_store
from runstore.recording import Recorder
from runstore.recording.places import identity_of

NAMES = ("loss", "auroc", "accuracy", "f1", "precision", "recall", "lr", "grad_norm", "epoch_s", "mem")


def points_from(first: int, count: int) -> list[MetricPoint]:
    return [
        MetricPoint(name=NAMES[index % 10], value=index * 0.5, step=index // 10, dataset_type="train")
        for index in range(first, first + count)
    ]


def measure_bare(url: str, points: int) -> float:
    with open_store(url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("bare"))
        begin = time.perf_counter()
        for first in range(0, points, 10_000):
            store.log_metrics(run_id, points_from(first, 10_000))
        return points / (time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, default="sqlite")
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--per-call", type=int, default=10)
    parser.add_argument("--bare-points", type=int, default=1_000_000)
    parser.add_argument("--folder", help="where the journal and a SQLite file lie; /var/tmp by default")
    given = parser.parse_args()
    with folder(given.folder) as place, database(given.kind, place) as (url, _):
        use_state_dir(place / "state")
        before = measure_bare(url, given.bare_points)
        may_open = threading.Event()

        def open_when_it_is_back() -> Any:
            if not may_open.is_set():
                raise StoreUnavailableError("the database is away")
            return open_store(url, durable=False)

        recorder = Recorder(open_when_it_is_back, identity=identity_of(url))
        run_id = recorder.ensure_run(recorder.get_or_create_experiment("backlog"))
        process = psutil.Process()
        recorder.log_metrics(run_id, points_from(0, given.per_call))
        memory, begin = process.memory_info().rss, time.perf_counter()
        for first in range(0, given.points, given.per_call):
            recorder.log_metrics(run_id, points_from(first, given.per_call))
        accepted_s = time.perf_counter() - begin
        while_away = (process.memory_info().rss - memory) / 1e6
        waiting_mb = recorder.health().waiting_bytes / 1e6

        begin = time.perf_counter()
        may_open.set()
        recorder.flush(deadline_s=3600)
        drained_s = time.perf_counter() - begin
        while_draining = (process.memory_info().rss - memory) / 1e6
        stored = sum(each.count for each in recorder.get_summaries(run_id))
        recorder.close()
        after = measure_bare(url, given.bare_points)
    bare = (before + after) / 2
    drained = given.points / drained_s
    figures = {
        "points": given.points,
        "a call": given.per_call,
        "accepted/s": given.points / accepted_s,
        "journal MB": waiting_mb,
        "RSS growth MB away": while_away,
        "draining": while_draining,
        "drained/s": drained,
        "bare/s": bare,
        "drained to bare %": 100 * drained / bare,
        "lost": given.points - stored,
    }
    print(line(given.kind, figures))
    print(machine())
    sys.exit(bool(given.points - stored))


if __name__ == "__main__":
    main()
