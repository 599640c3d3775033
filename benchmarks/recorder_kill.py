"""Runs killed with SIGKILL at random moments: every acknowledged point is stored, once.

    python benchmarks/recorder_kill.py [--kind sqlite postgresql mongodb] [--runs 200] [--seed 0]

Each writer says on a pipe what was acknowledged. After the kill, ``runstore sync`` (its function) drains what it left;
then a reader without a recorder compares. Lost: acknowledged and not stored. Doubled: more points than steps. Wrong:
another value than was logged.
"""

import argparse
import itertools
import os
import random
import signal
import sys
import threading
from pathlib import Path

from recorder_support import KINDS, database, folder, line, machine, use_state_dir

from runstore.errors import RunNotFoundError
from runstore.model import MetricPoint
from runstore.opening.stores import open_store
from runstore.recording import sync_leftovers


def write_for_ever(url: str, run_id: str, said: int) -> None:
    """A writer: says on the pipe ``said`` that it began, and each step that was acknowledged."""
    store = open_store(url)
    store.ensure_run(store.get_or_create_experiment("kill"), run_id=run_id)
    os.write(said, b"begun\n")
    for step in itertools.count():
        value = step * 0.5
        points = [MetricPoint(name=name, value=value, step=step, dataset_type="train") for name in ("loss", "auroc")]
        store.log_metrics(run_id, points)
        os.write(said, b"%d\n" % step)


def kill_one(url: str, run_id: str, after_s: float) -> int:
    """Kills a writer so long after it began; gives how many steps it had been told were accepted.

    The writer is forked, from a process that has opened no store: it is spared the imports, and nothing else.
    """
    heard_fd, said_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(heard_fd)
            write_for_ever(url, run_id, said_fd)
        finally:
            os._exit(1)
    os.close(said_fd)
    with os.fdopen(heard_fd, "rb") as heard:
        assert heard.readline() == b"begun\n"
        threading.Timer(after_s, os.kill, (pid, signal.SIGKILL)).start()
        acknowledged = heard.read().count(b"\n")
    os.waitpid(pid, 0)
    return acknowledged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, nargs="+", default=["sqlite", "postgresql", "mongodb"])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--longest-s", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="where the journal and a SQLite file lie; /var/tmp by default")
    given = parser.parse_args()
    is_bad = False
    for kind in given.kind:
        chance = random.Random(given.seed)
        with folder(given.folder) as place, database(kind, place) as (url, _):
            use_state_dir(place / "state")
            figures = {"runs": given.runs, "acknowledged": 0, "stored": 0, "lost": 0, "doubled": 0, "wrong": 0}
            heard = {
                run_id: kill_one(url, run_id, chance.uniform(0, given.longest_s))
                for run_id in (f"run {number}" for number in range(given.runs))
            }
            with open_store(url, durable=False) as store:
                done = sync_leftovers(store, url)
                for run_id, acknowledged in heard.items():
                    figures["acknowledged"] += 2 * acknowledged
                    for name in ("loss", "auroc"):
                        try:
                            history = store.get_history(run_id, name, "train")
                        except RunNotFoundError:
                            figures["lost"] += acknowledged
                            continue
                        steps = list(history.steps)
                        figures["stored"] += len(steps)
                        figures["lost"] += len(set(range(acknowledged)) - set(steps))
                        figures["doubled"] += len(steps) - len(set(steps))
                        figures["wrong"] += sum(point.value != point.step * 0.5 for point in history)
            left = len(list(Path(place, "state").glob("journals/*/*/writer.lock")))
            print(line(kind, {**figures, "journals drained": done.journals, "left": left}), flush=True)
            is_bad = is_bad or bool(figures["lost"] or figures["doubled"] or figures["wrong"] or left)
    print(machine())
    sys.exit(is_bad)


if __name__ == "__main__":
    main()
