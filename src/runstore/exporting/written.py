"""What every form of an export does: takes in runs, and counts them."""

from abc import ABC, abstractmethod
from collections import Counter
from types import TracebackType
from typing import Self

from runstore.model import Run
from runstore.moving import ArrivingFile, ArrivingRun


class Written(ABC):
    """One export, as it is written.

    Attributes:
        runs: how many were written.
        points: how many.
        artifacts: how many are listed.
        left_out: what the form cannot hold, in words, and how often it was met.
    """

    def __init__(self) -> None:
        """Nothing is written yet."""
        self.runs = self.points = self.artifacts = 0
        self.left_out: Counter[str] = Counter()

    def __enter__(self) -> Self:
        """The export itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Writes what waits, if all went well, and closes the files."""
        try:
            if kind is None:
                self.finish()
        finally:
            self.close()

    @property
    @abstractmethod
    def experiments(self) -> int:
        """How many are written, with runs and without."""

    @abstractmethod
    def take_experiment(self, name: str, description: str | None) -> None:
        """Takes in an experiment that has no run here, unless a run of it was written."""

    @abstractmethod
    def write_run(self, arriving: ArrivingRun) -> int:
        """Writes a run, its configuration and its points; gives how many points there were."""

    @abstractmethod
    def write_artifact(self, run: Run, file: ArrivingFile, kept_at: str | None) -> None:
        """Writes the record of a file; where kept bytes lie in the store is nobody's business elsewhere."""

    @abstractmethod
    def finish(self) -> None:
        """Writes what waits."""

    @abstractmethod
    def close(self) -> None:
        """Closes the files."""
