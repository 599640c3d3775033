"""The database goes away in a loop of 20,000 calls and comes back 5 s later: the loop does not notice, nothing is lost.

    python benchmarks/recorder_outage.py [--kind sqlite postgresql mongodb mongodb-replica3] [--calls 20000] [--down-s 5]

When: at the start (it is away before the store is opened), in the middle and at the end (in the last tenth). How: a
server is killed with SIGKILL and started again; of a replica set the primary is killed; a SQLite file is locked by
another connection (``--lock-s``, 60 s by default). ``--pace-us`` waits between calls as a training step does.
"""

import argparse
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from recorder_support import KINDS, database, folder, line, machine, percentiles, use_state_dir

from runstore.model import MetricPoint
from runstore.opening.stores import open_store
from support.servers import MongoDBFailoverSet

MOMENTS = {"quiet": None, "start": 0.0, "middle": 0.5, "end": 0.92}


def interrupt(kind: str, url: str, server: Any, seconds: float) -> None:
    """Takes the database away and brings it back; returns when it is back."""
    if kind == "sqlite":
        rival = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        rival.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        rival.execute("ROLLBACK")
        rival.close()
        return
    if isinstance(server, MongoDBFailoverSet):
        primary = server.primary
        server.kill_node(primary)
        time.sleep(seconds)
        server.start_node(primary)
        return
    server.kill()
    time.sleep(seconds)
    server.start()


def run(kind: str, given: argparse.Namespace, moment: float | None) -> dict[str, Any]:
    with folder(given.folder) as place, database(kind, place) as (url, server):
        use_state_dir(place / "state")
        seconds = given.lock_s if kind == "sqlite" else given.down_s
        with open_store(url, durable=False):
            pass  # the schema; a first start against a database that is away is measured by "start" all the same
        outage = threading.Thread(target=interrupt, args=(kind, url, server, seconds))
        if moment == 0.0:
            outage.start()
            time.sleep(0.5)
        begin_at = time.monotonic()
        store = open_store(url)
        run_id = store.ensure_run(store.get_or_create_experiment("outage"))
        opened_s = time.monotonic() - begin_at
        spent, errors = loop(store, run_id, given, lambda step: start_at(outage, step, moment, given.calls))
        begin_at = time.monotonic()
        store.close(deadline_s=seconds + 120)  # type: ignore[call-arg]  # a recorder's
        closed_s = time.monotonic() - begin_at
        if moment is not None:
            outage.join()
        health = store.health()  # type: ignore[attr-defined]  # a recorder's
        with open_store(url, durable=False) as reader:
            stored = sum(each.count for each in reader.get_summaries(run_id))
    return {
        **percentiles(spent),
        "open s": opened_s,
        "close s": closed_s,
        "raised": errors,
        "lost": given.calls - stored,
        "all stored": health.is_all_stored,
    }


def start_at(outage: threading.Thread, step: int, moment: float | None, calls: int) -> None:
    if moment and step == int(calls * moment):
        outage.start()


def loop(
    store: Any, run_id: str, given: argparse.Namespace, before_step: Callable[[int], None]
) -> tuple[list[int], int]:
    clock, spent, errors = time.perf_counter_ns, [], 0
    for step in range(given.calls):
        before_step(step)
        points = [MetricPoint(name="loss", value=step * 0.5, step=step, dataset_type="train")]
        begin = clock()
        try:
            store.log_metrics(run_id, points)
        except Exception as error:  # noqa: BLE001 - counted: there must be none
            errors += 1
            print(error)
        spent.append(clock() - begin)
        if given.pace_us:
            time.sleep(given.pace_us / 1e6)
    return spent, errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, nargs="+", default=list(KINDS))
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--down-s", type=float, default=5.0)
    parser.add_argument("--lock-s", type=float, default=60.0)
    parser.add_argument("--pace-us", type=float, default=500.0)
    parser.add_argument("--moment", choices=list(MOMENTS), nargs="+", default=list(MOMENTS))
    parser.add_argument("--folder", help="where the journal and a SQLite file lie; /var/tmp by default")
    given = parser.parse_args()
    is_bad = False
    for kind in given.kind:
        for name in given.moment:
            figures = run(kind, given, MOMENTS[name])
            print(line(f"{kind}, {name}", figures), flush=True)
            is_bad = is_bad or bool(figures["lost"] or figures["raised"])
    print(f"microseconds a call unless said otherwise; {machine()}")
    sys.exit(is_bad)


if __name__ == "__main__":
    main()
