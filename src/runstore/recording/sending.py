"""How many points go to the store at once: as many as it takes."""

import logging

from runstore.backend import BackendStore
from runstore.recording.judge import FailureJudge
from runstore.recording.told import Told
from runstore.secrets import redact
from runstore.series import Points, SeriesColumns

_log = logging.getLogger(__name__)

BATCH_POINTS = 100_000
"""Points sent in one call at most, unless a single accepted call carried more: it stays whole while the store takes it.

So many that ten calls of 10,000 series each go together: what a call costs for each series it then costs once.
"""

PASSES = 50
"""Calls of a size that pass before twice as much is tried."""


class Sending:
    """Sends one journal's points; used by its drain alone.

    A server may cut off a call that is too large for it or takes too long, and then looks as if it were away. Fewer points
    at once go through. A reader then sees a part of a call for a moment; if the call stayed whole, he would never see it.

    Attributes:
        most_points: sent in one call.
        efforts: goes up when a part of a call went through, or less is to be sent.
    """

    def __init__(self, blame: FailureJudge, told: Told | None = None) -> None:
        """Sends as much as there is; ``told`` notes what the store took."""
        self.most_points = BATCH_POINTS
        self.efforts = 0
        self._judge = blame
        self._passed = 0
        self._told = told

    def send(self, store: BackendStore, run_id: str, points: Points) -> None:
        """One call; where the store took no call of this size, several. Raises what the store raises."""
        count = len(points.values)
        size = self.most_points if self.most_points < BATCH_POINTS else count
        if count <= size:
            self._append(store, run_id, points.by_series())
            return
        for start in range(0, count, size):
            self._append(store, run_id, points.part(start, start + size).by_series())
            self.efforts += 1

    def _append(self, store: BackendStore, run_id: str, series: SeriesColumns) -> None:
        store.append(run_id, series)
        if self._told is not None:
            self._told.note_points(run_id, series)

    def sends_less(self, error: Exception, store: BackendStore, *, position: int, run_id: str, points: int) -> bool:
        """Whether fewer points are to be sent at once, after so many of the record at a position failed."""
        size = min(points, self.most_points)
        if size <= 1 or not self._judge.is_too_large(error, store, position, run_id):
            return False
        if self.most_points == BATCH_POINTS:
            _log.warning(
                "the database does not take %d points of run %s at once (%s), though it takes other writes; they are sent "
                "in smaller parts", points, run_id, redact(str(error)),
            )  # fmt: skip
        self.most_points = size // 2
        self._passed = 0
        self.efforts += 1
        return True

    def note_success(self) -> None:
        """After some calls that pass more is sent at once again: what was too slow may have been so for a while."""
        if self.most_points < BATCH_POINTS:
            self._passed += 1
            if self._passed >= PASSES:
                self._passed = 0
                self.most_points = min(2 * self.most_points, BATCH_POINTS)
