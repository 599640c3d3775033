"""How long one ``log_metrics`` takes through the recorder, journal on disk, while the drain runs beside it.

    python benchmarks/recorder_latency.py [--kind sqlite] [--calls 20000] [--rounds 5] [--pace-us 0]

One point and ten points a call, interleaved, one process; the medians of the rounds are to be compared. ``--pace-us``
waits between calls as a training step does; without it the loop is as tight as it can be.
"""

import argparse
import statistics
import time
from typing import Any

from recorder_support import KINDS, database, folder, line, machine, percentiles, use_state_dir

from runstore.model import MetricPoint
from runstore.opening.stores import open_store


def measure(store: Any, run_id: str, *, steps: range, points: int, pace_us: float) -> list[int]:
    clock, spent = time.perf_counter_ns, []
    for step in steps:
        batch = [
            MetricPoint(name=f"metric {number}", value=step * 0.5, step=step, dataset_type="train")
            for number in range(points)
        ]
        begin = clock()
        store.log_metrics(run_id, batch)
        spent.append(clock() - begin)
        if pace_us:
            time.sleep(pace_us / 1e6)
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, default="sqlite")
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pace-us", type=float, default=0.0)
    parser.add_argument("--folder", help="where the journal and a SQLite file lie; /var/tmp by default")
    given = parser.parse_args()
    rounds: dict[int, list[dict[str, float]]] = {1: [], 10: []}
    with folder(given.folder) as place, database(given.kind, place) as (url, _):
        use_state_dir(place / "state")
        print(f"{given.kind}, {given.calls} calls a round, {given.rounds} rounds; {machine()}")
        with open_store(url) as store:
            run_id = store.ensure_run(store.get_or_create_experiment("latency"))
            for number in range(given.rounds):
                for points, found in rounds.items():
                    spent = measure(
                        store,
                        run_id,
                        steps=range(number * given.calls, (number + 1) * given.calls),
                        points=points,
                        pace_us=given.pace_us,
                    )
                    found.append(percentiles(spent))
                    store.flush(deadline_s=600)  # type: ignore[attr-defined]  # a recorder's
            health = store.health()  # type: ignore[attr-defined]  # a recorder's
    for points, found in rounds.items():
        medians = {name: statistics.median(each[name] for each in found) for name in found[0]}
        print(line(f"{points} point(s) a call, us", medians))
    print(f"all stored: {health.is_all_stored}; {machine()}")


if __name__ == "__main__":
    main()
