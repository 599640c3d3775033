"""One run's life as a trainer leads it, over any :class:`~runstore.protocol.RunStore`.

A session begins the run, writes to it and ends it truthfully. What a person must mend is raised at the beginning, before
the first step. From then on it never stops the training that it watches: a store that is down, full or broken costs a
warning and a count.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from types import TracebackType
from typing import Any, Self

from runstore.backend.begun import PRUNED, ending_of, is_pruned
from runstore.errors import InvalidValueError, RunStoreError
from runstore.media import Media
from runstore.model import Artifact, MetricPoint, RunFailure, RunStatus
from runstore.protocol import RunEditor, RunStore
from runstore.training.media import LogsMedia
from runstore.training.misses import Misses, described
from runstore.training.naming import MetricNames
from runstore.training.points import PointMaker
from runstore.training.scalars import step_of
from runstore.training.sorting import Refused, check_kind_of_points, require_path, sort_config, sort_points
from runstore.training.stores import SessionStore
from runstore.values.checks import check_terminal_status, shown
from runstore.values.ids import new_run_id

__all__ = ["RunSession", "ending_of"]


class RunSession(LogsMedia):
    """A run that is being trained: its id, its beginning, its writes, its end.

    The id is known from the start, whatever the store does. :meth:`begin`, or the first write where it was not called,
    raises whatever only a person can mend: wrong arguments, a wrong URL or password, a database that turns us away. Only
    a store that is away or full does not stop it. From then on no method raises because of the store. A failure is logged
    as a warning once per outage and counted; the store is left alone for a while, longer each time, up to a minute, so that
    a dead one does not slow training down. A beginning that failed is made up for before the next write, and config
    that could not be stored goes with it. :meth:`end` always tries, and says what was not stored. To lose nothing at
    all, give a durable store (the default of :func:`runstore.open_store`): the session is the last line behind it.

    An argument of the wrong kind (a mapping where points belong) is a mistake in the program and raises at once. A value
    that breaks a rule (a name that is too long) may come from data: it is left out, named once and counted, and the
    rest of its call is stored.

    Every method may be called from any thread. A session may be pickled; the copy writes to the same run.

    Attributes:
        run_id: the run's id, made here unless it was given. Like those that follow, it may be set until the run begins.
        experiment: the experiment's name, if the run is to be created.
        tags: short texts by key.
        provenance: where the run comes from, nested and typed like a config.
        maker: makes the points of :meth:`log`. A framework's logger gives its own, so that each name has one series.
        step_now: tells :meth:`log` the step where training is, where a framework knows it.
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
        self.run_id: str = new_run_id() if run_id is None else run_id
        self.tags: dict[str, str] = dict(tags or {})
        self.provenance: dict[str, Any] = dict(provenance or {})
        self.maker: PointMaker = PointMaker(MetricNames())
        self.step_now: Callable[[], int] | None = None
        self._next_step = 0
        self._misses = Misses(clock)
        self._store = SessionStore(store)
        self.experiment = experiment
        self._experiment_id = experiment_id
        self._may_exist = run_id is not None
        self._birth: dict[str, Any] = {
            "training_mode": training_mode,
            "parent_run_id": parent_run_id,
            "client_id": client_id,
            "name": name,
            "source_path": source_path,
        }
        self._resume = False
        self._has_begun = False
        self._was_tried = False
        self._unsent_configs: list[Mapping[str, Any]] = []
        self._lock = threading.RLock()

    @property
    def store(self) -> RunStore:
        """The store, opened now if it was not; what opening raises comes through."""
        return self._store.get()

    @property
    def is_open(self) -> bool:
        """Whether a store is open that this session has opened."""
        return self._store.is_open

    @property
    def has_begun(self) -> bool:
        """Whether the store has acknowledged the run's beginning."""
        return self._has_begun

    @property
    def failures(self) -> int:
        """How many calls the store did not take, or not whole, as far as that is known by now."""
        return self._misses.calls + self._store.lost(self.run_id).calls

    @property
    def points_not_stored(self) -> int:
        """How many metric points were in those calls, or were left out of them."""
        return self._misses.points + self._store.lost(self.run_id).points

    @property
    def last_error(self) -> Exception | None:
        """What was wrong last."""
        return self._misses.last_error

    def begin(self, *, resume: bool = False) -> str:
        """The run's id, after the run was created, found or, with ``resume=True``, reopened if it had ended.

        Beginning again changes nothing, except that ``resume=True`` reopens a run that has ended since.

        Raises:
            InvalidValueError: (a ``ValueError``) a run must be created, and neither ``experiment`` nor
                ``experiment_id`` is given.
            RunStoreError: another thing that must be mended before training: an unknown experiment or parent, the run
                under another experiment, a bad argument or URL, a missing driver, a database that is not ours or that
                turns us away (wrong password, no such database, no right to write).
            Exception: what else the store raised; every error but "away" and "full" ends the training before it begins.
        """
        self._was_tried = True
        if self.experiment is None and self._experiment_id is None and not self._may_exist:
            raise InvalidValueError(
                f"cannot create run {self.run_id!r}: experiment_id is missing; "
                "give experiment_id=..., or experiment=... to use one by its name, or run_id=... of an existing run"
            )
        with self._lock:
            if resume:
                self._resume, self._has_begun = True, False
            try:
                self._make_begun()
            except RunStoreError as error:
                if not error.is_transient:
                    raise
                self._misses.note_failure(self.run_id, "begin", error)
        return self.run_id

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> bool:
        """Logs numbers by name: ``session.log({"my/metric": 3})``; whether the store took them all.

        Args:
            metrics: as for :meth:`runstore.ActiveRun.log`. What is no number is left out and told once.
            step: without one, where the framework says that training is; without a framework the step after the
                highest one of this method.

        Raises:
            InvalidValueError: this is no mapping.
        """
        if step is None:
            step = self._next_step if self.step_now is None else self.step_now()
        at = step_of(step)
        if type(at) is int:
            self._next_step = max(self._next_step, at + 1)
        points = self.maker.points(metrics, at)
        return not points or self.log_metrics(points)

    def log_metrics(self, points: Iterable[MetricPoint]) -> bool:
        """Writes points; whether the store took them all. One that breaks a rule is left out, named once and counted.

        Raises:
            InvalidValueError: these are no points; says how to make some.
        """
        kept = check_kind_of_points(points)
        return self._write(
            "log_metrics",
            lambda store: store.log_metrics(self.run_id, kept),
            points=len(kept),
            sort_out=lambda refusal: self._log_good_points(kept, refusal),
        )

    def log_config(self, config: Mapping[str, Any]) -> bool:
        """Merges a mapping into the run's config; whether the store took it all. If not, it goes with the next write.

        A key whose value cannot be kept is left out, named once and counted.

        Raises:
            InvalidValueError: this is no mapping.
        """
        sorted_out = sort_config(config)
        if sorted_out.refused:
            self._misses.note_refused(self.run_id, sorted_out.refused, sorted_out.error)
            if not sorted_out.good:
                return False
        with self._lock:
            self._unsent_configs.append(sorted_out.good)
        return self._write("log_config", lambda _store: None) and not sorted_out.refused

    def log_artifact(
        self,
        path: str | PathLike[str],
        name: str | None = None,
        *,
        artifact_type: str = "file",
        copy: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> Artifact | None:
        """Keeps a file or directory with the run; its record, or ``None`` where the store did not take it.

        Raises:
            InvalidValueError: the path is no text and no path.
        """
        place = require_path(path)
        records: list[Artifact] = []

        self._write(
            "log_artifact",
            lambda store: records.append(
                store.log_artifact(
                    self.run_id, place, name=name, artifact_type=artifact_type, copy=copy, metadata=metadata
                )
            ),
        )
        return records[0] if records else None

    def log_media(self, media: Media) -> Artifact | None:
        """Keeps what :mod:`runstore.media` makes; its record, or ``None`` where it was not stored.

        What cannot be drawn or encoded is named once and counted, as what the store does not take.
        """
        if self._misses.is_quiet:
            self._misses.count()
            return None
        try:
            return media.log(self.log_artifact)
        except Exception as error:  # noqa: BLE001 - a stranger's code draws it; what it raised is kept
            part = Refused(f"{media.kind} {shown(media.name)}", described(error))
            self._misses.note_refused(self.run_id, [part], error)
            return None

    def edit(self, verb: str, change: Callable[[RunEditor], None]) -> bool:
        """Changes the run or its like; whether the store took it.

        Args:
            verb: what is changed, as a warning names it.
            change: calls one verb of the editor that it is given.
        """

        def write(store: RunStore) -> None:
            if not isinstance(store, RunEditor):
                raise InvalidValueError(f"{verb} needs a store that changes runs; {type(store).__name__} does not")
            change(store)

        return self._write(verb, write)

    def end(self, status: RunStatus | str, error: BaseException | RunFailure | None = None) -> bool:
        """Ends the run with a terminal status; whether the store took it. Says what was not stored, if anything.

        Raises:
            InvalidValueError: the status is none that ends a run.
        """
        status = check_terminal_status(status)
        if is_pruned(error):
            error = RunFailure(type=PRUNED, message=str(error), traceback="")
        self._misses.try_again_now()
        is_stored = self._write("finalize", lambda store: store.finalize(self.run_id, status, error=error))
        self._misses.sum_up(self.run_id, status, self._store.lost(self.run_id))
        return is_stored

    def end_with(self, error: BaseException | None) -> bool:
        """Ends the run as :func:`ending_of` reads what ended the training; whether the store took it."""
        return self.end(ending_of(error), error)

    def close(self) -> None:
        """Closes the store if this session opened it. A later call opens it again; the run's status stays."""
        failure = self._store.close(self.run_id)
        if failure is not None:
            self._misses.note_failure(self.run_id, "close", failure)

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

    def __repr__(self) -> str:
        """The run, its experiment, and whether the store has acknowledged its beginning."""
        return f"RunSession({self.run_id!r}, experiment={self.experiment!r}, has_begun={self._has_begun})"

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the lock."""
        return self.__dict__ | {"_lock": None}

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
        if experiment_id is None and self.experiment is not None:
            experiment_id = store.get_or_create_experiment(self.experiment)
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
                except RunStoreError as error:
                    if error.is_mistake:
                        del self._unsent_configs[0]
                    raise
                del self._unsent_configs[0]

    def _log_good_points(self, points: list[MetricPoint], refusal: InvalidValueError) -> bool:
        """Writes what is left of a refused call without the points that break a rule."""
        good, refused, error = sort_points(points)
        if error is None:
            raise refusal  # the store's own reason, which lies in no single point
        self._misses.note_refused(self.run_id, refused, error, points=len(refused))
        if good:
            self.log_metrics(good)
        return False

    def _write(
        self,
        verb: str,
        write: Callable[[RunStore], None],
        *,
        points: int = 0,
        sort_out: Callable[[InvalidValueError], bool] | None = None,
    ) -> bool:
        """Whether the store took a write, before which the run begins and what waited is sent.

        Raises:
            Exception: nobody began the run before, and it cannot begin; see :meth:`begin`.
        """
        if not self._was_tried:
            self.begin()
        if self._misses.is_quiet:
            self._misses.count(points)
            return False
        try:
            if not self._has_begun:
                with self._lock:
                    self._make_begun()
            store = self.store
            if self._unsent_configs:
                self._send_configs(store)
            try:
                write(store)
            except InvalidValueError as error:
                if sort_out is None:
                    raise
                return sort_out(error)
        except Exception as error:  # noqa: BLE001 - a store is a stranger's code; what it raised is kept
            self._misses.note_failure(self.run_id, verb, error, points=points)
            return False
        self._misses.note_success(self.run_id)
        return True
