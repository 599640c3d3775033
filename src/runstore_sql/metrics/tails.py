"""The points that a handle has written and nobody has rolled up yet, so that they need not be read back."""

import threading
from collections.abc import Set as AbstractSet
from typing import Final

from runstore.series import Columns, Series, SeriesColumns
from runstore_sql.metrics.rollup_tables import SeriesState

_MOST_POINTS: Final = 1 << 19
"""How many points are kept in all: 12 MiB."""
_FEW: Final = 64
"""Fewer points of a call than this are copied to those before them; more are kept as they came, for copying costs more."""
_MOST_TAILS: Final = 10_000
"""How many series have points kept; beyond it all are forgotten, for most of them are those of runs that have ended."""


class _Tail:
    """The last points of a series.

    Attributes:
        begin: the frontier from which on these are all points.
        below: how many points the series has below it.
        rewrites: how often points of the series had been written over.
        parts: the points.
        growing: the last part, if it is one that few points are added to.
        count: how many they are.
        last: the step of the last of them; -1 without any.
    """

    __slots__ = ("begin", "below", "count", "growing", "last", "parts", "rewrites")

    def __init__(self, state: SeriesState, columns: Columns) -> None:
        self.begin = state.rolled
        self.below = state.points - len(columns.steps)
        self.rewrites = state.rewrites
        self.parts = [columns]
        self.growing: Columns | None = columns
        self.count = len(columns.steps)
        self.last = columns.steps[-1] if columns.steps else -1


class Tails:
    """What one handle keeps, for any number of threads.

    A tail that other handles have made untrue is known by what the series' row counts.
    """

    def __init__(self) -> None:
        self._runs: dict[str, dict[Series, _Tail]] = {}
        self._points = self._count = 0
        self._lock = threading.Lock()

    def begin(self, run_id: str, series: Series, state: SeriesState, columns: Columns) -> None:
        """Keeps all points that a series has from its frontier on."""
        tail = _Tail(state, columns)
        with self._lock:
            self._drop(run_id, series)
            if self._count >= _MOST_TAILS:
                self._runs.clear()
                self._points = self._count = 0
            self._runs.setdefault(run_id, {})[series] = tail
            self._count += 1
            self._points += len(columns.steps)

    def grow(self, run_id: str, batches: SeriesColumns, but: AbstractSet[Series]) -> None:
        """Adds points that were written behind all others, but for some series; forgets tails where too many are kept."""
        with self._lock:
            tails = self._runs.get(run_id)
            if not tails:
                return
            for series, batch in batches.items():
                tail = tails.get(series)
                if tail is None or series in but:
                    continue
                steps, values, times = batch
                # Another thread may have stored its points after these, and told so before.
                if steps[0] <= tail.last or self._points > _MOST_POINTS:
                    self._drop(run_id, series)
                    continue
                tail.last = steps[-1]
                count = len(steps)
                tail.count += count
                self._points += count
                kept = tail.growing
                if count >= _FEW:
                    tail.parts.append(batch)
                    tail.growing = None
                elif kept is None:
                    tail.growing = batch.part(0, count)
                    tail.parts.append(tail.growing)
                else:
                    kept[0].extend(steps)
                    kept[1].extend(values)
                    kept[2].extend(times)

    def drop(self, run_id: str, series: Series) -> None:
        """Forgets a tail."""
        with self._lock:
            self._drop(run_id, series)

    def find(self, run_id: str, series: Series, state: SeriesState, batch: Columns) -> Columns | None:
        """All points from the frontier on, with those of a batch that this transaction has appended; if they are known."""
        with self._lock:
            tail = self._runs.get(run_id, {}).get(series)
            if tail is None or (tail.begin, tail.rewrites) != (state.rolled, state.rewrites):
                return None
            if state.points != tail.below + tail.count + len(batch.steps):
                return None
            return Columns.joined((*tail.parts, batch))

    def _drop(self, run_id: str, series: Series) -> None:
        tails = self._runs.get(run_id)
        tail = tails.pop(series, None) if tails else None
        if tail is not None:
            self._count -= 1
            self._points -= tail.count
