"""Wide calls through the recorder, as one gradient norm for each layer: how fast they reach the database.

    python benchmarks/recorder_wide.py [--kind sqlite] [--rounds 3]

From the first call until everything is stored, calls of 1,000 and of 10,000 series; beside them as many points of one
series, in calls of 1,000. The shapes take turns, each round in a run of its own.
"""

import argparse
import statistics
import time
from typing import Any, Final

from recorder_support import KINDS, database, folder, line, machine, use_state_dir

from runstore.model import MetricPoint
from runstore.opening.stores import open_store

SHAPES: Final = {"1,000 series x 500 calls": (1000, 500), "10,000 series x 50 calls": (10_000, 50)}
ONE: Final = "1 series x 500 calls of 1,000"


def wide(series: int, calls: int) -> list[list[MetricPoint]]:
    names = [f"grad_norm/layer.{number}.weight" for number in range(series)]
    return [
        [MetricPoint(name=name, value=step * 0.5, step=step, dataset_type="train") for name in names]
        for step in range(calls)
    ]


def long(calls: int, points: int) -> list[list[MetricPoint]]:
    return [
        [MetricPoint(name="loss", value=step * 0.5, step=step) for step in range(first, first + points)]
        for first in range(0, calls * points, points)
    ]


def measure(store: Any, calls: list[list[MetricPoint]]) -> tuple[float, float]:
    """Points a second until all is stored, and microseconds that the caller spent for each point."""
    run_id = store.ensure_run(store.get_or_create_experiment("wide"))
    count = sum(map(len, calls))
    begin = time.perf_counter()
    for points in calls:
        store.log_metrics(run_id, points)
    accepted = time.perf_counter()
    store.flush(deadline_s=600)
    stored = time.perf_counter()
    assert sum(series.count for series in store.get_summaries(run_id)) == count
    return count / (stored - begin), (accepted - begin) / count * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, default="sqlite")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="where the journal and a SQLite file lie; /var/tmp by default")
    given = parser.parse_args()
    loads = {**{name: wide(*shape) for name, shape in SHAPES.items()}, ONE: long(500, 1000)}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in loads}
    with folder(given.folder) as place, database(given.kind, place) as (url, _):
        use_state_dir(place / "state")
        print(f"{given.kind}, {given.rounds} rounds; {machine()}")
        with open_store(url) as store:
            for _ in range(given.rounds):
                for name, calls in loads.items():
                    found[name].append(measure(store, calls))
    for name, rounds in found.items():
        speeds, spent = zip(*rounds, strict=True)
        figures = {"points/s": statistics.median(speeds), "least": min(speeds), "us a point": statistics.median(spent)}
        print(line(name, figures))
    print(machine())


if __name__ == "__main__":
    main()
