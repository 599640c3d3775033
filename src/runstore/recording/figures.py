"""The figures that a living writer stores with its runs: when a run ends, now and then, and when the writer ends."""

import contextlib
import time
from datetime import datetime

from msgspec.structs import replace

from runstore.backend import BackendStore
from runstore.errors import RunStoreError
from runstore.recording.apply import report_health
from runstore.recording.counts import WriterCounts
from runstore.recording.drain import JournalDrain

REPORT_INTERVAL_S = 60.0
_MOST_MARKS = 1_000


class Figures:
    """What was reported of a writer's runs, and what is to be; for its thread alone."""

    def __init__(self, writer: str, drain: JournalDrain, counts: WriterCounts) -> None:
        """Has reported nothing yet."""
        self._writer = writer
        self._drain = drain
        self._counts = counts
        self._reported_at = time.monotonic()
        self._reported: dict[str, tuple[int, int, int]] = {}
        self._to_report: set[str] = set()
        self._marks: dict[str, list[tuple[int, int]]] = {}

    def mark_of(self, run_id: str) -> int:
        """How many stored calls of a run the last figures told that the store took; 0 if it took none."""
        marks = self._marks.get(run_id)
        return marks[-1][0] if marks else 0

    def position_at(self, run_id: str, stored_calls: int | None) -> int | None:
        """Where the journal's drain was when figures with so many stored calls, or fewer, were told last."""
        if stored_calls is None:
            return None
        marks = self._marks.get(run_id, ())
        return max((position for calls, position in marks if calls <= stored_calls), default=None)

    def forget(self, run_id: str) -> None:
        """The store has lost the figures, or there is more to tell: they are reported again in the next turn."""
        self._reported.pop(run_id, None)
        self._marks.pop(run_id, None)
        self._to_report.add(run_id)

    def report(
        self, store: BackendStore, *, last_error: str | None, last_error_at: datetime | None, is_last: bool = False
    ) -> None:
        """Stores the figures of runs that ended, and now and then of all whose figures changed."""
        self._to_report.update(self._drain.ended_runs)
        self._drain.ended_runs.clear()
        if is_last or time.monotonic() - self._reported_at >= REPORT_INTERVAL_S:
            self._reported_at = time.monotonic()
            self._to_report.update(list(self._counts.runs))
        for run_id in sorted(self._to_report):
            of_run = self._counts.runs[run_id]
            figures = (of_run.stored_calls, of_run.quarantined_calls, of_run.dropped_calls)
            if run_id and any(figures) and figures != self._reported.get(run_id):
                with contextlib.suppress(RunStoreError):  # figures are never worth an outage; they are sent again later
                    health = replace(
                        of_run.health(run_id),
                        longest_lag_s=self._drain.longest_lag_us / 1e6,
                        last_error=last_error,
                        last_error_at=last_error_at,
                    )
                    report_health(store, self._writer, health)
                    self._reported[run_id] = figures
                    marks = self._marks.setdefault(run_id, [])
                    marks.append((of_run.stored_calls, self._drain.position))
                    del marks[:-_MOST_MARKS]
        self._to_report.clear()
