"""Processes that a strategy launches (``ddp_spawn``, ``ddp_fork``), and who tells of their failures.

When one of them fails, the others fail next, of the connection that broke, and each may be the first to say so. The
process that launched them knows which one was first, so it tells of the failure. A good end they tell themselves.
"""

import pickle
import re
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from runstore.model import Run, RunFailure, RunStatus
from runstore.training.session import ending_of

_HEAD: Final = "Traceback (most recent call last):\n"
_RAISED: Final = re.compile(r"^([^\W\d][\w.]*)(?:: (.*))?\Z", re.DOTALL)

_BROKEN: Final = ("/gloo/", "torch.distributed.Dist", "NCCL")
"""What a process raises that heard of another's end: gloo's ``RuntimeError``, ``DistBackendError`` and its like."""


def left_a_launched_function(error: BaseException | None) -> bool:
    """Whether an exception has gone through torch's launcher, which hands its text to the launching process.

    It may also have come up in there: the launcher sends SIGTERM while a process writes down its own failure, and
    Lightning's handler then fails as well, of the same broken connection.
    """
    trace: TracebackType | None = None if error is None else error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_name == "_wrap" and frame.f_globals.get("__name__") == "torch.multiprocessing.spawn":
            return True
        trace = trace.tb_next
    return False


def failure_of(error: BaseException | None) -> BaseException | RunFailure | None:
    """What a launched process raised first, where its launcher has caught this and it tells; else the exception itself."""
    trace = None if error is None or type(error).__name__ != "ProcessRaisedException" else _first_trace(error)
    if trace is None:
        return error
    lines = trace.rpartition(_HEAD)[2].rstrip("\n").split("\n")
    while lines and lines[0].startswith("  "):  # places in the code
        del lines[0]
    raised = _RAISED.match("\n".join(lines))
    if raised is None:  # a group of exceptions, for instance
        return error
    return RunFailure(type=raised[1], message=raised[2] or "", traceback=trace)


def _first_trace(error: BaseException) -> str | None:
    """The text of the traceback that was written first.

    Torch hands on that of the process whose end it saw first. Where several end at nearly the same time, that may be one
    which only heard of another's end. Each process has written its own to a file before it ended. A trainer closes its
    connections before that, so one that tells of a connection comes after one that tells of anything else.
    """
    traces: list[tuple[bool, int, str]] = []
    for place in _error_files(error):
        with suppress(
            OSError, ValueError, EOFError, pickle.UnpicklingError
        ):  # not each has failed, and some were killed
            path = Path(place)
            trace = str(pickle.loads(path.read_bytes()))  # noqa: S301 - as torch does
            raised = trace.rpartition(_HEAD)[2]
            traces.append((any(word in raised for word in _BROKEN), path.stat().st_mtime_ns, trace))
    told = min(traces)[2] if traces else str(error)
    _, head, rest = told.partition(_HEAD)
    return head + rest if head else None


def _error_files(error: BaseException) -> list[str]:
    """Where torch's processes write what they raise: the launcher knows it, which raised this."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    launcher = None if trace is None else trace.tb_frame.f_locals.get("self")
    return list(getattr(launcher, "error_files", None) or ())


def tells_the_end(run: Run, error: BaseException | None) -> bool:
    """Whether a launched process has ended the run as its launcher would: that end stands, and no attempt is opened."""
    return run.status is ending_of(error) and run.status is not RunStatus.COMPLETED


def is_under_way(run: Run | None) -> bool:
    """Whether a run is there, and nobody has ended it."""
    return run is not None and not run.status.is_final
