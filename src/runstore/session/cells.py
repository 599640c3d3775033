"""Runs that a notebook's cells began: how the last cell that had to do with a run ended, the run ends.

It ends with the kernel, or before, when the cell is run again that began it: its variable names the new run then, and
nobody else would end the old one.
"""

import sys
import weakref
from typing import Any, Protocol

from runstore.session.telling import interactive_shell


class Endable(Protocol):
    """A run that a cell began."""

    def was_logged_to(self) -> bool:
        """Whether something was logged to it since this was asked last."""
        ...

    def end_by(self, error: BaseException | None) -> None:
        """Ends it as its cell ended."""
        ...


class _Begun:
    """A run that a cell has begun, and how the last cell ended that logged to it.

    Attributes:
        run: the run, unless nobody holds it any more.
        cell: the same each time that the cell is run.
        is_running: whether the cell still runs that began it.
        error: by what the last cell ended, if it did not end well.
    """

    def __init__(self, run: Endable, cell: str) -> None:
        self.run = weakref.ref(run)
        self.cell = cell
        self.is_running = True
        self.error: BaseException | None = None


_begun: list[_Begun] = []
_heard_shells: "weakref.WeakSet[Any]" = weakref.WeakSet()


def end_earlier(depth: int) -> None:
    """Ends the runs that this cell began when it was run before; outside IPython there are none.

    Args:
        depth: how many calls lie between the cell and this function.
    """
    cell = _this_cell(depth + 1)
    for each in list(_begun):
        if cell is not None and each.cell == cell and not each.is_running:
            _begun.remove(each)
            run = each.run()
            if run is not None:
                run.end_by(each.error)


def note(run: Endable, depth: int) -> None:
    """This cell has begun a run."""
    cell = _this_cell(depth + 1)
    if cell is not None:
        _begun[:] = [each for each in _begun if each.run() is not None]
        _begun.append(_Begun(run, cell))
        _hear(interactive_shell())


def error_of(run: Endable) -> BaseException | None:
    """By what the last cell ended that logged to a run, or began it; ``None`` where it ended well, or there is none."""
    return next((each.error for each in _begun if each.run() is run), None)


def _this_cell(depth: int) -> str | None:
    """The cell that runs now: the id that the notebook gives it, else where in its text the run is begun."""
    shell: Any = interactive_shell()
    if shell is None:
        return None
    frame = sys._getframe(depth + 1)  # noqa: SLF001 - the caller's place is what is asked for
    try:
        return str(shell.kernel.get_parent("shell")["metadata"]["cellId"])
    except Exception:  # noqa: BLE001 - not every front end tells
        return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _hear(shell: Any) -> None:
    """Has each cell's end heard."""
    if shell not in _heard_shells:
        _heard_shells.add(shell)
        shell.events.register("post_run_cell", _note_end)


def _note_end(result: Any) -> None:
    error = getattr(result, "error_in_exec", None)
    for each in _begun:
        run = each.run()
        was_logged_to = run is not None and run.was_logged_to()
        if each.is_running or was_logged_to:
            each.is_running = False
            each.error = error if isinstance(error, BaseException) else None
