"""Runs that a notebook's cells began: a cell that is run again ends the run that it began before.

Nobody else would: the cell's variable names the new run, and the old one waits for the kernel to end.
"""

import sys
import weakref
from typing import Any, NamedTuple, Protocol

from runstore.session.telling import interactive_shell


class Endable(Protocol):
    """A run that a cell began."""

    def end_by(self, error: BaseException | None) -> None:
        """Ends it as its cell ended."""
        ...


class _Cell(NamedTuple):
    """A cell, and which time it is run.

    Attributes:
        place: the same each time that the cell is run.
        execution: another each time.
    """

    place: str
    execution: int


class _Begun:
    """A run, and the error by which its cell ended, if it did."""

    def __init__(self, run: Endable, cell: _Cell) -> None:
        self.run = weakref.ref(run)
        self.cell = cell
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
        if cell is not None and each.cell.place == cell.place and each.cell.execution != cell.execution:
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


def _this_cell(depth: int) -> _Cell | None:
    """The cell that runs now, by the id that the notebook gives it, else by where in its text the run is begun."""
    shell: Any = interactive_shell()
    execution = getattr(shell, "execution_count", None)
    if not isinstance(execution, int):
        return None
    frame = sys._getframe(depth + 1)  # noqa: SLF001 - the caller's place is what is asked for
    try:
        parent = shell.kernel.get_parent("shell")
        place = str(parent["metadata"]["cellId"])
    except Exception:  # noqa: BLE001 - not every front end tells
        place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    return _Cell(place, execution)


def _hear(shell: Any) -> None:
    """Has each cell's end heard."""
    if shell in _heard_shells:
        return
    _heard_shells.add(shell)
    shell.events.register("post_run_cell", _note_end)


def _note_end(result: Any) -> None:
    error = getattr(result, "error_in_exec", None)
    execution = getattr(result, "execution_count", None)
    for each in _begun:
        if each.cell.execution == execution and isinstance(error, BaseException):
            each.error = error
