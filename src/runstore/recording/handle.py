"""A recorder as a handle: its beginning, its reads, its end, and what becomes of it when the process forks or ends."""

import threading
import weakref
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final

from runstore.backend import BackendStore, Store
from runstore.backend.begun import cause_of, ending_of, say_unfinished, unhandled
from runstore.errors import StoreClosedError, StoreUnavailableError
from runstore.health import Health
from runstore.local.clock import now_us
from runstore.local.system import at_fork
from runstore.model import HEALTH_PREFIX, Artifact, RunFailure, RunStatus
from runstore.recording import shutdown
from runstore.recording.apply import LEASE_S
from runstore.recording.options import RecorderOptions
from runstore.recording.patience import Patience
from runstore.recording.places import identity_of, with_absolute_place
from runstore.recording.records import FinalizeRecord, encode
from runstore.recording.run_state import RunState
from runstore.recording.writer import Writer
from runstore.values import check_failure

_TERMINATED: Final = RunFailure(type="Terminated", message="the process was told to end (SIGTERM)", traceback="")


class RecorderHandle(Store):
    """What a :class:`runstore.recording.Recorder` is beside its verbs."""

    def __init__(
        self,
        open_store: Callable[[], BackendStore],
        *,
        identity: str,
        url: str | None = None,
        options: RecorderOptions | None = None,
    ) -> None:
        """Begins the journal, and opens the store in the background.

        Args:
            open_store: opens the bare store; picklable if the recorder is to be.
            identity: tells this store from others in the state directory; holds no secret.
            url: how ``runstore sync`` may reach it, without secrets; the identity by default.
            options: how it behaves.

        Raises:
            SettingsError: the journal cannot be written.
        """
        self._open_store = open_store
        self._identity = identity
        self._url = url or identity
        self._options = with_absolute_place(options or RecorderOptions())
        self._runs: dict[str, RunState] = {}
        self._experiments: set[str] = set()
        self._is_closed = False
        self._is_told_to_end = False
        self._birth_lock = threading.Lock()
        self._writer: Writer | None = None
        self._let_go: weakref.finalize[..., Any] | None = None
        self._last_health: Health | None = None
        self._begin()

    def _begin(self) -> Writer:
        with self._birth_lock:
            if self._is_closed:
                raise StoreClosedError("this store was closed; open another with open_store(url)")
            if self._writer is None:
                self._writer = Writer.begin(
                    self._open_store, identity=self._identity, url=self._url, options=self._options
                )
                self._let_go = weakref.finalize(self, self._writer.drop, self.begun)
                self._let_go.atexit = False  # what is still held then is drained, see shutdown
                shutdown.watch(self)
                _recorders.add(self)
            return self._writer

    def wait_until_opened(self) -> None:
        """Waits for a moment until the store was opened; an error that a person must mend is raised, and closes this.

        Raises:
            PluginError: the driver is missing or broken.
            SchemaError: the database cannot be used as it stands.
            SettingsError: the URL cannot be understood.
            StoreFailureError: the database turned us away: a wrong password, no such database.
        """
        writer = self._writer or self._begin()
        try:
            writer.worker.wait_until_opened(self._options.open_deadline_s)
        except BaseException:  # Ctrl-C
            self.close(deadline_s=0.0)
            raise
        if writer.worker.open_error is not None:
            self.close(deadline_s=0.0)
            raise writer.worker.open_error

    # Reading

    def source(self) -> BackendStore:
        """The bare store, once it holds everything that this process was told.

        Raises:
            StoreUnavailableError: it does not take that; says how many records wait.
        """
        writer = self._writer or self._begin()
        self.flush()
        for peer in list(_recorders):
            if peer is not self and peer._identity == self._identity:  # noqa: SLF001 - a recorder of this class
                peer._flush_if_open()  # noqa: SLF001 - as above
        if writer.worker.store is None:  # pragma: no cover - a flush has opened it
            raise StoreUnavailableError(writer.describe_wait())
        return writer.worker.store

    def hides(self, artifact: Artifact) -> bool:
        """Whether it is a record that a recorder keeps of its own figures."""
        return artifact.name.startswith(HEALTH_PREFIX)

    def _flush_if_open(self) -> None:
        if self._writer is not None:
            self.flush()

    def flush(self, *, deadline_s: float | None = None) -> None:
        """Waits until everything accepted before is in the database, or refused by it for good.

        Args:
            deadline_s: how long it may take; by default as long as records go through, and the options'
                ``read_deadline_s`` for a database that takes none.

        Raises:
            StoreUnavailableError: it did not take them; says how many wait, and where.
        """
        writer = self._writer or self._begin()
        seconds = self._options.read_deadline_s
        patience = Patience(idle_s=seconds, first_s=seconds, limit_s=self._options.leave_limit_s)
        if not writer.worker.flush(patience if deadline_s is None else Patience.until(deadline_s)):
            raise StoreUnavailableError(writer.describe_wait())

    def health(self) -> Health:
        """How this recorder stands now; after ``close``, how it stood then."""
        writer = self._writer
        if writer is None and self._last_health is not None:
            return self._last_health
        return (writer or self._begin()).health()

    # The end

    def close(self, *, deadline_s: float | None = None) -> None:
        """Drains and ends; what is left stays on disk for the next start or ``runstore sync``.

        It goes on as long as records go through, and says how many are left; Ctrl-C leaves them on disk.

        Args:
            deadline_s: how long it may take, never longer, whatever goes through; by default the options'
                ``close_deadline_s`` from the last record that went through, or ``away_deadline_s`` when the database
                does not answer anyway, and ``leave_limit_s`` in all.
        """
        self._close(
            self._patience(self._options.close_deadline_s) if deadline_s is None else Patience.until(deadline_s),
            unfinished=self.begun.take(),
        )

    def _end_begun(self, status: RunStatus, failure: BaseException | RunFailure) -> None:
        """Ends what was begun here and has not ended. Nobody waits for the verdict; an end that is there already stays."""
        writer, at_us, reason = self._writer, now_us(), check_failure(failure)
        if writer is None:
            return
        for run_id in self.begun.take():
            state = self._runs.setdefault(run_id, RunState())
            state.ended = status
            record = FinalizeRecord(
                at_us=at_us,
                run_id=run_id,
                status=str(status),
                end_us=at_us,
                is_end_given=False,
                failure=reason,
                is_implied=True,
                is_unsure=state.is_unsure,
            )
            writer.append(encode(record), run_id, 0)
            writer.beat.remove(run_id)

    def _close(self, patience: Patience, *, unfinished: Sequence[str] = ()) -> None:
        with self._birth_lock:
            self._is_closed = True
            writer, self._writer = self._writer, None
        if writer is None:
            return
        self._hold()
        shutdown.forget(self)
        _recorders.discard(self)
        try:
            writer.close(patience, unfinished=unfinished)
        finally:
            self._last_health = writer.health()

    def _hold(self) -> None:
        """What is closed, or the parent's, is not let go once more when this object is collected."""
        if self._let_go is not None:
            self._let_go.detach()
            self._let_go = None

    def _patience(self, idle_s: float) -> Patience:
        options, writer = self._options, self._writer
        if self._is_told_to_end:
            return Patience.until(min(idle_s, options.exit_deadline_s))
        first_s = idle_s
        if writer is not None and not writer.worker.answers:
            first_s = min(idle_s, options.away_deadline_s if writer.worker.is_away else options.exit_deadline_s)
        return Patience(idle_s=idle_s, first_s=first_s, limit_s=options.leave_limit_s)

    @property
    def has_ended(self) -> bool:
        """Whether it is closed."""
        return self._is_closed

    def drain_at_exit(self, *, is_hurried: bool = False) -> None:
        """What is done when the process ends without ``close``: as ``close``, with ``exit_deadline_s``.

        A process that ends by an exception that nobody caught has ended its runs by it.
        """
        error = cause_of(unhandled())
        if error is not None:
            self._end_begun(ending_of(error), error)
        say_unfinished(self.begun.take(), LEASE_S)
        patience = Patience.until(0.0) if is_hurried else self._patience(self._options.exit_deadline_s)
        self._close(patience)

    def drain_on_signal(self, *, is_end: bool) -> None:
        """What is done on SIGTERM: the store stays open, for the program may go on to end its runs.

        Whoever sent it kills soon after, so that from now on ``exit_deadline_s`` is the bound of all that is waited for.

        Args:
            is_end: the process dies of the signal next, so that the runs end here.
        """
        self._is_told_to_end = True
        if is_end:
            self._end_begun(RunStatus.INTERRUPTED, _TERMINATED)
        writer = self._writer
        if writer is not None:
            writer.journal.sync()
            if writer.worker.answers:
                writer.worker.flush(Patience.until(self._options.exit_deadline_s))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the runs that were begun here by what left the block, and closes the store."""
        cause = cause_of(error)
        if cause is not None:
            self._end_begun(ending_of(cause), cause)
        self.close()

    # Processes

    def __reduce__(self) -> tuple[Any, ...]:
        """A recipe for another recorder of the same store: no lock, thread, file or connection is taken along."""
        return _reopen, (type(self), self._open_store, self._identity, self._url, self._options)

    def _forget_parent(self) -> None:
        """In a forked child: lets go of everything that is the parent's. The next call begins anew."""
        writer, self._writer = self._writer, None
        self._birth_lock = threading.Lock()
        self._hold()
        if writer is not None:
            _inherited.append(writer)  # never collected: closing the parent's connection is not the child's business
            writer.journal.forget()

    def __repr__(self) -> str:
        """The store and the state, never a secret."""
        return f"{type(self).__name__}({self._identity!r}, {'closed' if self._is_closed else 'open'})"


_recorders: "weakref.WeakSet[RecorderHandle]" = weakref.WeakSet()
"""The open recorders of this process: a read waits for all that write to its store, and a fork resets them."""

_inherited: list[object] = []


def flush_all(url: str) -> None:
    """Waits until what the recorders of this process have accepted for the store at a URL is stored.

    Raises:
        StoreUnavailableError: it was not; says how much waits, and where.
    """
    if _recorders:
        identity = identity_of(url)
        for recorder in list(_recorders):
            if recorder._identity == identity:  # noqa: SLF001 - a recorder of this class
                recorder._flush_if_open()  # noqa: SLF001 - as above


def _reset_after_fork() -> None:
    for recorder in list(_recorders):
        recorder._forget_parent()  # noqa: SLF001 - a recorder of this class
    _recorders.clear()
    _inherited.extend(shutdown.forget_parent())


at_fork(after_in_child=_reset_after_fork)


def _reopen(
    kind: type[RecorderHandle],
    open_store: Callable[[], BackendStore],
    identity: str,
    url: str,
    options: RecorderOptions,
) -> RecorderHandle:
    return kind(open_store, identity=identity, url=url, options=options)
