"""What became of a writer's records, counted while it works."""

from collections.abc import Sequence

from runstore.health import Counts, RunHealth, SentAgain
from runstore.model import from_microseconds

_MOST_LOST = 20
"""Things that are named in a report."""


class RunCounts:
    """The running counts of one run.

    The recorder adds to ``calls``, ``points`` and ``dropped_*``; the drainer to the rest, among them ``refused_*``:
    what the store refused while its caller still waited and could be told, so that it counts as never accepted, like
    what was lost.
    """

    __slots__ = (
        "calls",
        "dropped_calls",
        "dropped_points",
        "points",
        "quarantined_calls",
        "quarantined_points",
        "refused_calls",
        "refused_points",
        "sent_again",
        "stored_calls",
        "stored_points",
    )

    def __init__(self) -> None:
        """Begins at zero."""
        self.calls = self.points = 0
        self.stored_calls = self.stored_points = 0
        self.quarantined_calls = self.quarantined_points = 0
        self.dropped_calls = self.dropped_points = 0
        self.refused_calls = self.refused_points = 0
        self.sent_again: SentAgain | None = None

    def drained(self) -> list[int]:
        """What a cursor keeps, so that the figures outlive the writer."""
        return [self.stored_calls, self.stored_points, self.quarantined_calls, self.quarantined_points]

    def restore(self, drained: list[int]) -> None:
        """Begins where a cursor stands; what was drained had been accepted."""
        self.stored_calls, self.stored_points, self.quarantined_calls, self.quarantined_points = drained
        self.calls = self.stored_calls + self.quarantined_calls
        self.points = self.stored_points + self.quarantined_points

    def lose(self, points: int) -> None:
        """A call that had been accepted is lost."""
        self.refused_calls += 1
        self.refused_points += points
        self.dropped_calls += 1
        self.dropped_points += points

    def note_sent_again(self, at_us: int, *, missing: int, points: int, calls: int, lost: Sequence[str] = ()) -> None:
        """The store had gone back: so many points were missing, so much was sent again, and this could not be."""
        before = self.sent_again or SentAgain(at=from_microseconds(at_us))
        self.sent_again = SentAgain(
            at=from_microseconds(at_us),
            points_missing=before.points_missing + missing,
            points=before.points + points,
            calls=before.calls + calls,
            lost=tuple(dict.fromkeys((*before.lost, *lost)))[:_MOST_LOST],
        )

    @property
    def accepted_calls(self) -> int:
        """How many calls were accepted.

        Ctrl-C may strike between the journal and the count: what was drained had been accepted all the same.
        """
        return max(self.calls - self.refused_calls, self.stored_calls + self.quarantined_calls)

    @property
    def waiting_calls(self) -> int:
        """How many calls were accepted, and are neither stored nor quarantined yet."""
        return self.accepted_calls - self.stored_calls - self.quarantined_calls

    def health(self, run_id: str) -> RunHealth:
        """The counts as a value."""
        return RunHealth(
            run_id=run_id,
            calls=Counts(
                accepted=self.accepted_calls,
                stored=self.stored_calls,
                quarantined=self.quarantined_calls,
                dropped=self.dropped_calls,
            ),
            points=Counts(
                accepted=max(self.points - self.refused_points, self.stored_points + self.quarantined_points),
                stored=self.stored_points,
                quarantined=self.quarantined_points,
                dropped=self.dropped_points,
            ),
            sent_again=self.sent_again,
        )


class WriterCounts:
    """The counts of all runs of one writer, and the records that could not be stored."""

    def __init__(self) -> None:
        """Begins empty."""
        self.runs: dict[str, RunCounts] = {}
        self.quarantined = 0
        self.damaged_bytes = 0

    def of(self, run_id: str) -> RunCounts:
        """The counts of a run, begun if need be."""
        return self.runs.setdefault(run_id, RunCounts())
