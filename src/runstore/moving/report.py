"""What is told while runs are brought into a store, and afterwards."""

from enum import StrEnum
from typing import Protocol

from msgspec import Struct


class Outcome(StrEnum):
    """What became of a run."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Trouble(Struct, frozen=True, kw_only=True):
    """Something of a run that could not be brought.

    Attributes:
        run_id: the run.
        what: ``run`` for the whole of it, else what of it: ``artifact 'model.pt'``.
        reason: why, and what to do.
        is_minor: whether all that the run has logged is there nevertheless.
    """

    run_id: str
    what: str = "run"
    reason: str
    is_minor: bool = False


class Report(Struct, frozen=True, kw_only=True):
    """What was brought, and what was not.

    Attributes:
        runs: how many runs had each outcome.
        points: how many points were sent; those that were there already are not among them.
        files: how many files were recorded.
        bytes: of those that were kept.
        troubles: what could not be brought; the rest was.
    """

    runs: dict[Outcome, int]
    points: int = 0
    files: int = 0
    bytes: int = 0
    troubles: tuple[Trouble, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether everything was brought, but for what is minor."""
        return all(trouble.is_minor for trouble in self.troubles)


class Progress(Protocol):
    """Who is told how it goes. What is done is told as it is done: a run may take long."""

    def sent(self, *, points: int = 0, files: int = 0, size: int = 0) -> None:
        """Points, or a file of so many bytes, are in the store."""
        ...

    def done(self, run_id: str, outcome: Outcome) -> None:
        """A run is done with."""
        ...

    def failed(self, trouble: Trouble) -> None:
        """Something of a run could not be brought."""
        ...


class Quiet:
    """Tells nobody."""

    def sent(self, *, points: int = 0, files: int = 0, size: int = 0) -> None:
        """Says nothing."""

    def done(self, run_id: str, outcome: Outcome) -> None:
        """Says nothing."""

    def failed(self, trouble: Trouble) -> None:
        """Says nothing."""
