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
        self._to_report.clear()
