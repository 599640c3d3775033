"""What child processes of the kit run: each opens the store itself and does one small piece of work.

Imports the core alone, so that a child costs little more than its driver.
"""

import os
import pickle
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from runstore.backend import Store
from runstore.model import MetricPoint


def main() -> None:
    """Reads a task from stdin, says ``ready``, waits for ``go``, and writes the result to stdout."""
    length = int.from_bytes(sys.stdin.buffer.read(8))
    sys.path[:], task = pickle.loads(sys.stdin.buffer.read(length))  # noqa: S301 - written by our own parent
    opener, work, arguments = pickle.loads(task)  # noqa: S301 - written by our own parent
    say("ready")
    sys.stdin.buffer.readline()
    try:
        outcome = ("value", _run(opener, work, arguments), "")
    except Exception as error:  # noqa: BLE001 - sent to the parent, whole
        outcome = ("error", _portable(error), traceback.format_exc())
    say("\0" + pickle.dumps(outcome).hex())


def say(line: str) -> None:
    """Sends a line to the parent at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _run(opener: Callable[[], Store], work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    with opener() as store:
        return work(store, *arguments)


def _portable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - just made
    except Exception:  # noqa: BLE001 - any class may refuse; its text still tells
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


# The pieces of work


def serve(store: Store) -> None:
    """Makes the calls that the parent asks for, one a line, until it closes the pipe."""
    while line := sys.stdin.buffer.readline():
        verb, arguments, named = pickle.loads(bytes.fromhex(line.decode()))  # noqa: S301 - written by our own parent
        try:
            value = getattr(store, verb)(*arguments, **named)
            if verb == "open_artifact":
                with value as stream:
                    value = stream.read()
            outcome = ("value", value, "")
        except Exception as error:  # noqa: BLE001 - sent to the parent, whole
            outcome = ("error", _portable(error), traceback.format_exc())
        say(pickle.dumps(outcome).hex())


def create_experiment(store: Store, name: str) -> str:
    """The id of an experiment that may have to be created."""
    return store.get_or_create_experiment(name)


def ensure_run(store: Store, experiment_name: str, run_id: str) -> str:
    """The id of a run that may have to be created."""
    return store.ensure_run(store.get_or_create_experiment(experiment_name), run_id=run_id)


def log_one(store: Store, run_id: str, name: str, step: int, value: float) -> int:
    """Logs one point; gives the process id."""
    store.log_metrics(run_id, [MetricPoint(name=name, value=value, step=step, dataset_type="train")])
    return os.getpid()


def log_for_ever(store: Store, run_id: str, size: int) -> None:
    """Logs batches that overwrite the same ``size`` points of two series, and says each one that was acknowledged."""
    batch = 0
    while True:
        batch += 1
        store.log_metrics(
            run_id,
            [
                *(MetricPoint(name="a", value=batch, step=step, dataset_type="train") for step in range(size)),
                *(MetricPoint(name="b", value=batch, step=step, dataset_type="train") for step in range(size)),
                MetricPoint(name="batches", value=batch, step=batch, dataset_type="train"),
            ],
        )
        say(f"batch {batch}")


def use_every_verb(store: Store, experiment_name: str, run_id: str, path: str) -> None:
    """Calls every verb once, says each one that was acknowledged, and then waits to be killed."""
    experiment_id = store.get_or_create_experiment(experiment_name, description="from a child")
    say("get_or_create_experiment")
    store.ensure_run(experiment_id, run_id=run_id, name="child's")
    say("ensure_run")
    store.log_metrics(run_id, [MetricPoint(name="loss", value=0.5, step=1, dataset_type="train")])
    say("log_metrics")
    store.log_config(run_id, {"lr": 0.1})
    say("log_config")
    store.log_artifact(run_id, path, name="weights.bin")
    say("log_artifact")
    store.finalize(run_id, "completed")
    say("finalize")
    time.sleep(600)


def log_artifacts_for_ever(store: Store, run_id: str, path: str) -> None:
    """Logs one file under new names, and says each name that was recorded."""
    number = 0
    while True:
        number += 1
        say(f"begin {number}")
        store.log_artifact(run_id, path, name=f"file-{number}.bin")
        say(f"end {number}")


def use_unpickled(store: Store, pickled: bytes, run_id: str) -> int:
    """Logs one point through a store that was pickled in the parent."""
    store.close()
    with pickle.loads(pickled) as carried:  # noqa: S301 - written by our own parent
        return log_one(carried, run_id, "spawned", 0, 1.0)


def _fork() -> int:
    if sys.platform == "win32":
        raise NotImplementedError("Windows has no fork")
    return os.fork()


def use_after_fork(store: Store, run_id: str) -> int:
    """Uses the store, forks, and uses it again in the forked child and in the parent; gives the child's exit status."""
    log_one(store, run_id, "before", 0, 1.0)
    forked = _fork()
    if forked == 0:
        status = 1
        with suppress(BaseException):
            for step in range(20):
                log_one(store, run_id, "forked", step, 2.0)
            status = 0
        os._exit(status)
    for step in range(20):
        log_one(store, run_id, "parent", step, 3.0)
    _, status = os.waitpid(forked, 0)
    return os.waitstatus_to_exitcode(status)


def close_before_a_forked_child(store: Store, run_id: str) -> int:
    """Uses the store, forks, and closes it while the child goes on; gives the child's exit status."""
    log_one(store, run_id, "before", 0, 1.0)
    has_begun, begun = os.pipe()
    may_go_on, go_on = os.pipe()
    forked = _fork()
    if forked == 0:
        status = 1
        with suppress(BaseException):
            log_one(store, run_id, "forked", 0, 2.0)
            os.write(begun, b"!")
            os.read(may_go_on, 1)
            for step in range(1, 20):
                log_one(store, run_id, "forked", step, 2.0)
            store.close()
            status = 0
        os._exit(status)
    os.close(begun)  # so that a child that fails early is not waited for
    os.read(has_begun, 1)
    store.close()
    os.write(go_on, b"!")
    _, status = os.waitpid(forked, 0)
    return os.waitstatus_to_exitcode(status)


def log_crossing(store: Store, run_id: str, names: list[str], rounds: int) -> None:
    """Logs the same points again and again, in the order of the given names."""
    for round_number in range(rounds):
        store.log_metrics(
            run_id,
            [
                MetricPoint(name=name, value=round_number, step=step, dataset_type="train")
                for name in names
                for step in range(5)
            ],
        )


def resume_and_finalize(store: Store, run_id: str, rounds: int) -> None:
    """Reopens and ends a run, again and again."""
    for _ in range(rounds):
        store.ensure_run(run_id=run_id, resume=True)
        store.finalize(run_id, "completed")
