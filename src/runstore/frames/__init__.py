"""Tables of runs and of points, for any library that reads Apache Arrow."""

from runstore.frames.frame import Frame
from runstore.frames.history import history_frame
from runstore.frames.runs import runs_frame

__all__ = ["Frame", "history_frame", "runs_frame"]
