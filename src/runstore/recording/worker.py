"""The one background thread of a recorder: opens the store, takes in what dead writers left, drains, and retries."""

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from runstore.errors import (
    PluginError,
    RunStoreError,
    SchemaError,
    SettingsError,
    StoreFailureError,
)
from runstore.protocol import BackendStore
from runstore.recording.adoption import Leftover, adopt, put_away
from runstore.recording.apply import report_health
from runstore.recording.blame import WAITED_FOR
from runstore.recording.drain import HeldUpError, JournalDrain, Tallies, TryLaterError
from runstore.recording.journal import Journal, leftovers
from runstore.urls import redact

_log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 15.0
HURRIED_PAUSE_S = 0.5
GATHER_S = 0.2
"""How long records gather before they are sent together when nobody waits for them."""

GATHER_BYTES = 256 * 2**10
"""So much waits for no more."""

_GATHER_STEP_S = 0.05

LEFTOVERS_INTERVAL_S = 60.0
LEFTOVERS_GRACE_S = 5.0
"""How long a read waits for what dead writers left."""

ORPHANS_INTERVAL_S = 1.0
REPORT_INTERVAL_S = 60.0

_living: set[Path] = set()
"""The folders of this process's own writers, so that a look for leftovers need not ask for their locks."""

OpenStore = Callable[[], BackendStore]

_USELESS = (PluginError, SchemaError, SettingsError, StoreFailureError)
"""Errors of opening that a person must mend; records wait meanwhile, for nothing is wrong with them."""


class Worker:
    """Drains one writer's journal until it is told to stop; every method may be called from any thread.

    Attributes:
        store: the bare store, once it could be opened.
        is_idle: everything is stored, and the thread sleeps until :meth:`wake`.
        is_away: the store failed to take records when it was asked last.
        is_silent: a caller gave up waiting for it, and it has neither taken a record nor failed since.
        before_closing: called by the thread when all is stored, before it closes the store.
        open_error: why the store cannot be opened, when a person must mend that.
    """

    def __init__(self, open_store: OpenStore, journal: Journal, drain: JournalDrain, tallies: Tallies) -> None:
        """Starts nothing yet."""
        self.store: BackendStore | None = None
        self.is_idle = False
        self.is_away = False
        self.is_silent = False
        self.open_error: Exception | None = None
        self.before_closing: Callable[[], None] | None = None
        self.last_error: str | None = None
        self.last_error_at: datetime | None = None
        self._open_store = open_store
        self._journal = journal
        self._drain = drain
        self._tallies = tallies
        self._wakening = threading.Event()
        self._moved = threading.Condition()
        self._waiters = 0
        self._is_closing = False
        self._gave_up = False
        self._pause_s = FIRST_PAUSE_S
        self._away_since = 0.0
        self._adopted: dict[Path, Leftover] = {}
        self._looked_for_leftovers_at = float("-inf")
        self._rounds_wanted = 0
        self._rounds_done = 0
        self._reported_at = time.monotonic()
        self._reported: dict[str, tuple[int, int, int]] = {}
        self._to_report: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="runstore-drain", daemon=True)

    @property
    def answers(self) -> bool:
        """Whether waiting for the store is worth while."""
        return not (self.is_away or self.is_silent)

    def start(self) -> None:
        """Starts the thread."""
        _living.add(self._journal.folder)
        self._thread.start()

    def wake(self) -> None:
        """Says that there is something to do."""
        self._wakening.set()

    def flush(self, deadline_s: float) -> bool:
        """Waits until all that was accepted before this call went to the store.

        What dead writers left is waited for as well, though not for long: there may be hours of it.
        """
        target = self._journal.end
        if self.store is not None and self._drain.position >= target and self._has_no_leftovers():
            return True  # most reads: no thread need be woken
        with self._moved:
            self._rounds_wanted += 1
            wanted = self._rounds_wanted

        def is_own_done() -> bool:
            return self.store is not None and self._drain.position >= target

        def is_all_done() -> bool:
            return is_own_done() and self._rounds_done >= wanted

        until = time.monotonic() + deadline_s
        with self.hurried(), self._moved:
            self._moved.wait_for(lambda: is_all_done() or self._gave_up, timeout=min(deadline_s, LEFTOVERS_GRACE_S))
            self._moved.wait_for(lambda: is_own_done() or self._gave_up, timeout=max(until - time.monotonic(), 0.0))
        return is_own_done()

    def wait_until_opened(self, deadline_s: float) -> None:
        """Waits until the store was opened, or failed to."""
        with self._moved:
            self._moved.wait_for(
                lambda: self.store is not None or self.is_away or self.open_error is not None, timeout=deadline_s
            )
            self.is_silent = self.store is None

    def close(self, deadline_s: float) -> bool:
        """Drains for at most so long and ends; ``False`` when something waits still, or the store hangs."""
        self._is_closing = True
        with self.hurried(), self._moved:
            self._moved.wait_for(lambda: not self._thread.is_alive() or self._gave_up, timeout=deadline_s)
        self._gave_up = True
        self._drain.is_stopped = True
        for leftover in list(self._adopted.values()):
            leftover.drain.is_stopped = True
        self.wake()
        self._thread.join(timeout=0.2)
        return self._drain.waiting_bytes == 0 and not self._thread.is_alive()

    @contextlib.contextmanager
    def hurried(self) -> Iterator[None]:
        """Inside the block the thread neither gathers records nor rests long, for somebody waits."""
        with self._moved:
            self._waiters += 1
        try:
            self.wake()
            yield
        finally:
            with self._moved:
                self._waiters -= 1

    # The thread

    def _run(self) -> None:
        try:
            while not self._gave_up:
                is_last = self._is_closing  # no record is taken any more: what this turn finds is all there is
                if self._try_turn() and is_last:
                    break
        finally:
            self._end()

    def _try_turn(self) -> bool:
        try:
            return self._turn()
        except Exception as error:  # noqa: BLE001 - an error of ours must not end the drain for good
            if not self.is_away:
                _log.exception("an error in the drain of %s; it is tried again", self._journal.folder)
            self._note_failure(error)
            self._rest(self._next_pause())
            return False

    def _turn(self) -> bool:
        """One round of work; ``True`` when nothing was left to do."""
        rounds_wanted = self._rounds_wanted
        until = self._journal.end  # before the look at what is shared with dead writers: later records have to wait
        try:
            store = self._opened()
            has_leftovers = self._take_in_leftovers(store, is_asked=rounds_wanted > self._rounds_done)
            has_more = self._drain.step(store, until=until)
            self._report(store)
        except TryLaterError as error:
            self._note_failure(error.__cause__ or error)
            self._rest(self._next_pause())
            return False
        except OSError as error:  # the journal cannot be read now
            self._note_failure(error)
            self._rest(self._next_pause())
            return False
        self._note_success()
        if has_more or has_leftovers:
            self._tell()
            return False
        self._rounds_done = rounds_wanted
        self._sleep_until_woken()
        return True

    def _opened(self) -> BackendStore:
        if self.store is None:
            try:
                self.store = self._open_store()
            except Exception as error:  # a stranger's backend may raise anything
                if isinstance(error, _USELESS):
                    self.open_error = error
                raise TryLaterError from error
            self.open_error = None
            self._tell()
        return self.store

    def _sleep_until_woken(self) -> None:
        self.is_idle = True
        self._wakening.clear()
        self._tell()
        if self._is_closing or self._rounds_wanted > self._rounds_done or self._journal.end > self._drain.position:
            self.is_idle = False
            return
        self._wakening.wait(timeout=ORPHANS_INTERVAL_S if self._adopted else LEFTOVERS_INTERVAL_S)
        self.is_idle = False
        until = time.monotonic() + GATHER_S
        while self._drain.waiting_bytes < GATHER_BYTES and (left := until - time.monotonic()) > 0:
            self._rest(min(left, _GATHER_STEP_S))
            if self._waiters or self._is_closing or self._gave_up:
                break

    def _rest(self, seconds: float) -> None:
        """Waits, but not while somebody waits for this thread."""
        until = time.monotonic() + seconds
        while not self._gave_up and (left := until - time.monotonic()) > 0:
            if self._waiters or self._is_closing:
                left = min(left, HURRIED_PAUSE_S if self.is_away else 0.0)
                until = time.monotonic() + left
                if left == 0.0:
                    return
            self._wakening.clear()
            self._wakening.wait(timeout=min(left, HURRIED_PAUSE_S))

    def _tell(self) -> None:
        with self._moved:
            self._moved.notify_all()

    def _next_pause(self) -> float:
        pause_s = self._pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        return pause_s

    def _note_failure(self, error: BaseException) -> None:
        self.last_error = " ".join(redact(f"{type(error).__name__}: {error}").split())  # one line in the log
        self.last_error_at = datetime.now(UTC)
        self.is_silent = False
        if not self.is_away:
            self.is_away = True
            self._away_since = time.monotonic()
            if self.open_error is not None and self._journal.end == 0:
                self._tell()  # whoever opens the store is told, and nothing waits that could be sent
                return
            _log.warning(
                "the store does not take records (%s); they wait in %s and are sent when it does",
                self.last_error, self._journal.folder,
            )  # fmt: skip
        self._tell()

    def _note_success(self) -> None:
        self._pause_s = FIRST_PAUSE_S
        self.is_silent = False
        if self.is_away:
            self.is_away = False
            _log.warning("the store takes records again, after %.1f s", time.monotonic() - self._away_since)

    def _has_no_leftovers(self) -> bool:
        return not self._adopted and _living.issuperset(leftovers(self._journal.folder.parent))

    def _end(self) -> None:
        _living.discard(self._journal.folder)
        for leftover in self._adopted.values():
            leftover.let_go()
        self._drain.save()
        is_empty = self._drain.waiting_bytes == 0
        if is_empty and self.store is not None:
            with contextlib.suppress(Exception):  # the last figures; the next start repeats nothing of this
                self._report(self.store, is_last=True)
            if self.before_closing is not None:
                self.before_closing()
        put_away(self._journal, is_drained=is_empty)
        if self.store is not None:
            with contextlib.suppress(Exception):  # a stranger's close; nothing is lost by it
                self.store.close()
        self._gave_up = True
        self._tell()

    # What dead writers left

    def _take_in_leftovers(self, store: BackendStore, *, is_asked: bool) -> bool:
        """Stores a part of what dead writers left; whether there is more of it.

        What belongs to a run that this process writes to as well goes in whole, before this process's own: an older
        value must not be written over a newer one.
        """
        self._adopt_new(is_asked=is_asked)
        has_more = False
        for folder, adopted in list(self._adopted.items()):
            try:
                is_done = self._step_leftover(store, adopted)
            except HeldUpError:
                continue  # its run may begin yet: looked at again in the next round
            except OSError as error:
                adopted.warn_once(error)
                continue
            if is_done:
                del self._adopted[folder]
            has_more = has_more or not is_done
        return has_more

    def _adopt_new(self, *, is_asked: bool) -> None:
        now = time.monotonic()
        if not is_asked and now - self._looked_for_leftovers_at < LEFTOVERS_INTERVAL_S:
            return
        self._looked_for_leftovers_at = now
        for folder in leftovers(self._journal.folder.parent):
            if folder != self._journal.folder and folder not in self._adopted:
                adopted = adopt(folder)
                if adopted is not None:
                    self._adopted[folder] = adopted

    def _step_leftover(self, store: BackendStore, adopted: Leftover) -> bool:
        """Stores a part of one dead writer's records, or all that must go before our own; whether that was the rest.

        Raises:
            TryLaterError: the store is away, or fails on a record that our own must not overtake.
            HeldUpError: the rest has to wait, which is no reason to keep others waiting.
            OSError: the journal cannot be read.
        """
        is_shared = not adopted.journal.runs().isdisjoint(self._tallies.runs)
        try:
            while adopted.step(store):
                if not is_shared or self._gave_up:
                    return False
        except HeldUpError:
            raise
        except TryLaterError as error:
            if is_shared or isinstance(error.__cause__, WAITED_FOR):
                raise
            raise HeldUpError from error.__cause__
        return True

    # Figures

    def _report(self, store: BackendStore, *, is_last: bool = False) -> None:
        """Stores the figures of runs that ended, and now and then of all whose figures changed."""
        self._to_report.update(self._drain.ended_runs)
        self._drain.ended_runs.clear()
        if is_last or time.monotonic() - self._reported_at >= REPORT_INTERVAL_S:
            self._reported_at = time.monotonic()
            self._to_report.update(self._tallies.runs)
        for run_id in sorted(self._to_report):
            tally = self._tallies.runs[run_id]
            figures = (tally.stored_calls, tally.quarantined_calls, tally.dropped_calls)
            if run_id and any(figures) and figures != self._reported.get(run_id):
                with contextlib.suppress(RunStoreError):  # figures are never worth an outage; they are sent again later
                    health = replace(
                        tally.health(run_id),
                        longest_lag_s=self._drain.longest_lag_us / 1e6,
                        last_error=self.last_error or self._journal.warning,
                        last_error_at=self.last_error_at,
                    )
                    report_health(store, self._journal.folder.name, health)
                    self._reported[run_id] = figures
        self._to_report.clear()
