"""The one background thread of a recorder: opens the store, takes in what dead writers left, drains, and retries."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from runstore.backend import BackendStore
from runstore.errors import RunNotFoundError, RunStoreError
from runstore.local.flags import Flag
from runstore.recording.adoption import put_away
from runstore.recording.again.lookout import Lookout
from runstore.recording.counts import WriterCounts
from runstore.recording.drain import JournalDrain, TryLaterError
from runstore.recording.figures import Figures
from runstore.recording.journal import SEGMENT_BYTES, Journal
from runstore.recording.keeping import Keeping, is_trim_due, trim
from runstore.recording.leftovers import LEFTOVERS_INTERVAL_S, Leftovers
from runstore.recording.outage import Outage
from runstore.recording.patience import Backlog, Patience, Progress, wait
from runstore.recording.told import Told

_log = logging.getLogger(__name__)

HURRIED_PAUSE_S = 0.5
GATHER_S = 0.2
"""How long records gather before they are sent together when nobody waits for them."""

GATHER_BYTES = 256 * 2**10
"""So much waits for no more."""

_GATHER_STEP_S = 0.05

_LOOK_S = 0.1

SLOW_OPENING_S = 5.0
"""After so long whoever opens a store is told what is waited for."""

TRIM_INTERVAL_S = 60.0

LEFTOVERS_GRACE_S = 5.0
"""How long a read waits for what dead writers left."""

ORPHANS_INTERVAL_S = 1.0

DROPPED_PATIENCE_S = 30.0
"""How long the thread of a recorder that nobody holds any more tries to reach a store that is away."""

_LAST_ROUND_S = 5.0
"""How long the thread may take for its last figures, once everything is stored."""

CATCH_UP_INTERVAL_S = 300.0
"""How often a store that had nothing to catch up with is asked again."""

CATCH_UP_REST = 4.0
"""How many times as long as a piece of catching up took others have the database to themselves."""

OpenStore = Callable[[], BackendStore]


class Worker:
    """Drains one writer's journal until it is told to stop; every method may be called from any thread.

    Attributes:
        store: the bare store, once it could be opened.
        is_idle: everything is stored, and the thread sleeps until :meth:`wake`.
        is_silent: a caller gave up waiting for it, and it has neither taken a record nor failed since.
        is_behind: a caller gave up waiting for it, and it has not caught up since, though it takes records.
        before_closing: called by the thread when all is stored, before it closes the store.
        open_error: why the store cannot be opened, when a person must mend that.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it works with
        self,
        open_store: OpenStore,
        journal: Journal,
        drain: JournalDrain,
        counts: WriterCounts,
        told: Told,
        keeping: Keeping,
    ) -> None:
        """Starts nothing yet."""
        self.store: BackendStore | None = None
        self.is_idle = False
        self.is_silent = False
        self.is_behind = False
        self.open_error: Exception | None = None
        self.before_closing: Callable[[BackendStore], None] | None = None
        self._open_store = open_store
        self._journal = journal
        self._drain = drain
        self._counts = counts
        self._wakening = Flag()
        self._moved_lock = threading.RLock()  # taken as it is: a Condition takes it in Python, where Ctrl-C may strike
        self._moved = threading.Condition(self._moved_lock)
        self._waiters = 0
        self._is_closing = False
        self._is_dropped = False
        self._gave_up = False
        self._catch_up_at = 0.0
        self._outage = Outage(journal, self.backlog)
        self._keeping = keeping
        self._trimmed_at = (time.monotonic(), 0)
        self._leftovers = Leftovers(
            journal.folder, counts, is_stopped=lambda: self._gave_up, keeping=keeping if keeping.days else None
        )
        self._figures = Figures(journal.folder.name, drain, counts)
        self._lookout = Lookout(journal, drain, counts, self._figures, told)
        self._rounds_wanted = 0
        self._rounds_done = 0
        self._thread = threading.Thread(target=self._run, name="runstore-drain", daemon=True)

    @property
    def is_away(self) -> bool:
        """Whether the store failed to take records when it was asked last."""
        return self._outage.is_away

    @property
    def last_error(self) -> str | None:
        """What the store said when it failed last."""
        return self._outage.last_error

    @property
    def last_error_at(self) -> datetime | None:
        """When that was."""
        return self._outage.last_error_at

    @property
    def answers(self) -> bool:
        """Whether the store answers, as far as is known."""
        return not (self.is_away or self.is_silent)

    @property
    def gives_verdicts(self) -> bool:
        """Whether waiting for its verdict on a new record is worth while."""
        return self.answers and not self.is_behind

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Says that there is something to do."""
        self._wakening.set()

    def backlog(self) -> Backlog:
        """What is not stored yet."""
        of_runs = list(self._counts.runs.values())
        return Backlog(sum(of_run.waiting_calls for of_run in of_runs), self._drain.waiting_bytes)

    def progress(self) -> Progress:
        """A watch on how far the thread is, with what it takes over from dead writers."""
        return Progress(
            lambda: self._drain.position + self._drain.efforts + self._leftovers.position + self._lookout.efforts,
            self._thread,
            is_away=lambda: self.is_away,
        )

    def flush(self, patience: Patience) -> bool:
        """Waits until all that was accepted before this call went to the store.

        What dead writers left is waited for as well, though not for long: there may be hours of it.
        """
        target = self._journal.end
        if self.store is not None and self._drain.position >= target and self._leftovers.are_gone:
            return True  # most reads: no thread need be woken
        with self._moved_lock:
            self._rounds_wanted += 1
            wanted = self._rounds_wanted
        grace = time.monotonic() + LEFTOVERS_GRACE_S

        def is_own_done() -> bool:
            return self.store is not None and self._drain.position >= target

        def is_over() -> bool:
            is_round_done = self._rounds_done >= wanted or time.monotonic() >= grace
            return self._gave_up or (is_own_done() and is_round_done)

        with self.hurry():
            self._wait(is_over, patience, asked="what is read has to wait for them")
        return is_own_done()

    def wait_until_opened(self, deadline_s: float) -> None:
        """Waits until the store was opened, or failed to.

        On a busy machine that takes long, and is waited for: three times as long where the thread is at work, or waits
        for a processor, for that is not the database's silence.
        """

        def is_known() -> bool:
            return self.store is not None or self.is_away or self.open_error is not None

        progress = Progress(lambda: 0, self._thread)
        began = moved_at = time.monotonic()
        speak_at = began + SLOW_OPENING_S
        with self._moved_lock:
            while not self._moved.wait_for(is_known, timeout=min(_LOOK_S, deadline_s)):
                now = time.monotonic()
                if now - moved_at >= deadline_s or now - began >= 3 * deadline_s:
                    break
                if progress.has_moved():
                    moved_at = now
                if now >= speak_at:
                    speak_at = float("inf")
                    _log.warning("the database is slow to answer; it is waited for a while")
            self.is_silent = not is_known()
        if self.is_silent:
            self._speak("it has not answered yet")

    def close(self, patience: Patience) -> bool:
        """Drains as long as patience lasts and ends; ``False`` when something waits still, or the store hangs."""
        self._is_closing = True
        leftovers_until = time.monotonic() + patience.idle_s

        def is_over() -> bool:
            # Thread and journal belong to this process; what others left can wait for the next one to come.
            is_own_done = self.store is not None and not self._drain.waiting_bytes
            is_late = is_own_done and time.monotonic() >= leftovers_until
            return not self._thread.is_alive() or self._gave_up or is_late

        try:
            with self.hurry():
                self._wait(is_over, patience, asked="Ctrl-C leaves them on disk, for `runstore sync`")
        finally:
            self.give_up()
            is_hanging = self._drain.waiting_bytes > 0
            self._thread.join(timeout=0.2 if is_hanging else max(min(_LAST_ROUND_S, patience.idle_s), 0.2))
        return self._drain.waiting_bytes == 0 and not self._thread.is_alive()

    def give_up(self) -> None:
        """Ends the thread as soon as the store lets it; what waits stays on disk."""
        self._is_closing = self._gave_up = True
        self._drain.is_stopped = True
        self._leftovers.stop()
        self.wake()

    def end_when_done(self) -> None:
        """Ends the thread once everything is stored, or the store is away for long; nobody waits for that."""
        self._is_closing = self._is_dropped = True
        self.wake()

    @property
    def has_ended(self) -> bool:
        """Whether the thread is at its end."""
        return not self._thread.is_alive()

    def _wait(self, is_over: Callable[[], bool], patience: Patience, *, asked: str) -> None:
        wait(
            is_over,
            patience=patience,
            progress=self.progress(),
            lock=self._moved_lock,
            moved=self._moved,
            backlog=self.backlog,
            asked=asked,
        )

    @contextlib.contextmanager
    def hurry(self) -> Iterator[None]:
        """Inside the block the thread neither gathers records nor rests long, for somebody waits."""
        with self._moved_lock:
            self._waiters += 1
        try:
            self.wake()
            yield
        finally:
            with self._moved_lock:
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
        except BaseException as error:  # noqa: BLE001 - nothing must end the drain for good, not a backend's SystemExit
            if not self.is_away:
                _log.exception("an error in the drain of %s; it is tried again", self._journal.folder)
            self._note_failure(error)
            self._rest(self._outage.next_pause())
            return False

    def _turn(self) -> bool:
        """One round of work; ``True`` when nothing was left to do."""
        rounds_wanted = self._rounds_wanted
        until = self._journal.end  # before the look at what is shared with dead writers: later records have to wait
        try:
            store = self._opened()
            self._lookout.look_after_outage(store)
            has_leftovers = self._leftovers.step(store, is_asked=rounds_wanted > self._rounds_done)
            has_more = self._drain.step(store, until=until)
            self._trim()
            if not has_more:
                self._lookout.look_at_ends(store, is_last=self._is_closing)
            self._report(store)
        except TryLaterError as error:
            self._note_failure(error.__cause__ or error)
            self._rest(self._outage.next_pause())
            return False
        except OSError as error:  # the journal cannot be read now
            self._note_failure(error)
            self._rest(self._outage.next_pause())
            return False
        self._note_success()
        if has_more or has_leftovers:
            self._tell()
            return False
        self._rounds_done = rounds_wanted
        if self._catch_up(store):
            return False
        self._sleep_until_woken()
        return True

    def _trim(self) -> None:
        """Now and then, and for each segment, gives room back where all writers together keep too much."""
        at, position = self._trimmed_at
        if time.monotonic() - at < TRIM_INTERVAL_S and self._drain.position - position < SEGMENT_BYTES:
            return
        self._trimmed_at = (time.monotonic(), self._drain.position)
        self._journal.kept_bytes = trim(self._journal.folder.parents[2], self._keeping, own=self._journal.folder)

    def _catch_up(self, store: BackendStore) -> bool:
        """Has the store do some of what nobody waits for, while there is nothing else to do; whether there is more."""
        if self._is_closing or self._waiters or time.monotonic() < self._catch_up_at:
            return False
        self._tell()
        began = time.monotonic()
        try:
            has_more = store.catch_up()
        except Exception:  # noqa: BLE001 - a stranger's backend; nothing is lost by it
            _log.debug("the store could not catch up; it is asked again later", exc_info=True)
            has_more = False
        if has_more:
            self._rest(CATCH_UP_REST * (time.monotonic() - began))
        else:
            self._catch_up_at = time.monotonic() + CATCH_UP_INTERVAL_S
        return has_more

    def _opened(self) -> BackendStore:
        if self.store is None:
            try:
                self.store = self._open_store()
            except BaseException as error:  # a stranger's backend may raise anything
                # A full disk is waited for like an outage: what is logged meanwhile is in the journal.
                if isinstance(error, RunStoreError) and error.needs_person and not error.is_transient:
                    self.open_error = error
                raise TryLaterError from error
            self.open_error = None
            self._tell()
        return self.store

    def _sleep_until_woken(self) -> None:
        self.is_idle = True
        self.is_behind = False
        self._wakening.clear()
        self._tell()
        if self._is_closing or self._rounds_wanted > self._rounds_done or self._journal.end > self._drain.position:
            self.is_idle = False
            return
        self._wakening.wait(timeout=ORPHANS_INTERVAL_S if self._leftovers else LEFTOVERS_INTERVAL_S)
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
        with self._moved_lock:
            self._moved.notify_all()

    def _note_failure(self, error: BaseException) -> None:
        told = self._outage.note_failure(error)
        self._lookout.has_been_away |= not isinstance(error, RunNotFoundError)
        self.is_silent = False
        if self._is_dropped and self._outage.lasted_s > DROPPED_PATIENCE_S:
            self._gave_up = True  # another recorder of this process takes it over, the next start or a sync
        self._speak(told)
        self._tell()

    def _speak(self, reason: str) -> None:
        self._outage.speak(reason, is_refused=self.open_error is not None)

    def _note_success(self) -> None:
        self._outage.note_success()
        self.is_silent = False

    def _report(self, store: BackendStore, *, is_last: bool = False) -> None:
        error = self.last_error or self._journal.warning
        self._figures.report(store, last_error=error, last_error_at=self.last_error_at, is_last=is_last)

    def _end(self) -> None:
        self._leftovers.let_go()
        keeps = self._keeping.days > 0 and self._journal.kept_bytes > 0 and not self._journal.is_in_memory
        self._drain.let_go(keeps=keeps)
        is_empty = self._drain.waiting_bytes == 0
        if is_empty and self.store is not None:
            with contextlib.suppress(Exception):  # the last figures; the next start repeats nothing of this
                self._report(self.store, is_last=True)
            if self.before_closing is not None:
                self.before_closing(self.store)
        put_away(self._journal, is_drained=is_empty, keeps=keeps)
        folder = self._journal.folder
        if keeps and is_trim_due(folder.parent, folder.name):
            with contextlib.suppress(OSError):
                trim(folder.parents[2], self._keeping)
        if self.store is not None:
            with contextlib.suppress(Exception):  # a stranger's close; nothing is lost by it
                self.store.close()
        self._gave_up = True
        self._tell()
