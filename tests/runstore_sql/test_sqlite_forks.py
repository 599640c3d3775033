"""SQLite and processes that fork: what was acknowledged is in the file that a fresh reader opens (OPEN.5, DUR.1)."""

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore.backend import Store
from runstore.cli.commands.sync import sync
from runstore.errors import StoreFailureError
from runstore.hookspecs import OpenOptions
from runstore_sql.opening import open_sql
from runstore_sql.store import SqlStore

OPENING = {"bare": False, "recorded": True}


@pytest.fixture(autouse=True)
def state_dir(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path / "state"))


@pytest.fixture(params=OPENING)
def store(request: pytest.FixtureRequest, sqlite_url: str) -> Iterator[Store]:
    """A bare or a recorded store with a run, to which this process has written."""
    with open_store(sqlite_url, durable=OPENING[request.param]) as store:
        store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        log(store, "parent", 0)
        assert store.get_run("run").id == "run"
        yield store


def log(store: Store, name: str, step: int) -> None:
    store.log_metrics("run", [MetricPoint(name=name, value=float(step), step=step)])


def counts(url: str) -> dict[str, int]:
    """The points of each series as a new process reads them, of a file that is whole."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with open_reader(url) as reader:
        return {series.name: series.count for series in reader.get_summaries("run")}


def forked(work: Callable[[], object]) -> int:
    """The id of a forked child that does this and ends without cleaning up; its status is 1 when it raised."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException as error:  # noqa: BLE001 - told to whoever reads the test's output
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(status)
    return pid


def status_of(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Signal:
    """One process lets another go on."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    def give(self) -> None:
        os.write(self._writing, b"!")

    def wait(self) -> None:
        assert os.read(self._reading, 1) == b"!"


@contextmanager
def writing_threads(store: Store, number: int) -> Iterator[None]:
    """Threads that write one after the other as fast as they can, each its own series."""
    is_done = threading.Event()

    def write(name: str) -> None:
        step = 0
        while not is_done.is_set():
            store.log_metrics("run", [MetricPoint(name=name, value=1.0, step=step + i) for i in range(500)])
            step += 500

    threads = [threading.Thread(target=write, args=(f"thread {each}",)) for each in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_done.set()
        for thread in threads:
            thread.join()


def test_a_child_goes_on_after_its_parent_has_closed(store: Store, sqlite_url: str) -> None:
    has_begun, may_go_on = Signal(), Signal()

    def work() -> None:
        log(store, "child", 0)
        store.get_run("run")
        has_begun.give()
        may_go_on.wait()
        for step in range(1, 101):
            log(store, "child", step)
        store.log_config("run", {"from": "child"})
        store.finalize("run", "completed")
        store.close()

    child = forked(work)
    has_begun.wait()
    store.close()
    may_go_on.give()

    assert status_of(child) == 0
    assert counts(sqlite_url) == {"parent": 1, "child": 101}
    with open_reader(sqlite_url) as reader:
        assert (reader.get_run("run").status, reader.get_config("run")) == ("completed", {"from": "child"})


def test_children_forked_while_threads_write_can_write_themselves(store: Store, sqlite_url: str) -> None:
    children = []
    with writing_threads(store, 2):
        for number in range(6):
            time.sleep(0.01)

            def work(number: int = number) -> None:
                log(store, f"child {number}", 0)
                store.close()

            children.append(forked(work))

        assert [status_of(child) for child in children] == [0] * 6
    store.close()
    assert counts(sqlite_url).keys() >= {f"child {number}" for number in range(6)}


def test_children_of_children_and_a_stranger_write_beside_them(store: Store, sqlite_url: str) -> None:
    program = f"""
from runstore import MetricPoint, open_store
with open_store({sqlite_url!r}, durable=False) as store:
    for step in range(100):
        store.log_metrics("run", [MetricPoint(name="stranger", value=1.0, step=step)])
"""

    def descend(depth: int) -> None:
        log(store, f"depth {depth}", 0)
        below = forked(lambda: descend(depth + 1)) if depth < 3 else None
        for step in range(1, 50):
            log(store, f"depth {depth}", step)
        if depth % 2:
            store.close()  # before the child below has ended
        assert below is None or status_of(below) == 0
        store.close()

    child = forked(lambda: descend(1))
    with subprocess.Popen([sys.executable, "-c", program]) as stranger:
        store.close()
        assert stranger.wait() == 0

    assert status_of(child) == 0
    assert counts(sqlite_url) == {"parent": 1, "stranger": 100, "depth 1": 50, "depth 2": 50, "depth 3": 50}


def test_children_that_only_end_take_nothing_from_their_parent(store: Store, sqlite_url: str) -> None:
    ways: list[Callable[[], object]] = [lambda: None, store.close]
    for way in ways:
        assert status_of(forked(way)) == 0
        log(store, "parent", 1 + ways.index(way))
        store.get_run("run")
        assert counts(sqlite_url)["parent"] == 2 + ways.index(way)

    context = multiprocessing.get_context("fork")
    with context.Pool(2) as pool:
        assert pool.map(abs, [-1, -2]) == [1, 2]
        log(store, "parent", 3)
        store.get_run("run")
        assert counts(sqlite_url)["parent"] == 4


def test_a_child_that_ends_as_an_interpreter_does_takes_nothing(sqlite_url: str, fast_path: Path) -> None:
    program = fast_path / "program.py"
    program.write_text(f"""
import os, sys
from runstore import MetricPoint, open_reader, open_store
from runstore.cli.commands.sync import sync
store = open_store({sqlite_url!r}, durable=False)
store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
store.log_metrics("run", [MetricPoint(name="parent", value=1.0, step=0)])
reader = open_reader({sqlite_url!r})
reader.get_run("run")
if os.fork() == 0:
    sys.exit(0)
os.wait()
for step in range(1, 101):
    store.log_metrics("run", [MetricPoint(name="parent", value=1.0, step=step)])
os._exit(0)
""")

    subprocess.run([sys.executable, program], check=True)

    assert counts(sqlite_url) == {"parent": 101}


def test_a_reader_in_the_parent_does_not_harm_a_child_that_writes(sqlite_url: str) -> None:
    with open_sql(sqlite_url, OpenOptions()) as store:
        store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        log(store, "parent", 0)
        with open_reader(sqlite_url) as reader:
            assert reader.get_run("run").id == "run"

            def work() -> None:
                with open_sql(sqlite_url, OpenOptions()) as own:
                    log(own, "child", 0)
                    assert len(reader.get_summaries("run")) == 2

            assert status_of(forked(work)) == 0
        log(store, "parent", 1)

    assert counts(sqlite_url) == {"parent": 2, "child": 1}


def refusal_in_a_child(store: SqlStore) -> str:
    """What a forked child is told when it writes."""
    reading, writing = os.pipe()

    def work() -> None:
        try:
            log(store, "child", 0)
        except StoreFailureError as error:
            os.write(writing, str(error).encode())
        else:
            os.write(writing, b"it was acknowledged")

    assert status_of(forked(work)) == 0
    return os.read(reading, 4096).decode()


def test_a_child_forked_inside_a_call_is_refused_and_harms_nothing(sqlite_url: str) -> None:
    with open_sql(sqlite_url, OpenOptions()) as store:
        store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        log(store, "parent", 0)

        told = store.database.write(lambda _: refusal_in_a_child(store))

        log(store, "parent", 1)
        assert "forked while a connection" in told
        assert "spawn" in told
    assert counts(sqlite_url) == {"parent": 2}


def test_a_child_that_inherits_another_programs_connection_is_refused(sqlite_url: str) -> None:
    with open_sql(sqlite_url, OpenOptions()) as store:
        store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
            other.execute("SELECT count(*) FROM runs").fetchone()

            told = refusal_in_a_child(store)

        log(store, "parent", 0)
        assert "forked while a connection" in told
    assert counts(sqlite_url) == {"parent": 1}


def test_what_a_refused_child_records_is_stored_by_the_next_process(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store:
        store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        assert store.get_run("run").id == "run"
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
            other.execute("SELECT count(*) FROM runs").fetchone()

            def work() -> None:
                for step in range(10):
                    log(store, "child", step)
                store.close(deadline_s=1.0)  # type: ignore[call-arg]  # a recorder
                assert not store.health().is_all_stored  # type: ignore[attr-defined]  # as above

            assert status_of(forked(work)) == 0
        log(store, "parent", 0)
        store.finalize("run", "completed")

    sync(sqlite_url)

    assert counts(sqlite_url) == {"child": 10, "parent": 1}


def test_threads_that_open_and_close_stores_do_not_stand_in_the_way(store: Store, sqlite_url: str) -> None:
    is_done = threading.Event()

    def come_and_go() -> None:
        while not is_done.is_set():
            with open_store(sqlite_url, durable=False) as own:
                own.get_run("run")
            with open_reader(sqlite_url) as reader:
                reader.get_run("run")

    threads = [threading.Thread(target=come_and_go) for _ in range(2)]
    for thread in threads:
        thread.start()
    children = []
    for number in range(10):
        time.sleep(0.02)

        def work(number: int = number) -> None:
            log(store, f"child {number}", 0)
            store.close()

        children.append(forked(work))
    found = [status_of(child) for child in children]
    is_done.set()
    for thread in threads:
        thread.join()

    assert found == [0] * 10
    store.close()
    assert counts(sqlite_url) == {"parent": 1, **{f"child {number}": 1 for number in range(10)}}
