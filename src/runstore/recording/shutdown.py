"""The end of a process that did not close its recorders: bounded draining at exit and on SIGTERM.

Neither is needed to keep what was accepted: it belongs to the operating system since the call returned. They bring it
into the database as well, for the case that the machine goes away with the process.
"""

import atexit
import logging
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, Final, Protocol

from runstore.local.exits import ENDINGS, keep_ctrl_c
from runstore.local.system import at_fork

_log = logging.getLogger(__name__)


class Drainable(Protocol):
    """What can be drained when the process ends."""

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing to drain any more."""
        ...

    def drain_at_exit(self, *, is_hurried: bool) -> None:
        """Drains and closes, within a bound; hurried, without a wait."""
        ...

    def drain_on_signal(self, *, is_end: bool) -> None:
        """Drains within a bound and stays open; where the process dies of the signal, its runs end by that."""
        ...


_watched: dict[int, weakref.ref[Drainable]] = {}
_dropped: list[Drainable] = []
_is_at_exit = False
_listens = False

_STANDSTILL_S: Final = 1.0
"""How long the program stands still while its runs end."""

_LONGEST_S: Final = 20.0
"""How long that may take in all. A recorder keeps to half of it; a bare store may wait for its database."""
_forking = threading.local()


def watch(recorder: Drainable) -> None:
    """Drains this recorder when the process ends before :func:`forget` was called for it; it may be dropped until then."""
    global _is_at_exit, _listens  # noqa: PLW0603 - a process has one exit and one SIGTERM
    _watched[id(recorder)] = weakref.ref(recorder)
    if not _is_at_exit:
        _is_at_exit = True
        atexit.register(_drain_all_at_exit)
        at_fork(before=_hold_sigterm, after_in_parent=_let_sigterm_in, after_in_child=_let_sigterm_in)
    if not _listens:
        _listens = _listen_to_sigterm()


def forget(recorder: Drainable) -> None:
    """The recorder was closed."""
    _watched.pop(id(recorder), None)


def keep(dropped: Drainable) -> None:
    """Drains what a recorder that nobody holds any more left under way, when the process ends before that is done."""
    _dropped[:] = [each for each in _dropped if not each.has_ended]
    _dropped.append(dropped)


def forget_parent() -> list[Drainable]:
    """In a forked child: what is under way is the parent's. Gives it, to be kept from being collected.

    The child has nothing to drain until it opens a store, and dies of SIGTERM as it would have without us: a handler
    written in Python waits for the interpreter, and a worker that is blocked in a lock may never come back to it.
    """
    global _listens  # noqa: PLW0603 - as above
    _listens = False
    for ending in ENDINGS:
        if signal.getsignal(ending) is _on_sigterm:
            signal.signal(ending, signal.SIG_DFL)
    under_way = list(_dropped)
    _dropped.clear()
    _watched.clear()
    return under_way


def _all() -> list[Drainable]:
    alive = [reference() for reference in list(_watched.values())]
    return [*(each for each in alive if each is not None), *_dropped]


def _drain_all_at_exit() -> None:
    is_interrupted = False
    for recorder in _all():
        try:
            recorder.drain_at_exit(is_hurried=is_interrupted)
        except KeyboardInterrupt:  # that one has told what it leaves, and the others follow without a wait
            is_interrupted = True
        except Exception:  # noqa: BLE001 - the process is ending; the next recorder must still be drained
            _log.exception("draining at exit failed; `runstore sync` stores what waits")
    keep_ctrl_c()


def _listen_to_sigterm() -> bool:
    """Only where nobody listens yet: a handler that the program sets later replaces ours and loses nothing by it.

    Returns:
        Whether that is settled: Python lets the main thread alone listen, which may open a store later.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    for ending in ENDINGS:
        if signal.getsignal(ending) is signal.SIG_DFL:
            signal.signal(ending, _on_sigterm)
    return True


def is_listener(handler: object) -> bool:
    """Whether this is the handler that drains on SIGTERM, after which the process dies of it."""
    return handler is _on_sigterm


def die_of_sigterm(end_runs: Callable[[], None] = lambda: None) -> None:
    """Ends the runs, drains within a bound, and has the process die of SIGTERM, as it would have without a handler.

    Called in a handler. The code that the signal interrupted may hold a lock that draining needs: a thread does it, and
    after a moment's standstill the interrupted code goes on until that thread ends the process.

    Args:
        end_runs: what else is done first.
    """
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_DFL)  # whoever sends it again wants the end at once
    dying = threading.Thread(target=_die, args=(end_runs,), name="runstore-sigterm", daemon=True)
    try:
        dying.start()
    except RuntimeError:  # the interpreter is on its way out, and starts no thread any more
        _end_and_drain(end_runs)
        os.kill(os.getpid(), signal.SIGTERM)
        return
    atexit.register(dying.join)  # a program that ends meanwhile dies of the signal all the same
    dying.join(_STANDSTILL_S)


def _die(end_runs: Callable[[], None]) -> None:
    ending = threading.Thread(target=_end_and_drain, args=(end_runs,), name="runstore-end", daemon=True)
    ending.start()
    ending.join(_LONGEST_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _end_and_drain(end_runs: Callable[[], None]) -> None:
    end_runs()
    _drain_on_signal(is_end=True)


def _drain_on_signal(*, is_end: bool) -> None:
    for recorder in _all():
        try:
            recorder.drain_on_signal(is_end=is_end)
        except Exception:  # noqa: BLE001 - the signal must still end the process
            _log.exception("draining on SIGTERM failed; `runstore sync` stores what waits")


def _hold_sigterm() -> None:
    """Around a fork SIGTERM waits, so that it finds a child without our handler.

    The interpreter of a new child forgets what reached it before. A pool that ends its workers at once would then wait
    for one of them for ever; a process without a handler is ended by the system, whenever the signal comes.
    """
    if sys.platform != "win32":
        _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _let_sigterm_in() -> None:
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)


def _on_sigterm(signum: int, frame: Any) -> None:  # noqa: ARG001 - the signature of a handler
    if signal.getsignal(signum) is _on_sigterm:
        die_of_sigterm()
        return
    # Another handler has taken ours in, as Lightning's does: the end of the process is its business.
    _drain_on_signal(is_end=False)
