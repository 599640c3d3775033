"""What an ended writer's journal says the store was told, beside what the store holds: compared, and filled up."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from msgspec.structs import replace

from runstore.backend import BackendStore, Presence
from runstore.errors import RunStoreError
from runstore.health import RunHealth, SentAgain, stored_health
from runstore.model import from_microseconds
from runstore.recording.again.changes import Deletions
from runstore.recording.again.lookout import Finding, Lookout
from runstore.recording.again.resend import StoppedError
from runstore.recording.apply import report_health
from runstore.recording.counts import WriterCounts
from runstore.recording.cursor import CURSOR
from runstore.recording.drain import JournalDrain, TryLaterError
from runstore.recording.figures import Figures
from runstore.recording.journal import Journal
from runstore.recording.snapshots import load_told, save_told
from runstore.recording.source import JournalSource

Answer = TypeVar("Answer")


class Comparison:
    """Compares one ended writer's journal with the store; for one thread.

    Attributes:
        told: what the writer told the store.
        position: moves when something is sent again.
    """

    def __init__(self, journal: Journal, drain: JournalDrain, counts: WriterCounts) -> None:
        """Reads what was told.

        Raises:
            OSError: the journal cannot be read.
        """
        self.told = load_told(journal, drain.position)
        self._journal = journal
        self._counts = counts
        self._drain = drain
        figures = Figures(journal.folder.name, drain, counts)
        self._lookout = Lookout(journal, drain, counts, figures, self.told, grace_s=0.0)

    @property
    def efforts(self) -> int:
        """Goes up while something is sent again."""
        return self._lookout.efforts

    def run(self, store: BackendStore, deletions: Deletions | None = None, *, is_logged: bool = True) -> list[Finding]:
        """Looks at all runs of the writer; changes of runs are left to the caller.

        Args:
            store: where to.
            deletions: what people deleted; those of this journal by default.
            is_logged: whether what was found is logged.

        Returns:
            What the store had forgotten.

        Raises:
            TryLaterError: the store is away, or the drain is told to stop.
            OSError: the journal cannot be read.
        """
        self._leave_out_deleted(store, Deletions.among(self.told.changes) if deletions is None else deletions)
        known = self._recall_reports(store)
        self._lookout.is_logged = is_logged
        try:
            self._lookout.look_at_all(store)
        except StoppedError as stopped:
            raise TryLaterError from stopped
        except RunStoreError as error:
            raise TryLaterError from error
        for finding in self._lookout.findings:
            before = known.get(finding.run_id)
            if before is not None and before.sent_again is not None and _is_known(finding, before.sent_again):
                self._counts.of(finding.run_id).sent_again = before.sent_again
            else:
                self._report(store, finding, before)
        return self._lookout.findings

    def note(self) -> None:
        """Leaves beside the journal what was read of it, so that nobody need read all of it again."""
        save_told(self.told, self._drain.position)

    @property
    def repairable_since(self) -> datetime | None:
        """From when on what was stored is in the journal; ``None`` where it has everything."""
        if self._drain.position > self._journal.end:  # nothing is left of it but what stands beside it
            return datetime.fromtimestamp((self._journal.folder / CURSOR).stat().st_mtime, UTC)
        if not self._journal.first:
            return None
        read = JournalSource(self._journal, self._journal.first).read()
        record = next(iter(read[0].records), None) if read is not None else None
        return None if record is None else from_microseconds(record.at_us)

    def _leave_out_deleted(self, store: BackendStore, deletions: Deletions) -> None:
        for run_id, run in list(self.told.runs.items()):
            beginning = run.beginning
            experiment_id, start_us = (None, 0) if beginning is None else (beginning.experiment_id, beginning.start_us)
            is_deleted = deletions.has_run(run_id, experiment_id, start_us)
            if is_deleted and self._asked(store.presence_of, run_id) is not Presence.SHOWN:
                self.told.forget(run_id)

    def _recall_reports(self, store: BackendStore) -> dict[str, RunHealth]:
        """What the store knows that this writer has sent again before, so that it is added to."""
        known = {}
        for run_id in self.told.runs:
            if self._asked(store.presence_of, run_id) is not Presence.SHOWN:
                continue
            report = stored_health(run_id, self._asked(store.read_artifacts, run_id)).get(self._journal.folder.name)
            if report is not None:
                self._counts.of(run_id).sent_again = report.sent_again
                known[run_id] = report
        return known

    def _report(self, store: BackendStore, finding: Finding, before: RunHealth | None) -> None:
        """Stores with the run what was found."""
        health = self._counts.of(finding.run_id).health(finding.run_id)
        if before is not None:
            health = replace(
                health,
                longest_lag_s=before.longest_lag_s,
                last_error=before.last_error,
                last_error_at=before.last_error_at,
            )
        if self._asked(store.presence_of, finding.run_id) is not None:
            self._asked(lambda _: report_health(store, self._journal.folder.name, health), finding.run_id)

    @staticmethod
    def _asked(ask: Callable[[str], Answer], run_id: str) -> Answer:
        try:
            return ask(run_id)
        except RunStoreError as error:
            raise TryLaterError from error


def _is_known(finding: Finding, before: SentAgain) -> bool:
    """Whether an earlier comparison has told the same, and nothing could be done about it."""
    return not (finding.points or finding.calls) and set(finding.lost) <= set(before.lost)
