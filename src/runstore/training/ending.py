"""The end of runs that no trainer ends: of Fabric, of a bare loop, of a trainer that could not say how it ended.

Lightning tells a logger of its end in a ``Trainer`` only. A run that this process began and nobody ended is ended when
the process ends, as that ended: by an exception, or well.
"""

import atexit
import logging
import multiprocessing
import multiprocessing.util
import os
import signal
import sys
import threading
import weakref
from types import FrameType
from typing import Any, Protocol

from runstore.local.exits import keep_ctrl_c
from runstore.local.processes import PerProcess
from runstore.training.session import RunSession
from runstore.training.system import SystemMetrics

_log = logging.getLogger(__name__)


class Endable(Protocol):
    """A run that waits for its end."""

    def end_with_process(self, error: BaseException | None) -> None:
        """Ends the run by what ended the process, if anything did."""
        ...


_waiting: PerProcess[dict[int, Endable]] = PerProcess(dict)
"""The runs that wait for their end. A forked child ends none of its parent's."""


def expect_end(run: Endable) -> None:
    """Ends this run with the process unless :func:`note_end` is called for it before.

    To be called when the store is open: what was registered last is called first at exit, and the store must be open.
    """
    _waiting.get()[id(run)] = run
    _exit.get().come_first()


def note_end(run: Endable) -> None:
    """The run has ended, or its end is another one's business."""
    _waiting.get().pop(id(run), None)


def close_when_dropped(owner: Any, session: RunSession) -> None:
    """Closes the session's store once its owner is gone, so that a program that makes many loggers keeps no threads.

    A thread of its own does it: the last reference may fall anywhere, inside the store's own code as well.
    """
    watch = weakref.finalize(owner, _close_in_background, session, os.getpid())
    watch.atexit = False


def stop_when_dropped(owner: Any, system: SystemMetrics, session: RunSession) -> None:
    """Stops the readings of the machine once their owner is gone; the last one may have opened the store again."""
    watch = weakref.finalize(owner, _stop_in_background, system, session, os.getpid())
    watch.atexit = False


def _close_in_background(session: RunSession, pid: int) -> None:
    if os.getpid() == pid and session.is_open:
        threading.Thread(target=session.close, name="runstore-close", daemon=True).start()


def _stop_in_background(system: SystemMetrics, session: RunSession, pid: int) -> None:
    if os.getpid() == pid and system.is_running:
        threading.Thread(target=_stop, args=(system, session), name="runstore-close", daemon=True).start()


def _stop(system: SystemMetrics, session: RunSession) -> None:
    system.stop()
    session.close()


class _Exit:
    """The exit of this process, at which the runs that wait are ended."""

    def __init__(self) -> None:
        self._was_interrupted = False
        self._is_child = multiprocessing.parent_process() is not None
        if not self._is_child:
            return
        # A forked child skips ``atexit``, and a spawned one comes to it without the exception that has ended it.
        multiprocessing.util.Finalize(None, self._end_all, exitpriority=0)
        # torch's children let no Ctrl-C through: their functions seem to return.
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)

    def come_first(self) -> None:
        """Is called at exit before whatever was registered up to now, such as the closing of stores."""
        if not self._is_child:
            atexit.unregister(self._end_all)
            atexit.register(self._end_all)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._was_interrupted = True
        signal.default_int_handler(number, frame)

    def _end_all(self) -> None:
        error = self._error()
        for run in (_waiting.take() or {}).values():
            try:
                run.end_with_process(error)
            except Exception:  # noqa: BLE001 - the process is ending; the next run must still be ended
                _log.exception("a run could not be ended with its process; it will show as lost")
        keep_ctrl_c()

    def _error(self) -> BaseException | None:
        """What the interpreter has just printed; in a child of a process, what has just left its function."""
        error = sys.exc_info()[1]
        if isinstance(error, SystemExit) and isinstance(error.__context__, Exception):
            return error.__context__  # torch's children write down what was raised, and exit with 1
        error = error or getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
        return KeyboardInterrupt() if error is None and self._was_interrupted else error


_exit: PerProcess[_Exit] = PerProcess(_Exit)
