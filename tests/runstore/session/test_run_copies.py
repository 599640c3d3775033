"""Copies of a run in other processes: each names its steps, for nobody counts them for several processes."""

import copy
import gc
import math
import os
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runstore import open_reader, start_run
from runstore.errors import InvalidValueError
from runstore.memory.store import MemoryStore
from runstore.recording import Recorder

SCRIPT = """
import multiprocessing, sys
import runstore

def work(run, worker):
    try:
        run.log({"loss": 1.0})
    except runstore.InvalidValueError as error:
        print(error, flush=True)
    for step in range(3):
        run.log({f"worker_{worker}/loss": float(step)}, step=step)

if __name__ == "__main__":
    with runstore.start_run("e", store=sys.argv[1], git_changes=False, packages=False, console=False) as run:
        run.log({"loss": 0.0})
        context = multiprocessing.get_context(sys.argv[2])
        workers = [context.Process(target=work, args=(run, worker)) for worker in range(2)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
        run.log({"loss": 0.1})
"""


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "RUNSTORE_STATE_DIR": str(folder / "state")},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize("kind", ["fork", "spawn"])
def test_a_copy_in_another_process_is_told_to_give_a_step_and_takes_none_of_the_runs(kind: str, tmp_path: Path) -> None:
    script, url = tmp_path / "train.py", f"sqlite:///{tmp_path / 'runs.db'}"
    script.write_text(SCRIPT)

    done = run([str(script), url, kind], tmp_path)
    run(["-m", "runstore", "sync", "--store", url], tmp_path)  # what a fork leaves behind that ended without an exit

    assert done.stdout.count("give a step") == 2, done.stderr
    with open_reader(url) as reader:
        (stored,) = reader.search_runs().items
        own = reader.get_history(stored.id, "loss", "other")
        assert stored.status == "completed"
        assert (list(own.steps), list(own.values)) == ([0, 1], [0.0, 0.1])
        for worker in range(2):
            assert list(reader.get_history(stored.id, f"worker_{worker}/loss", "other").values) == [0.0, 1.0, 2.0]


def test_a_copy_in_the_same_process_counts_no_steps_either() -> None:
    with MemoryStore() as store:
        begun = start_run("e", store=store, git_changes=False, packages=False, console=False)
        begun.log({"loss": 0.0})
        other = copy.copy(begun)

        with pytest.raises(InvalidValueError, match="give a step"):
            other.log({"loss": 1.0})
        begun.log({"loss": 0.1})
        begun.finish()

        assert list(store.get_history(begun.id, "loss", "other").values) == [0.0, 0.1]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("durable", [True, False])
def test_copies_that_are_dropped_keep_no_thread_and_no_file(tmp_path: Path, *, durable: bool) -> None:
    run = start_run(
        "e", store=f"sqlite:///{tmp_path}/runs.db", durable=durable, git_changes=False, packages=False, console=False
    )
    run.log({"loss": 0.0})
    threads = threading.active_count()

    def drop_copies(steps: range, *, files: float = math.inf) -> None:
        for step in steps:
            pickle.loads(pickle.dumps(run)).log({"loss": 0.5}, step=step)
        deadline = time.monotonic() + 120
        gc.collect()
        while (threading.active_count() > threads or open_files() >= files) and time.monotonic() < deadline:
            time.sleep(0.05)
            gc.collect()  # a heartbeat under way may leave its connection to the collector

    drop_copies(range(1, 3))  # the run itself opens its database when its recorder first has something to store
    if isinstance(run.store, Recorder):
        run.store.flush()
    files = open_files()

    drop_copies(range(3, 8), files=files + 5)

    assert threading.active_count() <= threads
    assert open_files() < files + 5
    run.finish()


def test_a_copy_that_shares_its_store_leaves_it_open_when_it_is_dropped(tmp_path: Path) -> None:
    run = start_run("e", store=f"sqlite:///{tmp_path}/runs.db", git_changes=False, packages=False, console=False)
    opened, threads = run.store, set(threading.enumerate())

    copy.copy(run).log({"loss": 0.5}, step=1)
    gc.collect()
    for thread in set(threading.enumerate()) - threads:
        thread.join(timeout=60)

    assert run.store is opened
    run.finish()
