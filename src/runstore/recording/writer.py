"""What a recorder has in one process: its journal, the drain, the worker's thread and the beat."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Self

from msgspec.structs import replace

from runstore.backend import BackendStore
from runstore.backend.begun import BegunRuns, hand_back, say_unfinished
from runstore.health import Health
from runstore.local.left_out import leave_out
from runstore.recording import shutdown
from runstore.recording.apply import LEASE_S
from runstore.recording.beat import Beat
from runstore.recording.counts import RunCounts, WriterCounts
from runstore.recording.drain import JournalDrain
from runstore.recording.frames import scan
from runstore.recording.journal import Journal, JournalFullError
from runstore.recording.keeping import Keeping, keeping_of
from runstore.recording.options import RecorderOptions
from runstore.recording.patience import Patience
from runstore.recording.places import describe_root, journal_root
from runstore.recording.records import decode, points_in, run_of
from runstore.recording.told import Told
from runstore.recording.verdicts import PendingVerdict
from runstore.recording.worker import Worker

_log = logging.getLogger(__name__)

_LOOK_S = 0.05


class Writer:
    """A recorder's life in one process; a forked child begins another one."""

    def __init__(
        self,
        open_store: Callable[[], BackendStore],
        journal: Journal,
        options: RecorderOptions,
        keeping: Keeping,
    ) -> None:
        """Takes ownership of the journal and starts the worker."""
        self.journal = journal
        self._options = options
        self.counts = WriterCounts()
        told = Told(journal.folder)
        self.drain = JournalDrain(journal, self.counts, counts_accepted=False, told=told)
        self.worker = Worker(open_store, journal, self.drain, self.counts, told, keeping)
        worker = self.worker
        self.beat = Beat(lambda: worker.store)
        self._lock = journal.lock
        self._of_runs = self.counts.runs
        self._append_locked = journal.append_locked
        self._has_told_of_drops = False
        self.worker.start()

    @classmethod
    def begin(
        cls, open_store: Callable[[], BackendStore], *, identity: str, url: str, options: RecorderOptions
    ) -> Self:
        """A new writer's life.

        Raises:
            SettingsError: the journal cannot be written.
        """
        keeping = keeping_of(options)
        if identity.startswith("memory:") and options.kept_days is None:
            keeping = replace(keeping, days=0)  # nobody finds such a store again
        root = journal_root(identity, options.state_dir)
        journal = Journal.create(root, fsync=options.fsync)
        journal.kept_bytes = keeping.writer_bytes
        describe_root(root, identity, url)
        writer = cls(open_store, journal, options, keeping)
        leave_out(writer, root.parent, "the journals of this machine's runs")
        return writer

    def append(self, payload: bytes, run_id: str, points: int) -> None:
        """Journals a record whose verdict nobody waits for."""
        with self._lock:
            of_run = self._of_runs.get(run_id) or self._begin_counts(run_id)
            try:
                self._append_locked(payload)
            except JournalFullError as error:
                of_run.dropped_calls += 1
                of_run.dropped_points += points
                self._tell_of_drops(error)
                return
            of_run.calls += 1
            of_run.points += points
        if self.worker.is_idle:
            self.worker.wake()

    def _begin_counts(self, run_id: str) -> RunCounts:
        if run_id:
            self.journal.note_run(run_id)
        return self.counts.of(run_id)

    def confirm(self, payload: bytes, run_id: str, points: int, *, timeout_s: float) -> PendingVerdict | None:
        """Journals a record and waits for the store's verdict, as long as the store answers; raises a refusal.

        Returns:
            The verdict; ``None`` when it has not come.
        """
        verdict = PendingVerdict()
        with self._lock:  # the record's position is known before the drain can reach it
            position = self.journal.end
            self.drain.verdicts.expect(position, verdict)
            self.append(payload, run_id, points)
        until = time.monotonic() + timeout_s
        progress = self.worker.progress()
        with self.worker.hurry():
            while self.worker.gives_verdicts and (left := until - time.monotonic()) > 0:
                if verdict.is_done.wait(min(_LOOK_S, left)):
                    break
        if self.drain.verdicts.abandon(position, verdict):
            if self.worker.gives_verdicts:
                self.worker.is_behind = progress.has_moved()
                self.worker.is_silent = not self.worker.is_behind
            return None
        if verdict.error is not None:
            raise verdict.error
        return verdict

    def describe_wait(self) -> str:
        """What to tell a reader who cannot wait any longer."""
        health = self.health()
        reason = f" ({health.last_error})" if self.worker.is_away and health.last_error else ""
        return (
            f"{sum(run.calls.waiting for run in health.runs.values())} records wait to be stored and the database did "
            f"not take them in time{reason}; they are safe in {health.journal}: read again later"
        )

    def health(self) -> Health:
        """How it stands now."""
        waiting = self.drain.waiting_bytes
        oldest_us, dropped_at = self.drain.oldest_us, self.journal.dropped_at
        runs = list(self.counts.runs.items())
        return Health(
            writer=self.journal.folder.name,
            journal=str(self.journal.folder),
            is_store_away=not self.worker.answers,
            is_in_memory=self.journal.is_in_memory,
            waiting_bytes=waiting,
            lag_s=max(time.time() - oldest_us / 1e6, 0.0) if waiting and oldest_us is not None else 0.0,
            last_error=self.worker.last_error or self.journal.warning,
            last_error_at=self.worker.last_error_at,
            quarantined_records=self.counts.quarantined,
            damaged_bytes=self.counts.damaged_bytes,
            repairable_since=None if dropped_at is None else datetime.fromtimestamp(dropped_at, UTC),
            runs={run_id: of_run.health(run_id) for run_id, of_run in runs},
        )

    def close(self, patience: Patience, *, unfinished: Sequence[str] = ()) -> None:
        """Drains as long as patience lasts and lets go; what is left stays on disk, and is told.

        Args:
            patience: how long.
            unfinished: runs to be handed back once all is stored.
        """
        is_done = False
        try:
            self.journal.end_appends()
            self.beat.stop()
            if unfinished:
                self.worker.before_closing = lambda store: hand_back(store, unfinished)
            is_done = self.worker.close(patience)
        finally:  # Ctrl-C ends the wait, and what is left is told all the same
            self.worker.give_up()
            self._tell_what_is_left(is_done=is_done)

    # Dropped without being closed

    def drop(self, begun: BegunRuns) -> None:
        """Nobody holds the recorder any more: lets go of everything once what was accepted is stored; waits for nothing."""
        unfinished = begun.take()
        self.worker.before_closing = lambda _store: say_unfinished(unfinished, LEASE_S)
        self.journal.end_appends()
        self.beat.stop(is_waited_for=False)
        self.worker.end_when_done()
        shutdown.keep(self)

    @property
    def has_ended(self) -> bool:
        """Whether the thread is at its end."""
        return self.worker.has_ended

    def drain_at_exit(self, *, is_hurried: bool) -> None:
        """The process ends before a dropped recorder's records are stored."""
        if not self.has_ended:
            options = self._options
            patience = Patience(
                idle_s=options.exit_deadline_s,
                first_s=options.exit_deadline_s if self.worker.answers else options.away_deadline_s,
                limit_s=options.leave_limit_s,
            )
            self.close(Patience.until(0.0) if is_hurried else patience)

    def drain_on_signal(self, *, is_end: bool) -> None:  # noqa: ARG002 - as all that can be drained
        """SIGTERM comes before a dropped recorder's records are stored."""
        self.journal.sync()
        if self.worker.answers:
            self.worker.flush(Patience.until(self._options.exit_deadline_s))

    def _tell_what_is_left(self, *, is_done: bool) -> None:
        lost = self._count_lost()
        health = self.health()
        reason = f" ({health.last_error})" if health.last_error else ""
        if lost:
            _log.error(
                "closed with %d records that neither the database nor the disk took; they were in memory, and are lost%s",
                lost, reason,
            )  # fmt: skip
        if waiting := sum(run.calls.waiting for run in health.runs.values()):
            self.journal.sync()
            _log.warning(
                "closed with %d records that the database did not take%s; they are in %s and go to it at the next "
                "start, or by `runstore sync`",
                waiting, reason, health.journal,
            )  # fmt: skip
        elif not is_done and not lost:
            _log.debug("the database hangs; its connection is left to the end of the process")

    def _count_lost(self) -> int:
        """Counts what waits in memory alone: with this writer it goes."""
        lost = scan(self.journal.in_memory(self.drain.position), is_complete=True).payloads
        for record in map(decode, lost):
            self.counts.of(run_of(record)).lose(points_in(record))
        return len(lost)

    def _tell_of_drops(self, error: JournalFullError) -> None:
        if not self._has_told_of_drops:
            self._has_told_of_drops = True
            _log.error("records are dropped from now on: %s", error)
