"""State that belongs to one process: made once in each, and never another process's."""

import os
import threading
import time
import weakref
from collections.abc import Callable

from runstore.local.processes import PerProcess


def in_child(work: Callable[[], bool]) -> bool:
    """What this says in a forked child, which ends without cleaning up."""
    pid = os.fork()
    if pid == 0:
        said = False
        try:
            said = work()
        finally:
            os._exit(0 if said else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_process_makes_its_value_once_at_the_first_use() -> None:
    made: list[int] = []

    def make() -> list[int]:
        made.append(1)
        return made

    own = PerProcess(make)
    before = own.found()

    assert before is None
    assert own.get() is own.get()
    assert own.found() is own.get()
    assert made == [1]


def test_threads_that_come_at_once_get_one_value() -> None:
    meeting = threading.Barrier(8)
    made: list[object] = []
    got: list[object] = []

    def make() -> object:
        time.sleep(0)
        made.append(object())
        return made[-1]

    own = PerProcess(make)

    def ask() -> None:
        meeting.wait()
        got.append(own.get())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1
    assert got == made * 8


def test_a_child_makes_a_value_of_its_own_and_the_parent_keeps_its() -> None:
    own = PerProcess(lambda: [os.getpid()])
    parents = own.get()

    assert in_child(lambda: own.found() is None and own.get() == [os.getpid()] and own.get() is not parents)
    assert own.get() is parents


def test_a_child_never_collects_what_its_parent_made() -> None:
    class Connection:
        pass

    own = PerProcess(Connection)
    seen = weakref.ref(own.get())

    def drops() -> bool:
        own.get()
        own.take()
        return seen() is not None

    assert in_child(drops)


def test_a_grandchild_is_another_process_too() -> None:
    own = PerProcess(os.getpid)
    own.get()

    assert in_child(lambda: own.get() == os.getpid() and in_child(lambda: own.get() == os.getpid()))


def test_what_was_taken_is_made_anew() -> None:
    own = PerProcess(object)
    first = own.get()

    assert own.take() is first
    assert own.take() is None
    assert own.get() is not first


def test_a_thread_that_is_making_the_value_at_the_fork_holds_no_child_up() -> None:
    entered, may_end = threading.Event(), threading.Event()

    def make() -> int:
        if threading.current_thread() is not threading.main_thread():
            entered.set()
            may_end.wait()
        return os.getpid()

    own = PerProcess(make)
    thread = threading.Thread(target=own.get)
    thread.start()
    entered.wait()
    try:
        assert in_child(lambda: own.get() == os.getpid())
    finally:
        may_end.set()
        thread.join()


def test_a_value_may_be_asked_for_while_it_is_made() -> None:
    """As by a signal handler that comes in the middle of it."""
    calls: list[str] = []

    def make() -> str:
        calls.append("call")
        return own.get() if len(calls) == 1 else "inner"

    own = PerProcess(make)

    assert own.get() == "inner"
    assert own.get() == "inner"
    assert len(calls) == 2
