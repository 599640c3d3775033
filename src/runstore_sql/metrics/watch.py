"""When a series has a pack to fill."""

from collections.abc import Iterable
from typing import Final

from runstore.series import Columns, Series, span_bits
from runstore_sql.metrics import rollups
from runstore_sql.metrics.rollup_tables import SeriesState

_NEVER: Final = 1 << 63
_MOST_SERIES: Final = 50_000
"""How many series are known; beyond it all are forgotten, for most of them are those of runs that have ended."""


class Watch:
    """What a handle knows of how far series are rolled up: a comparison a series and call. For any number of threads.

    What other handles write is not seen here; they have watches of their own.
    """

    def __init__(self) -> None:
        # At which step a series is due, after how many points at the latest, and 1 once it was noted how it stands.
        self._runs: dict[str, dict[Series, list[int]]] = {}  # lists, which cost a call less than new tuples
        self._count = 0

    def see(self, run_id: str, batches: Iterable[tuple[Series, Columns]]) -> list[Series]:
        """The series that have something to roll up once these batches are written."""
        known = self._of(run_id)
        before = len(known)
        due = []
        for series, (steps, _, _) in batches:
            mark = known.get(series)
            if mark is None:
                mark = known[series] = [_NEVER, rollups.LEAST_POINTS, 0]
            mark[1] -= len(steps)
            if mark[1] <= 0 or steps[-1] >= mark[0]:
                due.append(series)
        self._count += len(known) - before
        return due

    def note(self, run_id: str, series: Series, state: SeriesState, *, is_rolled: bool = False) -> bool:
        """Takes how a series stands; gives whether there may be something to roll up.

        Args:
            run_id: the run.
            series: of the run.
            state: as it is stored.
            is_rolled: whether it was just rolled up as far as one call does.
        """
        known = self._of(run_id)
        if state.level is None:
            at_step, left = _NEVER, _NEVER
        elif state.level < 0:
            at_step, left = _NEVER, rollups.LEAST_POINTS - state.points
        else:
            at_step = state.rolled + (1 << span_bits(state.level)) - 1
            # Points far denser than those that the level was chosen by fill no pack for long: they are counted, too.
            before, counted, _ = known.get(series) or (_NEVER, 0, 0)
            left = rollups.MOST_POINTS if is_rolled or before == _NEVER else counted
        known[series] = [at_step, left, 1]
        return left <= 0 or state.last >= at_step

    def is_at_rest(self, run_id: str, series: Series, last_step: int) -> bool:
        """Whether a series whose last batch, which was seen, ends there is known and has nothing to roll up."""
        mark = self._of(run_id).get(series)
        return mark is not None and mark[2] == 1 and mark[1] > 0 and last_step < mark[0]

    def _of(self, run_id: str) -> dict[Series, list[int]]:
        known = self._runs.get(run_id)
        if known is None:
            if self._count > _MOST_SERIES:
                self._runs.clear()
                self._count = 0
            known = self._runs.setdefault(run_id, {})
        return known
