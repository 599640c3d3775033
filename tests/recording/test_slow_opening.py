"""A database that takes long to let us in or to turn us away: what it says at last is raised, or journaled and told."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from recording.faulty import Away, faulty
from recording.test_recorder import begin, point, steps_of
from runstore.errors import StoreFailureError
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.recording import Recorder
from runstore.recording import outage as outage_module
from runstore.recording import worker as worker_module
from support.dying import wait_for
from support.walking import found_below

OpenRecorder = Callable[..., Recorder]


class Gate:
    """Opens a store, or turns away, when it is told to."""

    def __init__(self, database: MemoryDatabase, *, error: Exception | None = None) -> None:
        self._database = database
        self._is_open = threading.Event()
        self.error = error

    def open(self) -> None:
        self._is_open.set()

    def open_later(self) -> None:
        threading.Timer(0.2, self.open).start()

    def __call__(self) -> MemoryStore:
        self._is_open.wait(30)
        if self.error is not None:
            raise self.error
        return MemoryStore(self._database)


def refused() -> StoreFailureError:
    return StoreFailureError("password authentication failed")


def test_a_refusal_that_comes_late_is_raised_as_one_that_comes_at_once(
    open_recorder: OpenRecorder, database: MemoryDatabase, fast_path: Path
) -> None:
    gate = Gate(database, error=refused())
    recorder = open_recorder(open_store=gate, confirm_s=0.01)
    gate.open_later()

    with pytest.raises(StoreFailureError, match="password"):
        recorder.wait_until_opened()

    wait_for(lambda: not found_below(fast_path, "journals/*/*/writer.lock"))


def test_whoever_opens_a_slow_database_is_told_what_is_waited_for(
    open_recorder: OpenRecorder,
    database: MemoryDatabase,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(worker_module, "SLOW_OPENING_S", 0.01)
    gate = Gate(database)
    recorder = open_recorder(open_store=gate)
    gate.open_later()

    recorder.wait_until_opened()

    assert "slow to answer" in caplog.text


def test_a_refusal_after_the_opening_was_waited_for_is_told_and_what_was_accepted_waits(
    open_recorder: OpenRecorder, database: MemoryDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate(database, error=refused())
    recorder = open_recorder(open_store=gate, open_deadline_s=0.01)
    recorder.wait_until_opened()
    run_id = begin(recorder)
    recorder.log_metrics(run_id, [point(1)])

    with caplog.at_level(logging.ERROR):
        gate.open()
        wait_for(lambda: "turns us away" in caplog.text)

    assert "password authentication failed" in caplog.text
    assert recorder.health().runs[run_id].points.waiting == 1


def test_a_refusal_that_is_known_when_the_first_run_begins_is_raised_there(
    open_recorder: OpenRecorder, database: MemoryDatabase
) -> None:
    gate = Gate(database, error=refused())
    recorder = open_recorder(open_store=gate, open_deadline_s=0.01)
    recorder.wait_until_opened()
    experiment_id = recorder.get_or_create_experiment("x")
    gate.open()
    wait_for(lambda: recorder.health().last_error is not None)

    with pytest.raises(StoreFailureError, match="password"):
        recorder.ensure_run(experiment_id)


def test_an_outage_that_turns_out_to_be_a_refusal_is_told_once_and_loudly(
    open_recorder: OpenRecorder, database: MemoryDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    outage, is_refused = Away(), threading.Event()

    def open_store() -> MemoryStore:
        if is_refused.is_set():
            raise refused()
        faulty(MemoryStore(database), outage).get_experiment("x")
        raise AssertionError("it is away")

    recorder = open_recorder(open_store=open_store)
    recorder.wait_until_opened()
    run_id = begin(recorder)
    recorder.log_metrics(run_id, [point(1)])
    is_refused.set()
    wait_for(lambda: "turns us away" in caplog.text)
    for step in range(20):
        recorder.log_metrics(run_id, [point(step)])

    told = [record.levelno for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == [logging.WARNING, logging.ERROR]


def test_a_recorder_that_nobody_waited_for_tells_of_a_refusal_once_something_waits(
    open_recorder: OpenRecorder, database: MemoryDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate(database, error=refused())
    recorder = open_recorder(open_store=gate)  # as a copy in another process begins
    gate.open()
    wait_for(lambda: recorder.health().last_error is not None)
    silent_before = caplog.text == ""
    gate.error = None
    recorder.flush()

    assert silent_before
    run_id = begin(recorder)
    recorder.log_metrics(run_id, [point(3)])
    recorder.flush()
    assert steps_of(MemoryStore(database), run_id) == [3]


def test_records_that_wait_are_told_of_again_after_a_while(
    open_recorder: OpenRecorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outage_module, "SPEAK_AGAIN_S", 0.05)
    recorder = open_recorder(Away())
    begin(recorder)

    wait_for(lambda: caplog.text.count("does not take records") > 2)

    assert recorder.health().is_store_away
