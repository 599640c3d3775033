"""What becomes of the runs that a handle began when the handle is left: they end by what happened, or are handed back.

Every store's handle keeps a :class:`BegunRuns` (clause FIN.7); :class:`runstore.backend.Store` sees to it.
"""

import atexit
import logging
import signal
import sys
import weakref
from collections.abc import Sequence
from typing import Final, Protocol

from runstore.errors import RunFinalizedError, RunNotFoundError, StoreClosedError, StoreUnavailableError
from runstore.local.exits import keep_ctrl_c
from runstore.local.processes import PerProcess
from runstore.model import RunStatus
from runstore.protocol import RunReader, RunStore

_log = logging.getLogger(__name__)

HANDED_BACK_S: Final = 600.0
"""How long a run that was left well and not ended counts as alive: time for another process to go on with it."""

MOST_HANDED_BACK: Final = 100
"""Each costs a call; who begins more runs than this and ends none of them waits for the lease of a day."""

_POLITE_EXITS: Final = frozenset({None, 0, 128 + signal.SIGINT, 128 + signal.SIGTERM})
"""Codes of ``SystemExit`` by which a program says that it was told to stop, not that it went wrong."""

PRUNED: Final = "optuna.exceptions.TrialPruned"
"""How a sweep says that a training is not worth going on with. Nothing went wrong, and no traceback tells more."""


def ending_of(error: BaseException | None) -> RunStatus:
    """The status of a run whose training ended by ``error``, or without one.

    Ctrl-C and an exit that follows SIGINT or SIGTERM are ``interrupted``: ``KeyboardInterrupt``, and ``SystemExit``
    (Lightning's ``SIGTERMException`` is one) with no code, 0, 130 or 143. So is a trial that Optuna prunes. Everything
    else is ``failed``.
    """
    if error is None:
        return RunStatus.COMPLETED
    if isinstance(error, KeyboardInterrupt) or (isinstance(error, SystemExit) and error.code in _POLITE_EXITS):
        return RunStatus.INTERRUPTED
    return RunStatus.INTERRUPTED if is_pruned(error) else RunStatus.FAILED


def is_pruned(error: object) -> bool:
    """Whether an error is Optuna's, which is known by its name: a program that does not use it need not load it."""
    return any(f"{kind.__module__}.{kind.__qualname__}" == PRUNED for kind in type(error).__mro__)


class Handle(RunStore, RunReader, Protocol):
    """An open store, bare or recorded: what is left."""

    def heartbeat(self, run_id: str, *, lease_s: float) -> None:
        """Marks a run as alive."""
        ...


class BegunRuns:
    """The runs that one handle has created or reopened, and not ended since. Any thread may use it.

    It belongs to the process that made it: a forked child ends nothing of its parent's.
    """

    def __init__(self) -> None:
        self._runs: PerProcess[dict[str, None]] = PerProcess(dict)

    def add(self, run_id: str) -> None:
        """The handle has created this run, or was asked to resume it."""
        self._runs.get()[run_id] = None

    def discard(self, run_id: str) -> None:
        """The handle has ended this run."""
        self._runs.get().pop(run_id, None)

    def leave(self, store: Handle, error: BaseException | None) -> None:
        """Ends the runs by what left the handle's block; where that was no error, hands them back.

        Nothing is raised: what left the block is what the caller must hear of. Doing it twice is doing it once.

        Args:
            store: the handle, still open.
            error: what left the block, if anything.
        """
        runs, cause = self.take(), cause_of(error)
        if cause is None:
            hand_back(store, runs)
        else:
            _end(store, runs, cause)

    def take(self) -> list[str]:
        """Gives the runs and forgets them; whoever calls it sees to them."""
        return list(self._runs.take() or ())


_held: list["weakref.ref[Handle]"] = []


def leave_at_exit(store: Handle) -> None:
    """Leaves a bare store as its block would be left, when the process ends and the program still holds it."""
    if not _held:
        atexit.register(_leave_all)
    _held[:] = [reference for reference in _held if reference() is not None]
    _held.append(weakref.ref(store))


def _leave_all() -> None:
    error = unhandled()
    for store in filter(None, (reference() for reference in _held)):
        try:
            store.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
        except Exception:  # noqa: BLE001 - the process is ending; the next store must still be left
            _log.exception("a store could not be left when the process ended")
    keep_ctrl_c()


def unhandled() -> BaseException | None:
    """The exception that ends this process, if nobody caught one; a person at a prompt goes on after it."""
    if hasattr(sys, "ps1") or sys.flags.interactive:
        return None
    error: BaseException | None = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return error


def cause_of(error: BaseException | None) -> BaseException | None:
    """What ended the runs of a block that was left; a generator that nobody asks any more ended nothing."""
    return None if isinstance(error, GeneratorExit) else error


def _end(store: Handle, runs: list[str], error: BaseException) -> None:
    status = ending_of(error)
    for run_id in runs:
        try:
            store.finalize(run_id, status, error=error)
        except RunFinalizedError:
            continue  # through another handle
        except StoreClosedError:
            return  # by the program, which left its runs as they are
        except Exception as failure:  # noqa: BLE001 - what left the block must not be hidden by a store's error
            _log.warning("run %s could not be ended as %s: %s; it will be shown as lost", run_id, status, failure)
            if isinstance(failure, StoreUnavailableError):
                return  # each further call would wait as long


def hand_back(store: Handle, runs: Sequence[str]) -> None:
    """Gives unfinished runs a short lease, in which another process may go on with them, and says so."""
    open_runs = []
    for run_id in runs[-MOST_HANDED_BACK:]:
        try:
            if store.get_run(run_id).status.is_final:
                continue  # through another handle
            store.heartbeat(run_id, lease_s=HANDED_BACK_S)
        except RunNotFoundError:
            continue
        except Exception as failure:  # noqa: BLE001 - the block was left well
            _log.debug("run %s could not be handed back: %s", run_id, failure)
            return
        open_runs.append(run_id)
    say_unfinished(open_runs, HANDED_BACK_S)


def say_unfinished(runs: Sequence[str], lease_s: float) -> None:
    """Says that runs were left without an end, and how they will be shown."""
    if runs:
        others = f" and {len(runs) - 1} more" if len(runs) > 1 else ""
        _log.warning(
            "begun here and not ended: run %s%s; what nobody goes on with is shown as lost in %.0f s; "
            "store.finalize(run_id, 'completed') ends a run",
            runs[0], others, lease_s,
        )  # fmt: skip
