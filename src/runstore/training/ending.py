"""The end of runs that no trainer ends: of Fabric, of a bare loop, of a trainer that could not say how it ended.

Lightning tells a logger of its end in a ``Trainer`` only. A run that this process began and nobody ended is ended when
the process ends, as that ended: by an exception, or well.
"""

import atexit
import logging
import os
import sys
import threading
import weakref
from typing import Any, Protocol

from runstore.local.processes import PerProcess
from runstore.training.session import RunSession

_log = logging.getLogger(__name__)


class Endable(Protocol):
    """A run that waits for its end."""

    def end_with_process(self, error: BaseException | None) -> None:
        """Ends the run by what ended the process, if anything did."""
        ...


_waiting: PerProcess[dict[int, Endable]] = PerProcess(dict)
"""The runs that wait for their end. A forked child ends none of its parent's."""

_is_registered = False


def expect_end(run: Endable) -> None:
    """Ends this run with the process unless :func:`note_end` is called for it before.

    To be called when the store is open: what was registered last is called first at exit, and the store must be open.
    """
    global _is_registered  # noqa: PLW0603 - a process has one exit
    _waiting.get()[id(run)] = run
    if not _is_registered:
        _is_registered = True
        atexit.register(_end_all)


def note_end(run: Endable) -> None:
    """The run has ended, or its end is another one's business."""
    _waiting.get().pop(id(run), None)


def close_when_dropped(owner: Any, session: RunSession) -> None:
    """Closes the session's store once its owner is gone, so that a program that makes many loggers keeps no threads.

    A thread of its own does it: the last reference may fall anywhere, inside the store's own code as well.
    """
    watch = weakref.finalize(owner, _close_in_background, session, os.getpid())
    watch.atexit = False


def _close_in_background(session: RunSession, pid: int) -> None:
    if os.getpid() == pid and session.is_open:
        threading.Thread(target=session.close, name="runstore-close", daemon=True).start()


def _end_all() -> None:
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)  # what the interpreter has just printed
    for run in (_waiting.take() or {}).values():
        try:
            run.end_with_process(error)
        except Exception:  # noqa: BLE001 - the process is ending; the next run must still be ended
            _log.exception("a run could not be ended with its process; it will show as lost")
