"""Leaving a recorder: it goes on while records go through, and does not wait for a database that takes nothing."""

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from recording.faulty import Away
from recording.test_recorder import begin, point, steps_of
from runstore.errors import StoreUnavailableError
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.opening.stores import open_store
from runstore.recording import Recorder, patience, sending
from runstore.series import SeriesColumns
from support.dying import die, wait_for
from support.walking import found_below

OpenRecorder = Callable[..., Recorder]


class Slow(MemoryStore):
    """Takes a moment for each call of points, and one run's points at a time."""

    def append(self, run_id: str, series: SeriesColumns) -> None:
        time.sleep(0.05)
        super().append(run_id, series)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BATCH_POINTS", 1)


def test_closing_goes_on_while_records_go_through_however_long_that_takes(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase
) -> None:
    recorder = open_recorder(open_store=lambda: Slow(database), close_deadline_s=0.5, confirm_s=0.1)
    run_id = begin(recorder)
    for step in range(40):  # two seconds' worth
        recorder.log_metrics(run_id, [point(step)])
    recorder.finalize(run_id, "completed")

    recorder.close()

    assert steps_of(bare, run_id) == list(range(40))
    assert bare.get_run(run_id).status == "completed"
    assert recorder.health().is_all_stored


def test_leaving_says_how_much_is_left_and_what_to_do(
    open_recorder: OpenRecorder,
    database: MemoryDatabase,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(patience, "FIRST_WORD_S", 0.3)
    recorder = open_recorder(open_store=lambda: Slow(database), close_deadline_s=0.5)
    run_id = begin(recorder)
    for step in range(40):
        recorder.log_metrics(run_id, [point(step)])

    with caplog.at_level(logging.WARNING):
        recorder.close()

    (said,) = [message for message in caplog.messages if "wait to be stored" in message]
    assert "at this pace" in said
    assert "Ctrl-C" in said
    assert "runstore sync" in said


def test_leaving_has_a_limit_of_its_own_and_the_rest_is_kept(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = open_recorder(open_store=lambda: Slow(database), leave_limit_s=0.3)
    run_id = begin(recorder)
    for step in range(100):
        recorder.log_metrics(run_id, [point(step)])

    die(recorder, deadline_s=None)
    left = recorder.health().runs[run_id].points.waiting
    open_recorder().flush()

    assert left > 0
    assert "closed with" in caplog.text
    assert steps_of(bare, run_id) == list(range(100))


def test_a_bound_that_is_given_is_kept_whatever_goes_through(
    open_recorder: OpenRecorder, database: MemoryDatabase
) -> None:
    recorder = open_recorder(open_store=lambda: Slow(database))
    run_id = begin(recorder)
    for step in range(100):
        recorder.log_metrics(run_id, [point(step)])

    recorder.close(deadline_s=0.2)

    assert recorder.health().runs[run_id].points.waiting > 0


def test_a_database_that_takes_nothing_is_not_waited_for_though_it_took_records_before(
    open_recorder: OpenRecorder, database: MemoryDatabase
) -> None:
    release = threading.Event()
    stored: list[int] = []

    class Sticks(MemoryStore):
        def append(self, run_id: str, series: SeriesColumns) -> None:
            if len(stored) == 5:
                release.wait(30)
            super().append(run_id, series)
            stored.append(1)

    recorder = open_recorder(open_store=lambda: Sticks(database), close_deadline_s=0.3)
    run_id = begin(recorder)
    for step in range(20):
        recorder.log_metrics(run_id, [point(step)])
    wait_for(lambda: len(stored) == 5)

    recorder.close()

    left = recorder.health().runs[run_id].points.waiting
    release.set()
    assert left == 15


def test_an_end_that_is_not_confirmed_in_time_is_accepted_and_stored(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase
) -> None:
    recorder = open_recorder(open_store=lambda: Slow(database), confirm_s=0.5)
    run_id = begin(recorder)
    for step in range(40):  # two seconds' worth
        recorder.log_metrics(run_id, [point(step)])
    wait_for(lambda: recorder.health().runs[run_id].points.stored > 0)

    recorder.finalize(run_id, "completed")
    is_away = recorder.health().is_store_away
    recorder.close()

    assert not is_away
    assert bare.get_run(run_id).status == "completed"


def test_a_read_waits_as_long_as_records_go_through(open_recorder: OpenRecorder, database: MemoryDatabase) -> None:
    recorder = open_recorder(open_store=lambda: Slow(database), read_deadline_s=0.5)
    run_id = begin(recorder)
    for step in range(40):
        recorder.log_metrics(run_id, [point(step)])

    assert recorder.get_summaries(run_id)[0].count == 40


def test_a_read_of_what_the_database_does_not_take_is_told_so(open_recorder: OpenRecorder) -> None:
    recorder = open_recorder(Away(), read_deadline_s=0.05)
    run_id = begin(recorder)

    with pytest.raises(StoreUnavailableError, match="did not take them"):
        recorder.get_run(run_id)


# Ctrl-C and SIGTERM


_LEAVING = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests themselves were started with
from runstore import MetricPoint
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.recording import RecorderOptions, Recorder, patience, sending
sending.BATCH_POINTS = 1
patience.FIRST_WORD_S = 0.0  # so that it says at once that it waits

class Slow(MemoryStore):
    def append(self, run_id, series):
        time.sleep(0.05)
        super().append(run_id, series)

def open_slow():
    return Slow(MemoryDatabase())

store = Recorder(open_slow, identity="memory://leaving", options=RecorderOptions(exit_deadline_s=1.0))
run_id = store.ensure_run(store.get_or_create_experiment("x"))
for step in range(2000):
    store.log_metrics(run_id, [MetricPoint(name="loss", value=0.5, step=step)])
print("leaving", flush=True)
"""


@pytest.mark.parametrize("end", ["store.close()", ""], ids=["closed", "left"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_leaving_at_once_and_what_is_left_is_kept(
    fast_path: Path, end: str, sent: signal.Signals
) -> None:
    environment = {**os.environ, "RUNSTORE_STATE_DIR": str(fast_path)}
    with subprocess.Popen(
        [sys.executable, "-c", f"{_LEAVING}{end}\n"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "leaving\n"
        while "wait to be stored" not in (said := process.stderr.readline()):
            assert said, "it has ended"
        # It is draining now; all of it would take 100 s.

        process.send_signal(sent)
        errors = process.stderr.read()

    (lock,) = found_below(fast_path, "journals/*/*/writer.lock")
    assert found_below(lock.parent, "*.segment")
    if sent == signal.SIGINT:
        assert "closed with" in errors
        assert "runstore sync" in errors


# Dropped without being closed


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_recorders_that_are_dropped_let_go_of_threads_and_files_and_store_what_they_accepted(
    sqlite_url: str, fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path))
    open_store(sqlite_url).close()
    threads, descriptors = set(threading.enumerate()), open_descriptors()

    for number in range(10):
        store = open_store(sqlite_url)
        store.ensure_run(store.get_or_create_experiment("x"), run_id=f"run {number}")
        store.log_metrics(f"run {number}", [point(1)])
        del store
    gc.collect()

    wait_for(lambda: set(threading.enumerate()) <= threads)
    wait_for(lambda: open_descriptors() <= descriptors)
    with open_store(sqlite_url, durable=False) as bare:
        assert [bare.get_summaries(f"run {number}")[0].count for number in range(10)] == [1] * 10
    assert not found_below(fast_path, "journals/*/*/writer.lock")


def test_closing_leaves_no_thread_behind(open_recorder: OpenRecorder) -> None:
    threads = set(threading.enumerate())
    recorder = open_recorder()
    begin(recorder)

    recorder.close()

    assert set(threading.enumerate()) <= threads


def test_what_a_dropped_recorder_has_under_way_when_the_process_ends_is_stored(
    sqlite_url: str, fast_path: Path
) -> None:
    program = """
import sys
from runstore import MetricPoint, open_store
def work():
    store = open_store(sys.argv[1])
    store.ensure_run(store.get_or_create_experiment("x"), run_id="run")
    for step in range(500):
        store.log_metrics("run", [MetricPoint(name="loss", value=0.5, step=step, dataset_type="train")])
work()
"""
    environment = {**os.environ, "RUNSTORE_STATE_DIR": str(fast_path)}

    subprocess.run([sys.executable, "-c", program, sqlite_url], check=True, env=environment)

    with open_store(sqlite_url, durable=False) as bare:
        assert bare.get_summaries("run")[0].count == 500
