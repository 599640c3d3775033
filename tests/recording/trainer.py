"""Programs that train in a process of their own, to be killed, stopped, forked or left hanging.

``python trainer.py MODE URL RUN_ID STEPS``. Each prints the steps that were acknowledged, one a line, unbuffered.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import time
import warnings
from typing import Any

from runstore.model import MetricPoint
from runstore.opening.stores import open_store
from runstore.recording import patience, worker

# Tests look at all that is said here, and on a busy machine it would be said as well how slow it is.
patience.FIRST_WORD_S = worker.SLOW_OPENING_S = 600.0


def say(text: object) -> None:
    os.write(1, f"{text}\n".encode())


def log(store: Any, run_id: str, step: int, name: str = "loss") -> None:
    store.log_metrics(run_id, [MetricPoint(name=name, value=float(step), step=step, dataset_type="train")])


def wait() -> None:
    """Waits for a signal. One that comes just before a long wait would be handled after it, so it never waits long."""
    while True:
        time.sleep(0.05)


def begin(url: str, run_id: str) -> Any:
    store = open_store(url)
    store.ensure_run(store.get_or_create_experiment("x"), run_id=run_id)
    return store


def acknowledge(url: str, run_id: str, steps: int) -> None:
    """Logs and says so, point by point, and waits to be killed."""
    store = begin(url, run_id)
    for step in range(steps):
        log(store, run_id, step)
        say(step)
    wait()


def leave(url: str, run_id: str, steps: int) -> None:
    """Logs and ends without closing."""
    store = begin(url, run_id)
    for step in range(steps):
        log(store, run_id, step)
    say("done")


def handle(url: str, run_id: str, steps: int) -> None:
    """Has a handler of its own for SIGTERM, which ends the run."""

    def stop(*_: object) -> None:
        store.finalize(run_id, "interrupted")
        store.close()
        say("handled")
        sys.exit(7)

    signal.signal(signal.SIGTERM, stop)
    store = begin(url, run_id)
    for step in range(steps):
        log(store, run_id, step)
    say("ready")
    wait()


def terminated(url: str, run_id: str, steps: int) -> None:
    """Has no handler and waits for SIGTERM."""
    store = begin(url, run_id)
    for step in range(steps):
        log(store, run_id, step)
    say("ready")
    wait()


def fork(url: str, run_id: str, steps: int) -> None:
    """Four forked children log by themselves while their parent does, as DataLoader workers may by mistake."""
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)  # Python 3.12 and later
    store = begin(url, run_id)
    children = []
    for child in range(4):
        log(store, run_id, child, "parent")
        pid = os.fork()
        if pid == 0:
            for step in range(steps):
                log(store, run_id, step, f"child {child}")
            os._exit(0)  # as multiprocessing's children end: no atexit, no close
        children.append(pid)
    for step in range(4, steps):
        log(store, run_id, step, "parent")
    for pid in children:
        os.waitpid(pid, 0)
    store.finalize(run_id, "completed")
    store.close()
    say("done")


def _in_child(pickled: bytes, run_id: str, steps: int) -> None:
    store = pickle.loads(pickled)
    for step in range(steps):
        log(store, run_id, step, "child 0")


def spawn(url: str, run_id: str, steps: int) -> None:
    """A spawned child logs through a pickled recorder."""
    store = begin(url, run_id)
    context = multiprocessing.get_context("spawn")
    child = context.Process(target=_in_child, args=(pickle.dumps(store), run_id, steps))
    child.start()
    for step in range(steps):
        log(store, run_id, step, "parent")
    child.join()
    store.finalize(run_id, "completed")
    store.close()
    say("done")


if __name__ == "__main__":
    mode, given_url, given_run_id, given_steps = sys.argv[1:]
    {each.__name__: each for each in (acknowledge, leave, handle, terminated, fork, spawn)}[mode](
        given_url, given_run_id, int(given_steps)
    )
