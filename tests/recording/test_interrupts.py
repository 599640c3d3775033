"""Ctrl-C strikes anywhere in a call; whatever it interrupts, no lock stays taken behind it."""

import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from runstore.local import flags
from runstore.local.flags import Flag
from runstore.recording.counts import RunCounts

_MANY_INTERRUPTS = """
import random, signal, sys
from runstore import MetricPoint, open_store
from runstore.recording import patience, worker

patience.FIRST_WORD_S = worker.SLOW_OPENING_S = 600.0  # how slow a busy machine is is not said
signal.signal(signal.SIGALRM, signal.default_int_handler)
chance = random.Random(1)
store = open_store(sys.argv[1])
run_id = store.ensure_run(store.get_or_create_experiment("e"))
step = 0
for _ in range(2000):
    try:
        signal.setitimer(signal.ITIMER_REAL, chance.random() * 0.002)
        while True:
            store.log_metrics(run_id, [MetricPoint("loss", 1.0, step)])
            step += 1
    except KeyboardInterrupt:
        pass
signal.setitimer(signal.ITIMER_REAL, 0)
kept = len(store.get_history(run_id, "loss", "other"))
store.finalize(run_id, "interrupted")
store.close()
assert step <= kept <= step + 1, (step, kept)
"""


def test_a_recorder_that_was_interrupted_two_thousand_times_still_stores_and_ends(
    sqlite_url: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MANY_INTERRUPTS, sqlite_url],
        capture_output=True, text=True, check=False, timeout=600, cwd=tmp_path,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


def test_a_call_that_ctrl_c_left_uncounted_behind_its_journaling_has_been_accepted_once_it_is_stored() -> None:
    counts = RunCounts()

    counts.stored_calls, counts.stored_points = 1, 3

    health = counts.health("run")
    assert (health.calls.accepted, health.calls.waiting) == (1, 0)
    assert (health.points.accepted, health.points.waiting) == (3, 0)
    assert counts.waiting_calls == 0


@pytest.mark.parametrize("place", range(1, 30))
@pytest.mark.parametrize("method", ["set", "clear", "wait"])
def test_a_flag_that_was_interrupted_at_any_place_can_be_set_and_waited_for(method: str, place: int) -> None:
    flag, seen = Flag(), 0

    def interrupt(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal seen
        if frame.f_code.co_filename != flags.__file__:
            return None
        frame.f_trace_opcodes = True
        seen += event == "opcode"
        if seen == place:
            raise KeyboardInterrupt
        return interrupt

    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        getattr(flag, method)(*([0.0] if method == "wait" else []))
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)

    waiter = threading.Thread(target=flag.wait)
    waiter.start()
    flag.set()
    waiter.join(timeout=60)
    assert not waiter.is_alive()
    flag.clear()
    assert not flag.is_set()
    assert not flag.wait(0.0)


def test_a_flag_that_is_set_lets_all_go_on_who_wait() -> None:
    flag = Flag()
    waiters = [threading.Thread(target=flag.wait) for _ in range(4)]
    for waiter in waiters:
        waiter.start()
    flag.set()
    for waiter in waiters:
        waiter.join(timeout=60)

    assert not any(waiter.is_alive() for waiter in waiters)
    assert flag.is_set()
    assert flag.wait(0.0)
