"""What a process must let go of before it forks, so that its child inherits none of it.

A child gets a copy of every table in memory. SQLite's table of file locks says which locks the process holds; the
operating system gives the child none of them. A child that goes by its parent's table reads and writes without a lock:
acknowledged points are lost, and the file is damaged. No call can clear that table, so nothing may stand in it at the
moment of the fork: calls that run are waited for, new ones wait, and idle connections are closed. Parent and child
connect again when they need to.
"""

import logging
import threading
import weakref
from threading import get_ident
from typing import Final, Protocol

from runstore.local.system import at_fork

_log = logging.getLogger(__name__)

_WAIT_S: Final = 30.0
"""How long a fork waits for calls of other threads. One that takes longer is inherited, and the child is refused."""


class Resting(Protocol):
    """What holds something that a child must not inherit."""

    def rest(self) -> None:
        """Lets go of it; it is made anew at the next use."""
        ...


class Turnstile:
    """Counts the calls that are under way, and holds new ones back while a fork is near. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # reentrant: a signal handler may interrupt any of this
        self._changed = threading.Condition(self._lock)
        self._inside: dict[int, int] = {}
        self._forks = 0

    def enter(self) -> None:
        """Begins a call. It may hold other calls, for which their thread need not wait again."""
        me = get_ident()
        depth = self._inside.get(me, 0)
        # Noted first and then looked: either this thread sees the fork, or the fork sees this thread. No lock, which
        # would cost a call of one point as much as the rest of the turnstile.
        self._inside[me] = depth + 1
        if self._forks and not depth:
            self._wait(me)

    def _wait(self, me: int) -> None:
        with self._lock:
            del self._inside[me]
            self._changed.notify_all()
            while self._forks:
                self._changed.wait()
            self._inside[me] = 1

    def leave(self) -> None:
        """Ends a call."""
        me = get_ident()
        depth = self._inside[me] - 1
        if depth:
            self._inside[me] = depth
            return
        del self._inside[me]
        if self._forks:
            with self._lock:
                self._changed.notify_all()

    def hold(self, timeout_s: float) -> bool:
        """Waits for the calls of other threads and lets none in until :meth:`release`; whether all of them ended."""
        me = get_ident()
        self._lock.acquire()  # kept until the fork is over, so that nobody is half-way in
        self._forks += 1
        return self._changed.wait_for(lambda: all(each == me for each in list(self._inside)), timeout_s)

    def release(self) -> None:
        """Lets calls in again."""
        self._forks -= 1
        self._changed.notify_all()
        self._lock.release()

    def release_in_child(self) -> None:
        """As :meth:`release`, in a process that has no thread but this one."""
        me = get_ident()
        self._forks = 0
        self._inside = {me: self._inside[me]} if me in self._inside else {}
        self._changed = threading.Condition(self._lock)
        self._lock.release()


_turnstile: Final = Turnstile()
_resting: Final[dict[int, "weakref.ref[Resting]"]] = {}  # a dictionary is copied in one go, whatever threads do to it
"""Process-wide, as a fork is."""

enter: Final = _turnstile.enter
leave: Final = _turnstile.leave


def rest_before_forks(holder: Resting) -> None:
    """Has ``holder.rest()`` called before each fork from now on, while no call of another thread is under way."""
    number = id(holder)
    _resting[number] = weakref.ref(holder, lambda _: _resting.pop(number, None))


def _before() -> None:
    if not _turnstile.hold(_WAIT_S):
        _log.warning(
            "this process forks while another thread has been using a database file for %d s: the child cannot use "
            "that file",
            _WAIT_S,
        )
    for reference in list(_resting.values()):
        holder = reference()
        try:
            if holder is not None:
                holder.rest()
        except Exception:  # noqa: BLE001 - the fork comes all the same; what is still open is refused to the child
            _log.exception("a database file could not be closed before a fork")


at_fork(before=_before, after_in_parent=_turnstile.release, after_in_child=_turnstile.release_in_child)
