"""One run's life as a trainer leads it, over any :class:`~runstore.protocol.RunStore`.

A session begins the run, writes to it and ends it truthfully, and it never stops the training that it watches: once
the session's arguments have been found good, a store that is down, full or broken costs a warning and a count.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from types import TracebackType
from typing import Any, Self

from runstore.config import check_config
from runstore.errors import (
    ConflictError,
    InvalidValueError,
    NotFoundError,
    PluginError,
    SchemaError,
    SettingsError,
)
from runstore.ids import new_run_id
from runstore.model import Artifact, MetricPoint, RunFailure, RunStatus
from runstore.protocol import RunStore

_log = logging.getLogger(__name__)

_MISTAKES = (InvalidValueError, ConflictError, NotFoundError, SettingsError, PluginError, SchemaError)
"""Errors that the caller must mend before training: wrong arguments, a wrong database. Time will not mend them."""

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0

_POLITE_EXITS = frozenset({None, 0, 128 + signal.SIGINT, 128 + signal.SIGTERM})
"""Codes of ``SystemExit`` by which a program says that it was told to stop, not that it went wrong."""


def ending_of(error: BaseException | None) -> RunStatus:
    """The status of a run whose training ended by ``error``, or without one.

    Ctrl-C and an exit that follows SIGINT or SIGTERM are ``interrupted``: ``KeyboardInterrupt``, and ``SystemExit``
    (Lightning's ``SIGTERMException`` is one) with no code, 0, 130 or 143. Everything else is ``failed``.
    """
    if error is None:
        return RunStatus.COMPLETED
    if isinstance(error, KeyboardInterrupt) or (isinstance(error, SystemExit) and error.code in _POLITE_EXITS):
        return RunStatus.INTERRUPTED
    return RunStatus.FAILED


class RunSession:
    """A run that is being trained: its id, its beginning, its writes, its end.

    The id is known from the start, whatever the store does. :meth:`begin` raises on mistakes of the caller (arguments,
    a wrong URL, another program's database); from then on no method raises because of the store. A failure is logged
    as a warning once per outage and counted; the store is left alone for a while, longer each time, up to a minute, so that
    a dead one does not slow training down. A beginning that failed is made up for before the next write, and config
    that could not be stored goes with it. :meth:`end` always tries, and says what was not stored. To lose nothing at
    all, give a durable store (the default of :func:`runstore.open_store`): the session is the last line behind it.

    Every method may be called from any thread. A session may be pickled; the copy writes to the same run.

    Attributes:
        run_id: the run's id, made here unless it was given. Like the two that follow, it may be set until the run begins.
        tags: short texts by key.
        provenance: where the run comes from, nested and typed like a config.
        failures: how many calls the store did not take.
        points_not_stored: how many metric points were in those calls.
        last_error: what the store said last when it failed.
    """

    def __init__(  # noqa: PLR0913 - the run's whole birth certificate, keyword-only
        self,
        store: RunStore | Callable[[], RunStore],
        *,
        experiment: str | None = None,
        experiment_id: str | None = None,
        run_id: str | None = None,
        training_mode: str = "centralized",
        parent_run_id: str | None = None,
        client_id: str | None = None,
        name: str | None = None,
        source_path: str | None = None,
        tags: Mapping[str, str] | None = None,
        provenance: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Touches no store yet.

        Args:
            store: a store, which stays the caller's, or what opens one: called at the first need, and the store is
                closed by :meth:`close`. An opener must be picklable if the session is to be.
            experiment: the experiment's name; it is created if need be.
            experiment_id: the id of an existing experiment, instead of its name.
            run_id: an existing run to write to, or the id for a new one.
            training_mode: as in ``ensure_run``, like all that follow.
            parent_run_id: an existing run of the same store.
            client_id: which member of a federation this run belongs to.
            name: a label for people.
            source_path: where the data came from.
            tags: short texts by key.
            provenance: see :func:`runstore.provenance.gather_provenance`.
            clock: seconds that never go back.
        """
        self.run_id = new_run_id() if run_id is None else run_id
        self.tags = dict(tags or {})
        self.provenance = dict(provenance or {})
        self.failures = 0
        self.points_not_stored = 0
        self.last_error: Exception | None = None
        self._given = None if callable(store) else store
        self._open = store if callable(store) else None
        self._opened: RunStore | None = None
        self._experiment = experiment
        self._experiment_id = experiment_id
        self._may_exist = run_id is not None
        self._birth: dict[str, Any] = {
            "training_mode": training_mode,
            "parent_run_id": parent_run_id,
            "client_id": client_id,
            "name": name,
            "source_path": source_path,
        }
        self._clock = clock
        self._resume = False
        self._has_begun = False
        self._unsent_configs: list[Mapping[str, Any]] = []
        self._mistakes: set[str] = set()
        self._pause_s = 0.0
        self._quiet_until = float("-inf")
        self._lock = threading.RLock()

    @property
    def store(self) -> RunStore:
        """The store, opened now if it was not; what opening raises comes through."""
        with self._lock:
            if self._given is not None:
                return self._given
            if self._opened is None:
                assert self._open is not None  # noqa: S101 - one of the two was given
                self._opened = self._open()
            return self._opened

    @property
    def has_begun(self) -> bool:
        """Whether the store has acknowledged the run's beginning."""
        return self._has_begun

    def begin(self, *, resume: bool = False) -> str:
        """The run's id, after the run was created, found or, with ``resume=True``, reopened if it had ended.

        Beginning again changes nothing, except that ``resume=True`` reopens a run that has ended since.

        Raises:
            InvalidValueError: (a ``ValueError``) a run must be created, and neither ``experiment`` nor
                ``experiment_id`` is given.
            RunStoreError: another mistake that must be mended before training: an unknown experiment or parent, the
                run under another experiment, a bad argument or URL, a missing driver, a database that is not ours.
        """
        if self._experiment is None and self._experiment_id is None and not self._may_exist:
            raise InvalidValueError(
                f"cannot create run {self.run_id!r}: experiment_id is missing; "
                "give experiment_id=..., or experiment=... to use one by its name, or run_id=... of an existing run"
            )
        with self._lock:
            if resume:
                self._resume, self._has_begun = True, False
            try:
                self._make_begun()
            except _MISTAKES:
                raise
            except Exception as error:  # noqa: BLE001 - a store is a stranger's code; what it raised is kept
                self._note_failure("begin", error)
        return self.run_id

    def log_metrics(self, points: Iterable[MetricPoint]) -> bool:
        """Writes points; whether the store took them."""
        kept = tuple(points)
        return self._write("log_metrics", lambda store: store.log_metrics(self.run_id, kept), points=len(kept))

    def log_config(self, config: Mapping[str, Any]) -> bool:
        """Merges a mapping into the run's config; whether the store took it. If not, it goes with the next write."""
        try:
            kept = check_config(config)
        except InvalidValueError as error:
            self._note_failure("log_config", error)
            return False
        with self._lock:
            self._unsent_configs.append(kept)
        return self._write("log_config", lambda _store: None)

    def log_artifact(
        self,
        path: str | PathLike[str],
        *,
        name: str | None = None,
        artifact_type: str = "file",
        copy: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> Artifact | None:
        """Keeps a file or directory with the run; its record, or ``None`` where the store did not take it."""
        records: list[Artifact] = []
        self._write(
            "log_artifact",
            lambda store: records.append(
                store.log_artifact(
                    self.run_id, path, name=name, artifact_type=artifact_type, copy=copy, metadata=metadata
                )
            ),
        )
        return records[0] if records else None

    def end(self, status: RunStatus | str, error: BaseException | RunFailure | None = None) -> bool:
        """Ends the run with a terminal status; whether the store took it. Says what was not stored, if anything."""
        self._quiet_until = float("-inf")
        is_stored = self._write("finalize", lambda store: store.finalize(self.run_id, status, error=error))
        if self.failures:
            _log.warning(
                "run %s ended as %s; the store failed %d of its calls, and %d metric points were not stored; last error: %s",
                self.run_id,
                status,
                self.failures,
                self.points_not_stored,
                _described(self.last_error),
            )
        return is_stored

    def end_with(self, error: BaseException | None) -> bool:
        """Ends the run as :func:`ending_of` reads what ended the training; whether the store took it."""
        return self.end(ending_of(error), error)

    def close(self) -> None:
        """Closes the store if this session opened it. A later call opens it again; the run's status stays."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            try:
                opened.close()
            except Exception as error:  # noqa: BLE001 - a store is a stranger's code; what it raised is kept
                self._note_failure("close", error)

    def __enter__(self) -> Self:
        """Begins the run."""
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the run by what left the block, and closes the store if this session opened it."""
        self.end_with(error)
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the lock and a store that can be opened again."""
        return self.__dict__ | {"_lock": None, "_opened": None, "_quiet_until": float("-inf")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The same run, with a lock of its own."""
        self.__dict__.update(state)
        self._lock = threading.RLock()

    def _make_begun(self) -> None:
        """Creates or finds the run unless that is done. The caller holds the lock."""
        if self._has_begun:
            return
        store = self.store
        experiment_id = self._experiment_id
        if experiment_id is None and self._experiment is not None:
            experiment_id = store.get_or_create_experiment(self._experiment)
        store.ensure_run(
            experiment_id,
            run_id=self.run_id,
            tags=self.tags,
            provenance=self.provenance,
            resume=self._resume,
            **self._birth,
        )
        self._has_begun = True

    def _send_configs(self, store: RunStore) -> None:
        """Sends what is waiting, in order. A config that is refused for good is not sent again."""
        with self._lock:
            while self._unsent_configs:
                try:
                    store.log_config(self.run_id, self._unsent_configs[0])
                except _MISTAKES:
                    del self._unsent_configs[0]
                    raise
                del self._unsent_configs[0]

    def _write(self, verb: str, write: Callable[[RunStore], None], *, points: int = 0) -> bool:
        if self._clock() < self._quiet_until:
            self._count(points)
            return False
        try:
            if not self._has_begun:
                with self._lock:
                    self._make_begun()
            store = self.store
            if self._unsent_configs:
                self._send_configs(store)
            write(store)
        except Exception as error:  # noqa: BLE001 - a store is a stranger's code; what it raised is kept
            self._note_failure(verb, error, points=points)
            return False
        if self._pause_s:
            self._note_recovery()
        return True

    def _count(self, points: int) -> None:
        with self._lock:
            self.failures += 1
            self.points_not_stored += points

    def _note_failure(self, verb: str, error: Exception, *, points: int = 0) -> None:
        self._count(points)
        with self._lock:
            self.last_error = error
            if isinstance(error, _MISTAKES):
                mistake = f"{verb} {type(error).__name__}"
                is_news = mistake not in self._mistakes
                self._mistakes.add(mistake)
            else:
                is_news = not self._pause_s
                self._pause_s = min(max(_FIRST_PAUSE_S, 2 * self._pause_s), _LONGEST_PAUSE_S)
                self._quiet_until = self._clock() + self._pause_s
        if is_news:
            _log.warning(
                "run %s: the store did not take %s; training goes on, and what is not stored is counted: %s",
                self.run_id,
                verb,
                _described(error),
            )

    def _note_recovery(self) -> None:
        with self._lock:
            self._pause_s = 0.0
        _log.info("run %s: the store takes writes again; %d calls were not stored", self.run_id, self.failures)


def _described(error: Exception | None) -> str:
    return "none" if error is None else f"{type(error).__name__}: {error}"
