"""The points that a handle has written and nobody has rolled up yet, so that they need not be read back."""

import threading
from typing import Final, NamedTuple

from runstore.series import Columns, Series
from runstore_sql.metrics.rollup_tables import SeriesState

_MOST_POINTS: Final = 1 << 19
"""How many points are kept in all: 12 MiB."""


class _Tail(NamedTuple):
    """The last points of a series.

    Attributes:
        begin: the frontier from which on these are all points.
        below: how many points the series has below it.
        rewrites: how often points of the series had been written over.
        columns: the points.
    """

    begin: int
    below: int
    rewrites: int
    columns: Columns


class Tails:
    """What one handle keeps, for any number of threads. A tail that other handles have made untrue is known by what the series' row counts."""

    def __init__(self) -> None:
        self._tails: dict[tuple[str, Series], _Tail] = {}
        self._points = 0
        self._lock = threading.Lock()

    def begin(self, run_id: str, series: Series, state: SeriesState, columns: Columns) -> None:
        """Keeps all points that a series has from its frontier on."""
        tail = _Tail(state.rolled, state.points - len(columns.steps), state.rewrites, columns)
        with self._lock:
            self._drop(run_id, series)
            self._tails[run_id, series] = tail
            self._points += len(columns.steps)

    def grow(self, run_id: str, series: Series, batch: Columns) -> None:
        """Adds points that were written behind all others; forgets the tail where too many are kept."""
        steps, values, times = batch
        with self._lock:
            tail = self._tails.get((run_id, series))
            if tail is None:
                return
            kept = tail.columns
            # Another thread may have stored its points after these, and told so before.
            if self._points + len(steps) > _MOST_POINTS or (kept.steps and steps[0] <= kept.steps[-1]):
                self._drop(run_id, series)
                return
            kept.steps.extend(steps)
            kept.values.extend(values)
            kept.logged_at_us.extend(times)
            self._points += len(steps)

    def drop(self, run_id: str, series: Series) -> None:
        """Forgets a tail."""
        with self._lock:
            self._drop(run_id, series)

    def find(self, run_id: str, series: Series, state: SeriesState, batch: Columns) -> Columns | None:
        """All points from the frontier on, with those of a batch that this transaction has appended; if they are known."""
        with self._lock:
            tail = self._tails.get((run_id, series))
            if tail is None or (tail.begin, tail.rewrites) != (state.rolled, state.rewrites):
                return None
            if state.points != tail.below + len(tail.columns.steps) + len(batch.steps):
                return None
            return Columns.joined((tail.columns, batch))

    def _drop(self, run_id: str, series: Series) -> None:
        tail = self._tails.pop((run_id, series), None)
        if tail is not None:
            self._points -= len(tail.columns.steps)
