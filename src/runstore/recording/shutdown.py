"""The end of a process that did not close its recorders: bounded draining at exit and on SIGTERM.

Neither is needed to keep what was accepted: it belongs to the operating system since the call returned. They bring it
into the database as well, for the case that the machine goes away with the process.
"""

import atexit
import logging
import os
import signal
import threading
from typing import Any, Protocol

_log = logging.getLogger(__name__)


class Drainable(Protocol):
    """What can be drained when the process ends."""

    def drain_at_exit(self) -> None:
        """Drains and closes, within a bound."""
        ...

    def drain_on_signal(self) -> None:
        """Drains within a bound and stays open."""
        ...


_watched: dict[int, Drainable] = {}
_is_set_up = False


def watch(recorder: Drainable) -> None:
    """Drains this recorder when the process ends before :func:`forget` was called for it."""
    global _is_set_up  # noqa: PLW0603 - a process has one exit and one SIGTERM
    _watched[id(recorder)] = recorder
    if not _is_set_up:
        _is_set_up = True
        atexit.register(_drain_all_at_exit)
        _listen_to_sigterm()


def forget(recorder: Drainable) -> None:
    """The recorder was closed."""
    _watched.pop(id(recorder), None)


def _drain_all_at_exit() -> None:
    for recorder in list(_watched.values()):
        try:
            recorder.drain_at_exit()
        except Exception:  # noqa: BLE001 - the process is ending; the next recorder must still be drained
            _log.exception("draining at exit failed; `runstore sync` stores what waits")


def _listen_to_sigterm() -> None:
    """Only where nobody listens yet: a handler that the program sets later replaces ours and loses nothing by it."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_sigterm)


def _on_sigterm(signum: int, frame: Any) -> None:  # noqa: ARG001 - the signature of a handler
    for recorder in list(_watched.values()):
        try:
            recorder.drain_on_signal()
        except Exception:  # noqa: BLE001 - the signal must still end the process
            _log.exception("draining on SIGTERM failed; `runstore sync` stores what waits")
    if signal.getsignal(signum) is _on_sigterm:
        # Ours is the only handler: the process dies of the signal as it would have without us. When another handler
        # has taken ours in (Lightning's does) the end of the process is its business.
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)
