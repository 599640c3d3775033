"""How runs end that nobody ended: by what left the block or the process, truthfully, and not in another's place."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from recording.conftest import IDENTITY
from recording.faulty import Away
from recording.test_recorder import begin, point, steps_of
from runstore.backend.begun import HANDED_BACK_S
from runstore.errors import StoreClosedError
from runstore.memory.store import MemoryDatabase, MemoryStore
from runstore.model import Run, RunStatus
from runstore.opening.stores import open_reader, open_store
from runstore.recording import Recorder, sync_leftovers
from runstore.values.ids import experiment_id_of
from support.dying import die, wait_for

OpenRecorder = Callable[..., Recorder]


def leave(store: Recorder, work: Callable[[Recorder], None], error: BaseException) -> None:
    with store:
        work(store)
        raise error


def test_a_block_left_by_an_exception_during_an_outage_ends_its_runs_when_they_are_stored(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    runs: list[str] = []

    with pytest.raises(ZeroDivisionError):
        leave(open_recorder(Away(), away_deadline_s=0.01), lambda store: runs.append(begin(store)), ZeroDivisionError())
    open_recorder().flush()

    run = bare.get_run(runs[0])
    assert run.status == RunStatus.FAILED
    assert run.failure is not None
    assert run.failure.type == "ZeroDivisionError"


def test_a_run_that_ended_through_another_handle_is_no_refused_record(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    recorder = open_recorder()

    def work(store: Recorder) -> None:
        run_id = begin(store)
        store.flush()
        bare.finalize(run_id, "completed")

    with pytest.raises(KeyboardInterrupt):
        leave(recorder, work, KeyboardInterrupt())

    assert recorder.health().is_all_stored


def test_a_run_that_is_left_well_and_not_ended_is_told_of_and_has_a_short_lease(
    open_recorder: OpenRecorder, bare: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    with open_recorder() as recorder:
        run_id = begin(recorder)
        recorder.finalize(begin(recorder), "completed")

    assert bare.get_run(run_id).lease_s == HANDED_BACK_S
    (said,) = [message for message in caplog.messages if "not ended" in message]
    assert run_id in said
    assert "finalize" in said


# In another's hands


def test_the_end_of_a_run_that_was_only_asked_for_is_left_to_the_process_that_has_it_in_hand(
    open_recorder: OpenRecorder, bare: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = open_recorder()
    run_id = begin(trainer)
    trainer.flush()

    outage = Away()
    tester = open_recorder(outage)
    tester.ensure_run(experiment_id_of("x"), run_id=run_id)
    tester.log_metrics(run_id, [point(1)])
    tester.finalize(run_id, "completed")
    outage.come_back()
    tester.close()

    assert bare.get_run(run_id).status == RunStatus.IN_PROGRESS
    assert steps_of(bare, run_id) == [1]
    assert tester.health().is_all_stored
    assert "another process" in caplog.text


def test_that_holds_after_an_outage_in_which_nobody_could_give_a_sign_of_life(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    trainer = open_recorder()
    run_id = begin(trainer)
    trainer.flush()
    tester = open_recorder(Away(), away_deadline_s=0.01)
    tester.ensure_run(experiment_id_of("x"), run_id=run_id)
    tester.finalize(run_id, "completed")
    tester.close()
    bare.heartbeat(run_id, lease_s=0.001)
    wait_for(lambda: bare.get_run(run_id).status == RunStatus.LOST)

    open_recorder().flush()

    assert not bare.get_run(run_id).status.is_final


def test_the_end_of_a_run_whose_trainer_is_dead_is_stored(open_recorder: OpenRecorder, bare: MemoryStore) -> None:
    run_id = bare.ensure_run(bare.get_or_create_experiment("x"))
    bare.heartbeat(run_id, lease_s=0.001)
    wait_for(lambda: bare.get_run(run_id).status == RunStatus.LOST)
    outage = Away()

    again = open_recorder(outage)
    again.ensure_run(experiment_id_of("x"), run_id=run_id)
    again.finalize(run_id, "completed")
    outage.come_back()
    again.close()

    assert bare.get_run(run_id).status == RunStatus.COMPLETED


def test_an_end_that_is_asked_for_while_the_database_answers_is_given(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    run_id = bare.ensure_run(bare.get_or_create_experiment("x"))

    with open_recorder() as recorder:
        recorder.ensure_run(run_id=run_id)
        recorder.finalize(run_id, "interrupted")

    assert bare.get_run(run_id).status == RunStatus.INTERRUPTED


def test_whoever_comes_to_a_run_that_another_has_in_hand_leaves_its_lease_alone(
    open_recorder: OpenRecorder, bare: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runstore.recording.beat.BEAT_S", 0.01)
    run_id = bare.ensure_run(bare.get_or_create_experiment("x"))
    before = bare.get_run(run_id)

    with open_recorder() as guest:
        guest.ensure_run(run_id=run_id)
        wait_for(lambda: bare.get_run(run_id).heartbeat_at > before.heartbeat_at)

    after = bare.get_run(run_id)
    assert (after.status, after.lease_s) == (RunStatus.IN_PROGRESS, before.lease_s)


# What dead writers left


def test_storing_what_a_dead_writer_left_is_no_sign_of_life(
    open_recorder: OpenRecorder, bare: MemoryStore, database: MemoryDatabase, fast_path: Path
) -> None:
    dead = open_recorder(Away())
    unknown, lost = begin(dead), bare.ensure_run(bare.get_or_create_experiment("x"))
    bare.heartbeat(lost, lease_s=0.001)
    for run_id in (unknown, lost):
        dead.log_metrics(run_id, [point(1)])
    die(dead)

    sync_leftovers(MemoryStore(database), IDENTITY, state_dir=fast_path)

    for run_id in (unknown, lost):
        assert steps_of(bare, run_id) == [1]
        wait_for(lambda run_id=run_id: bare.get_run(run_id).status == RunStatus.LOST)  # type: ignore[misc]


def test_a_run_that_its_next_process_has_in_hand_stays_alive_while_what_the_last_one_left_is_stored(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    dead = open_recorder(Away())
    run_id = begin(dead)
    dead.log_metrics(run_id, [point(1)])
    die(dead)

    recorder = open_recorder()
    recorder.ensure_run(experiment_id_of("x"), run_id=run_id, resume=True)
    recorder.flush()

    run = bare.get_run(run_id)
    assert (run.status, run.lease_s) == (RunStatus.IN_PROGRESS, 60.0)


# The end of a process


_PROGRAM = """
import os, signal, sys, time
from runstore import MetricPoint, open_store
store = open_store(sys.argv[1])
store.ensure_run(store.get_or_create_experiment("x"), run_id="run")
store.log_metrics("run", [MetricPoint(name="loss", value=0.5, step=1, dataset_type="train")])
"""
_BARE_PROGRAM = _PROGRAM.replace("sys.argv[1]", "sys.argv[1], durable=False")


def run_after(end: str, url: str, state_dir: Path, *, status: int, program: str = _PROGRAM) -> Run:
    """The run as it stands after a program that ended so."""
    environment = {**os.environ, "RUNSTORE_STATE_DIR": str(state_dir)}
    process = subprocess.run(
        [sys.executable, "-c", program + end, url], env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == status, process.stderr
    with open_store(url, durable=False) as bare:
        assert bare.get_summaries("run")[0].count == 1
        return bare.get_run("run")


def test_a_process_that_ends_by_an_exception_that_nobody_caught_fails_its_runs(
    sqlite_url: str, fast_path: Path
) -> None:
    run = run_after("raise ValueError('loss is NaN')", sqlite_url, fast_path, status=1)

    assert run.status == RunStatus.FAILED
    assert run.failure is not None
    assert (run.failure.type, run.failure.message) == ("ValueError", "loss is NaN")


def test_a_process_that_ends_by_ctrl_c_interrupts_its_runs(sqlite_url: str, fast_path: Path) -> None:
    run = run_after("raise KeyboardInterrupt", sqlite_url, fast_path, status=-signal.SIGINT)

    assert run.status == RunStatus.INTERRUPTED


def test_a_process_that_dies_of_sigterm_interrupts_its_runs(sqlite_url: str, fast_path: Path) -> None:
    run = run_after("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", sqlite_url, fast_path, status=-15)

    assert run.status == RunStatus.INTERRUPTED
    assert run.failure is not None
    assert run.failure.type == "Terminated"


def test_sigterm_that_finds_the_recorder_in_the_middle_of_a_call_interrupts_its_runs(
    sqlite_url: str, fast_path: Path
) -> None:
    end = (
        "import threading\n"
        "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        "while True: store.log_metrics('run', [MetricPoint(name='loss', value=1, step=1, dataset_type='train')])"
    )

    run = run_after(end, sqlite_url, fast_path, status=-15)

    assert run.status == RunStatus.INTERRUPTED


@pytest.mark.parametrize(
    ("end", "code", "left"),
    [
        ("raise ValueError('loss is NaN')", 1, (RunStatus.FAILED, 86_400.0)),
        ("raise KeyboardInterrupt", -signal.SIGINT, (RunStatus.INTERRUPTED, 86_400.0)),
        ("", 0, (RunStatus.IN_PROGRESS, HANDED_BACK_S)),
        ("store.close()", 0, (RunStatus.IN_PROGRESS, 86_400.0)),
    ],
)
def test_a_bare_store_that_is_held_to_the_end_is_left_as_its_block_would_be(
    sqlite_url: str, fast_path: Path, end: str, code: int, left: tuple[RunStatus, float]
) -> None:
    run = run_after(end, sqlite_url, fast_path, status=code, program=_BARE_PROGRAM)

    assert (run.status, run.lease_s) == left


@pytest.mark.parametrize("end", ["", "sys.exit(3)"])
def test_a_process_that_forgets_its_run_leaves_it_to_be_lost_within_a_minute(
    sqlite_url: str, fast_path: Path, end: str
) -> None:
    run = run_after(end, sqlite_url, fast_path, status=3 if end else 0)

    assert (run.status, run.lease_s) == (RunStatus.IN_PROGRESS, 60.0)


def test_a_forked_child_that_ends_ends_none_of_its_parents_runs(sqlite_url: str, fast_path: Path) -> None:
    end = """
store.flush()
pid = os.fork()
if pid == 0:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
os.waitpid(pid, 0)
pid = os.fork()
if pid == 0:
    with store:
        sys.exit(1)
os.waitpid(pid, 0)
assert store.get_run("run").status == "in_progress"
store.finalize("run", "completed")
"""
    run = run_after(end, sqlite_url, fast_path, status=0)

    assert run.status == RunStatus.COMPLETED


def test_a_forked_child_dies_of_sigterm_at_once_until_it_writes_itself(sqlite_url: str, fast_path: Path) -> None:
    end = """
store.flush()
pid = os.fork()
if pid == 0:
    inherited = signal.getsignal(signal.SIGTERM)
    store.get_run("run")
    own = signal.getsignal(signal.SIGTERM)
    os._exit(0 if inherited is signal.SIG_DFL and callable(own) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert callable(signal.getsignal(signal.SIGTERM))
store.finalize("run", "completed")
"""
    run = run_after(end, sqlite_url, fast_path, status=0)

    assert run.status == RunStatus.COMPLETED


def test_threads_that_begin_runs_while_the_block_is_left_disturb_nothing(
    open_recorder: OpenRecorder, bare: MemoryStore
) -> None:
    recorder = open_recorder()
    begun: list[str] = []

    def begin_many() -> None:
        with suppress(StoreClosedError):
            while True:
                begun.append(begin(recorder))

    threads = [threading.Thread(target=begin_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(begun) > 20)
    recorder.close()
    for thread in threads:
        thread.join()

    assert all(bare.get_run(run_id).lease_s == HANDED_BACK_S for run_id in begun[:20])


# Readers beside recorders


def test_a_reader_sees_what_recorders_of_its_process_accepted(
    sqlite_url: str, fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path))
    with open_store(sqlite_url, durable=False):
        pass

    with open_reader(sqlite_url) as reader, open_store(sqlite_url) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
        for step in range(50):
            store.log_metrics(run_id, [point(step)])
            assert reader.get_summaries(run_id)[0].count == step + 1
        store.finalize(run_id, "completed")
        assert reader.get_run(run_id).status == RunStatus.COMPLETED
