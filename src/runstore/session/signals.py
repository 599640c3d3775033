"""SIGTERM, by which a scheduler ends a program: the runs under way end as interrupted before the process dies of it."""

import logging
import signal
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

from runstore.local.exits import ENDINGS
from runstore.local.processes import PerProcess
from runstore.local.system import at_fork
from runstore.recording import shutdown

_log = logging.getLogger("runstore.session")


class Endable(Protocol):
    """A run that is under way."""

    def end_with_signal(self) -> None:
        """Ends the run, within a bound."""
        ...


_runs: PerProcess[dict[int, Endable]] = PerProcess(dict)
_previous: Final[dict[int, Any]] = {}


def watch(run: Endable) -> None:
    """Ends this run when SIGTERM ends the process. Outside the main thread, which alone can listen, nothing changes.

    A handler that the program has is kept, and is called: whether the process ends is its business then, and what it
    raises ends the runs as any exception does. A program that ignores SIGTERM goes on doing so. A handler that is set
    later replaces this one.
    """
    _runs.get()[id(run)] = run
    if threading.current_thread() is not threading.main_thread():
        return
    for ending in ENDINGS:
        current = signal.getsignal(ending)
        if current is not None and current is not _on_sigterm and current != signal.SIG_IGN:
            _previous[ending] = current
            signal.signal(ending, _on_sigterm)


def forget(run: Endable) -> None:
    """The run has ended; after the last one the handler is as it was before the first."""
    runs = _runs.get()
    runs.pop(id(run), None)
    if runs or threading.current_thread() is not threading.main_thread():
        return
    for ending in ENDINGS:
        if signal.getsignal(ending) is _on_sigterm:
            signal.signal(ending, _previous[ending])


def _on_sigterm(signum: int, frame: Any) -> None:
    previous: Callable[[int, Any], Any] | int = _previous[signum]
    is_last = (
        signal.getsignal(signum) is _on_sigterm
    )  # else a later handler has taken this one in, and goes on after it
    if callable(previous) and not (is_last and shutdown.is_listener(previous)):
        previous(signum, frame)
    elif is_last:
        shutdown.die_of_sigterm(_end_runs)


def _end_runs() -> None:
    for run in list((_runs.found() or {}).values()):
        try:
            run.end_with_signal()
        except Exception:  # noqa: BLE001 - the process must still end
            _log.exception("a run could not be ended on SIGTERM; it will show as lost")


def _forget_parent() -> None:
    """In a forked child: it ends none of its parent's runs, and dies of SIGTERM as it would have without us."""
    for ending in ENDINGS:
        if signal.getsignal(ending) is _on_sigterm:
            previous = _previous[ending]
            signal.signal(ending, signal.SIG_DFL if shutdown.is_listener(previous) else previous)


at_fork(after_in_child=_forget_parent)
