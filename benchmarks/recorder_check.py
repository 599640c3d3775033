"""How long a recorder's look at a run takes when it ends: whether the store holds what it acknowledged.

    python benchmarks/recorder_check.py [--kind sqlite] [--series 1000] [--points 10000] [--rounds 5]

The bound is 200 ms for 1,000 series with 10,000 points each.
"""

import argparse
import statistics
import time
from array import array

from recorder_support import KINDS, database, folder, machine, use_state_dir

from runstore.opening.stores import open_store
from runstore.recording.again.missing import find_missing
from runstore.recording.told import ToldRun, ToldSeries
from runstore.series import Columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, default="sqlite")
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    names = [(f"metric {number:04}", "train") for number in range(given.series)]
    with folder(None) as place, database(given.kind, place) as (url, _):
        use_state_dir(place / "state")
        with open_store(url, durable=False) as store:
            run_id = store.ensure_run(store.get_or_create_experiment("check"))
            store.log_config(run_id, {"lr": 0.1})
            bare, told = store.source(), ToldRun()
            told.config = {"lr": 0.1}
            for low in range(0, given.points, 500):
                steps = array("q", range(low, min(low + 500, given.points)))
                columns = Columns(steps, array("d", steps), array("q", [1] * len(steps)))
                bare.append(run_id, dict.fromkeys(names, columns))
                for name in names:
                    told.series.setdefault(name, ToldSeries()).add(columns)
            spent = []
            for _ in range(given.rounds):
                began = time.perf_counter()
                found = find_missing(bare, run_id, told, writer="none", mark=0, is_back=False)
                spent.append(time.perf_counter() - began)
                if found:
                    raise SystemExit(f"something is missing: {found.described()}")
    print(f"{given.kind}, {given.series} series of {given.points} points; {machine()}")
    print(f"a check: median {statistics.median(spent) * 1e3:.0f} ms, longest {max(spent) * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
