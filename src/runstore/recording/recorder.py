"""The durable store: every verb goes to a journal on local disk and returns; a thread takes it to the database."""

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from runstore import checks
from runstore.artifacts import check_artifact
from runstore.begun import BegunRuns, cause_of, ending_of, say_unfinished
from runstore.config import check_config, encode_config
from runstore.errors import RunFinalizedError, StoreClosedError, StoreUnavailableError
from runstore.ids import experiment_id_of, new_run_id
from runstore.model import Artifact, DatasetType, MetricPoint, Run, RunFailure, RunStatus, from_microseconds
from runstore.protocol import BackendStore
from runstore.recording import shutdown
from runstore.recording.apply import LEASE_S
from runstore.recording.drain import Ticket
from runstore.recording.health import Health
from runstore.recording.live import Live
from runstore.recording.options import RecorderOptions, RunState
from runstore.recording.patience import Patience
from runstore.recording.places import identity_of, with_absolute_place
from runstore.recording.reads import RecordedReads
from runstore.recording.records import (
    ArtifactRecord,
    ConfigRecord,
    ExperimentRecord,
    FinalizeRecord,
    MetricsRecord,
    Record,
    RunRecord,
    encode,
    encode_metrics,
)
from runstore.recording.staging import StagedBlobs

CONFIRMED_BYTES: Final = 4 * 2**20
"""Artifacts up to this size are confirmed by the store before the call returns, if it answers; larger ones wait."""

_MAX_NAMES: Final = 10_000
_DATASET_TYPES: Final = {str(kind): str(kind) for kind in DatasetType}
_MAX_STEP: Final = checks.MAX_STEP

_TERMINATED: Final = RunFailure(type="Terminated", message="the process was told to end (SIGTERM)", traceback="")

_now_ns = time.time_ns


class RecordingStore(RecordedReads):
    """A store that keeps its promise while the database is away.

    Arguments are checked at once, as by every store. A call is on local disk when it returns, and in the database
    soon after, in order. Calls that the store may refuse (the beginning and the end of a run, and the first use of a
    run that this process did not begin) wait for its verdict for a moment, if it answers; if it does not, they are
    accepted, and a refusal later is found in :meth:`health` and in the dead-letter file. Reads first wait until
    everything accepted by this process is stored.

    Every method may be called from any thread, and in a signal handler. After a fork, the child writes a journal of
    its own and opens its own connection; a pickled recorder is a recipe for such another one.
    """

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
        self._names: dict[str, str] = {}
        self._begun = BegunRuns()
        self._is_closed = False
        self._is_told_to_end = False
        self._birth_lock = threading.Lock()
        self._live: Live | None = None
        self._let_go: weakref.finalize[..., Any] | None = None
        self._last_health: Health | None = None
        self._begin()

    def _begin(self) -> Live:
        with self._birth_lock:
            if self._is_closed:
                raise StoreClosedError("this store was closed; open another with open_store(url)")
            if self._live is None:
                self._live = Live.begin(self._open_store, identity=self._identity, url=self._url, options=self._options)
                self._let_go = weakref.finalize(self, self._live.drop, self._begun)
                self._let_go.atexit = False  # what is still held then is drained, see shutdown
                shutdown.watch(self)
                _recorders.add(self)
            return self._live

    def wait_until_opened(self) -> None:
        """Waits for a moment until the store was opened; an error that a person must mend is raised, and closes this.

        Raises:
            PluginError: the driver is missing or broken.
            SchemaError: the database cannot be used as it stands.
            SettingsError: the URL cannot be understood.
            StoreFailureError: the database turned us away: a wrong password, no such database.
        """
        live = self._live or self._begin()
        try:
            live.worker.wait_until_opened(self._options.open_deadline_s)
        except BaseException:  # Ctrl-C
            self.close(deadline_s=0.0)
            raise
        if live.worker.open_error is not None:
            self.close(deadline_s=0.0)
            raise live.worker.open_error

    # The six verbs

    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        """See :meth:`runstore.protocol.RunStore.get_or_create_experiment`."""
        checks.check_name(name, "experiment name")
        checks.check_optional_text(description, "description")
        live = self._live or self._begin()
        experiment_id = experiment_id_of(name)
        if experiment_id in self._experiments and description is None:
            return experiment_id
        self._confirm(live, ExperimentRecord(at_us=_now_us(), name=name, description=description))
        self._experiments.add(experiment_id)
        return experiment_id

    def ensure_run(  # noqa: PLR0913 - the protocol's signature
        self,
        experiment_id: str | None = None,
        *,
        run_id: str | None = None,
        training_mode: str = "centralized",
        parent_run_id: str | None = None,
        client_id: str | None = None,
        name: str | None = None,
        source_path: str | None = None,
        tags: Mapping[str, str] | None = None,
        provenance: Mapping[str, Any] | None = None,
        start_time: datetime | None = None,
        resume: bool = False,
    ) -> str:
        """See :meth:`runstore.protocol.RunStore.ensure_run`."""
        birth = checks.check_birth(
            experiment_id=experiment_id,
            run_id=run_id,
            training_mode=training_mode,
            parent_run_id=parent_run_id,
            client_id=client_id,
            name=name,
            source_path=source_path,
            tags=tags,
            start_time=start_time,
        )
        origin = encode_config(check_config(provenance or {}, "provenance"))
        live = self._live or self._begin()
        if birth.run_id is None:
            checks.require_experiment(birth)
        now_us = _now_us()
        record = RunRecord(
            at_us=now_us,
            run_id=birth.run_id or new_run_id(),
            experiment_id=birth.experiment_id,
            training_mode=birth.training_mode,
            parent_run_id=birth.parent_run_id,
            client_id=birth.client_id,
            name=birth.name,
            source_path=birth.source_path,
            tags=birth.tags,
            provenance=origin,
            start_us=now_us if birth.start_us is None else birth.start_us,
            resume=bool(resume),
            is_new=birth.run_id is None,
        )
        known = self._runs.get(record.run_id)
        if known is not None and known.experiment_id is not None:
            checks.check_same_experiment(birth, known.experiment_id)
            if not resume:
                return record.run_id
        verdict = self._confirm(live, record)
        found = verdict.result if verdict is not None else None
        state = self._runs.setdefault(record.run_id, RunState())
        state.experiment_id = state.experiment_id or birth.experiment_id
        if record.is_new:
            state.start_us = record.start_us
        if resume:
            state.ended = None
        state.is_unsure = verdict is None and not (record.is_new or resume)
        lease_s = LEASE_S
        if isinstance(found, Run) and not resume:
            lease_s = max(found.lease_s, LEASE_S)  # whoever has it in hand may not beat
        else:
            self._begun.add(record.run_id)
        if state.ended is None:
            live.beat.add(record.run_id, lease_s=lease_s)
        return record.run_id

    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        """See :meth:`runstore.protocol.RunStore.log_metrics`."""
        at_us = _now_ns() // 1000
        if type(points) is not list:
            points = list(points)
        fields = self._fields_of(points, at_us)
        live = self._live or self._begin()
        if not (type(run_id) is str and run_id in self._runs):
            checks.check_run_id(run_id)
            self._confirm(live, MetricsRecord(at_us=at_us, run_id=run_id, points=fields))
            self._runs.setdefault(run_id, RunState())
        elif fields:
            live.append(encode_metrics(at_us, run_id, fields), run_id, len(fields))

    def _fields_of(self, points: list[MetricPoint], at_us: int) -> list[Any]:
        """The checked fields of the points; those exactly of the common types need no further look."""
        names = self._names
        fields = []
        try:
            for point in points:
                if (
                    type(point) is not MetricPoint
                    or type(value := point.value) is not float
                    or type(step := point.step) is not int
                    or not 0 <= step <= _MAX_STEP
                    or point.logged_at is not None
                ):
                    return self._check_points(points, at_us)
                fields.append((names[point.name], _DATASET_TYPES[point.dataset_type], step, value, at_us))
        except (KeyError, TypeError):  # a name not seen before, or something that is no name
            return self._check_points(points, at_us)
        return fields

    def _check_points(self, points: list[MetricPoint], at_us: int) -> list[Any]:
        checked: list[Any] = list(checks.check_points(points, now_us=at_us))
        if len(self._names) < _MAX_NAMES:
            self._names.update((point[0], point[0]) for point in checked)
        return checked

    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        """See :meth:`runstore.protocol.RunStore.log_config`."""
        checks.check_run_id(run_id)
        text = encode_config(check_config(config))
        live = self._live or self._begin()
        self._submit(live, run_id, ConfigRecord(at_us=_now_us(), run_id=run_id, config=text))

    def log_artifact(  # noqa: PLR0913 - the protocol's signature
        self,
        run_id: str,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        artifact_type: str = "file",
        copy: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """See :meth:`runstore.protocol.RunStore.log_artifact`.

        The record returned is the store's own when the bytes are few and the store answers; otherwise its ``uri`` is
        that of the staged copy and its ``created_at`` the moment of the call. SHA-256 and size are right in both.
        """
        checks.check_run_id(run_id)
        request = check_artifact(path, name=name, artifact_type=artifact_type, copy=copy, metadata=metadata)
        live = self._live or self._begin()
        at_us = _now_us()
        blobs = StagedBlobs(live.journal.staging, request) if copy else None
        try:
            staged = request.record(run_id, blobs, created_at=from_microseconds(at_us))  # type: ignore[arg-type]  # unused without copy
            record = ArtifactRecord(
                at_us=at_us,
                run_id=run_id,
                source=request.uri if blobs is None else str(blobs.staged.relative_to(live.journal.folder)),
                is_staged=blobs is not None,
                name=request.name,
                artifact_type=request.artifact_type,
                copy=copy,
                metadata=encode_config(request.metadata),
                sha256=staged.sha256,
            )
            is_small = (staged.size or 0) <= CONFIRMED_BYTES
            verdict = self._submit(live, run_id, record, must_confirm=is_small)
        except BaseException:
            if blobs is not None:
                blobs.discard()
            raise
        return verdict.result if verdict is not None and isinstance(verdict.result, Artifact) else staged

    def finalize(
        self,
        run_id: str,
        status: RunStatus | str,
        *,
        end_time: datetime | None = None,
        error: BaseException | RunFailure | None = None,
    ) -> None:
        """See :meth:`runstore.protocol.RunStore.finalize`."""
        checks.check_run_id(run_id)
        final = checks.check_terminal_status(status)
        end_us = None if end_time is None else checks.check_time(end_time, "end_time")
        failure = checks.check_failure(error)
        live = self._live or self._begin()
        at_us = _now_us()
        state = self._runs.get(run_id, RunState())
        if not live.worker.answers:
            # Nobody else can tell now, so what this process knows decides.
            if state.ended not in {None, final}:
                raise RunFinalizedError(checks.already_final(run_id, str(state.ended), final))
            if state.start_us is not None:
                checks.check_end_time(end_us, start_us=state.start_us, now_us=at_us)
        record = FinalizeRecord(
            at_us=at_us,
            run_id=run_id,
            status=str(final),
            end_us=at_us if end_us is None else end_us,
            is_end_given=end_us is not None,
            failure=failure,
            is_unsure=state.is_unsure,
        )
        self._confirm(live, record)
        state.ended = final
        self._runs[run_id] = state
        self._begun.discard(run_id)
        live.beat.remove(run_id)

    def heartbeat(self, run_id: str, *, lease_s: float) -> None:
        """See :meth:`runstore.protocol.BackendStore.heartbeat`.

        A recorder beats by itself for the runs of its process. It leaves that to the caller from the first call of
        this method on, for that run.
        """
        checks.check_run_id(run_id)
        lease_s = checks.check_lease(lease_s)
        live = self._live or self._begin()
        live.beat.remove(run_id)
        if not live.worker.answers:
            raise StoreUnavailableError(live.describe_wait())
        self._bare().heartbeat(run_id, lease_s=lease_s)

    # Journaling

    def _submit(self, live: Live, run_id: str, record: Record, *, must_confirm: bool = False) -> Ticket | None:
        """Journals a record; its verdict is waited for when it is asked for, or the run is new to this process."""
        if must_confirm or run_id not in self._runs:
            verdict = self._confirm(live, record)
            self._runs.setdefault(run_id, RunState())
            return verdict
        live.append(encode(record), run_id, 0)
        return None

    def _confirm(self, live: Live, record: Record) -> Ticket | None:
        if live.worker.open_error is not None and not self._runs:
            raise live.worker.open_error  # before the first step only a person can mend it; later, records wait
        return live.confirm(record, timeout_s=self._options.confirm_s)

    # Reading

    def _bare(self) -> BackendStore:
        live = self._live or self._begin()
        self.flush()
        for peer in list(_recorders):
            if peer is not self and peer._identity == self._identity:  # noqa: SLF001 - a recorder of this class
                peer._flush_if_open()  # noqa: SLF001 - as above
        if live.worker.store is None:  # pragma: no cover - a flush has opened it
            raise StoreUnavailableError(live.describe_wait())
        return live.worker.store

    def _flush_if_open(self) -> None:
        if self._live is not None:
            self.flush()

    def flush(self, *, deadline_s: float | None = None) -> None:
        """Waits until everything accepted before is in the database, or refused by it for good.

        Args:
            deadline_s: how long it may take; by default as long as records go through, and the options'
                ``read_deadline_s`` for a database that takes none.

        Raises:
            StoreUnavailableError: it did not take them; says how many wait, and where.
        """
        live = self._live or self._begin()
        seconds = self._options.read_deadline_s
        patience = Patience(idle_s=seconds, first_s=seconds, limit_s=self._options.leave_limit_s)
        if not live.worker.flush(patience if deadline_s is None else Patience.until(deadline_s)):
            raise StoreUnavailableError(live.describe_wait())

    def health(self) -> Health:
        """How this recorder stands now; after ``close``, how it stood then."""
        live = self._live
        if live is None and self._last_health is not None:
            return self._last_health
        return (live or self._begin()).health()

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
            unfinished=self._begun.take(),
        )

    def _end_begun(self, status: RunStatus, failure: BaseException | RunFailure) -> None:
        """Ends what was begun here and has not ended. Nobody waits for the verdict; an end that is there already stays."""
        live, at_us, reason = self._live, _now_us(), checks.check_failure(failure)
        if live is None:
            return
        for run_id in self._begun.take():
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
            live.append(encode(record), run_id, 0)
            live.beat.remove(run_id)

    def _close(self, patience: Patience, *, unfinished: Sequence[str] = ()) -> None:
        with self._birth_lock:
            self._is_closed = True
            live, self._live = self._live, None
        if live is None:
            return
        self._hold()
        shutdown.forget(self)
        _recorders.discard(self)
        try:
            live.close(patience, unfinished=unfinished)
        finally:
            self._last_health = live.health()

    def _hold(self) -> None:
        """What is closed, or the parent's, is not let go once more when this object is collected."""
        if self._let_go is not None:
            self._let_go.detach()
            self._let_go = None

    def _patience(self, idle_s: float) -> Patience:
        options, live = self._options, self._live
        if self._is_told_to_end:
            return Patience.until(min(idle_s, options.exit_deadline_s))
        first_s = idle_s
        if live is not None and not live.worker.answers:
            first_s = min(idle_s, options.away_deadline_s if live.worker.is_away else options.exit_deadline_s)
        return Patience(idle_s=idle_s, first_s=first_s, limit_s=options.leave_limit_s)

    @property
    def has_ended(self) -> bool:
        """Whether it is closed."""
        return self._is_closed

    def drain_at_exit(self, *, is_hurried: bool = False) -> None:
        """What is done when the process ends without ``close``: as ``close``, with ``exit_deadline_s``.

        A process that ends by an exception that nobody caught has ended its runs by it.
        """
        error = cause_of(shutdown.unhandled())
        if error is not None:
            self._end_begun(ending_of(error), error)
        say_unfinished(self._begun.take(), LEASE_S)
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
        live = self._live
        if live is not None:
            live.journal.sync()
            if live.worker.answers:
                live.worker.flush(Patience.until(self._options.exit_deadline_s))

    def __enter__(self) -> Self:
        """The store itself."""
        return self

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
        return _reopen, (self._open_store, self._identity, self._url, self._options)

    def _forget_parent(self) -> None:
        """In a forked child: lets go of everything that is the parent's. The next call begins anew."""
        live, self._live = self._live, None
        self._birth_lock = threading.Lock()
        self._hold()
        self._begun = BegunRuns()
        if live is not None:
            _inherited.append(live)  # never collected: closing the parent's connection is not the child's business
            live.journal.forget()

    def __repr__(self) -> str:
        """The store and the state, never a secret."""
        return f"RecordingStore({self._identity!r}, {'closed' if self._is_closed else 'open'})"


_recorders: "weakref.WeakSet[RecordingStore]" = weakref.WeakSet()
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


os.register_at_fork(after_in_child=_reset_after_fork)


def _reopen(
    open_store: Callable[[], BackendStore], identity: str, url: str, options: RecorderOptions
) -> RecordingStore:
    return RecordingStore(open_store, identity=identity, url=url, options=options)


def _now_us() -> int:
    return _now_ns() // 1000
