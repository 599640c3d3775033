"""What a contestant can do. One that cannot do a thing is not asked for it in the plan."""

import random
import uuid
from array import array
from collections.abc import Iterable
from typing import Any

from benchmarks.data import Point, RunData

Place = dict[str, str]
"""``url``: the database; ``directory``: a directory of one's own on disk."""


class Contestant:
    """A system on one place. The methods of the workloads it takes part in must be overridden.

    ``is_timed``: whether each point is given a time of its own. Without, systems that may choose take the call's time,
    as when a trainer logs.
    """

    is_timed = False

    def __init__(self, place: Place) -> None:
        self.url = place["url"]
        self.directory = place["directory"]

    def new_run(self, name: str, metrics: list[str]) -> Any:
        """A run, and whatever must be there before its points; the value is passed to the calls below."""
        raise NotImplementedError

    def batch(self, run: Any, points: list[Point]) -> Any:
        """The argument of one call of ``log``, in the system's own types."""
        raise NotImplementedError

    def log(self, run: Any, batch: Any) -> None:
        """One call."""
        raise NotImplementedError

    def flush(self) -> None:
        """Returns when everything logged is stored; nothing to do where ``log`` has seen to that."""

    def count(self, run: Any) -> int:
        """How many points of the run are stored."""
        raise NotImplementedError

    def add_runs(self, runs: list[RunData]) -> None:
        """Stores ended runs."""
        raise NotImplementedError

    def add_copied_runs(self, runs: list[RunData], *, originals: int) -> None:  # noqa: ARG002 - for those it helps
        """Stores runs of which those after the first ``originals`` may be made as copies of these."""
        self.add_runs(runs)

    def search(self, architecture: str, metric: str, limit: int) -> list[str]:
        """The names of the best runs of one architecture by the last value of a metric, best first."""
        raise NotImplementedError

    def list_runs(self, limit: int) -> int:
        """How many config values and metric summaries came with the runs listed."""
        raise NotImplementedError

    def history(self, metric: str) -> tuple[int, int]:
        """The number of points of the series, read into columns, and the last step."""
        raise NotImplementedError

    def sample(self, metric: str, max_points: int) -> tuple[int, int, float, float]:
        """The number of points of the sample, its last step, its least and its greatest value."""
        raise NotImplementedError

    def train(self, steps: int) -> dict[str, float]:
        """Trains with the contestant's logger: the seconds of the steps, by the clock and of the thread's work."""
        raise NotImplementedError

    def is_stored(self, steps: int) -> bool:  # noqa: ARG002 - for those that can tell
        """Whether all that the last training logged is there."""
        return True

    def close(self) -> None:
        """Gives back connections."""


def columns(rows: Iterable[tuple[int, float, int]]) -> tuple[int, int]:
    """Rows of step, value and time as columns, and what ``history`` gives for them."""
    steps, values, times = array("q"), array("d"), array("q")
    for step, value, at_us in rows:
        steps.append(step)
        values.append(value)
        times.append(at_us)
    return len(values), steps[-1]


def new_id() -> str:
    """A run's id as a client makes it."""
    return uuid.UUID(int=random.getrandbits(128), version=4).hex
