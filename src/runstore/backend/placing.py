"""A run that was made elsewhere, checked: what ``place_run`` takes."""

from typing import Final, Self

from msgspec import Struct
from msgspec.structs import replace

from runstore.backend.presence import Presence, check_kept
from runstore.errors import ConflictError, InvalidValueError, RunDeletedError
from runstore.model import Run, RunFailure, RunStatus, from_microseconds
from runstore.values.checks import (
    check_failure,
    check_lease,
    check_name,
    check_optional_name,
    check_optional_text,
    check_run_id,
    check_tags,
    check_time,
    check_word,
    shown,
)
from runstore.values.config import ConfigDocument

_MOST_ATTEMPTS: Final = 2**31 - 1


class PlacedRun(Struct, frozen=True, kw_only=True):
    """A run with all of its facts as they were in another store.

    Attributes:
        status: ``in_progress`` or a final one. ``lost`` follows from heartbeat and lease, as in the store it comes from.
        tags: in the order of their keys.
        end_us: set for a final status, and for no other.
    """

    id: str
    experiment_id: str
    name: str | None
    status: RunStatus
    training_mode: str
    parent_run_id: str | None
    client_id: str | None
    attempt: int
    start_us: int
    end_us: int | None
    heartbeat_us: int
    lease_s: float
    source_path: str | None
    tags: dict[str, str]
    provenance: ConfigDocument
    failure: RunFailure | None
    note: str | None
    archived_us: int | None

    @classmethod
    def checked(cls, run: Run) -> Self:
        """The facts of a run, as a reader of another store gives it or as somebody has made it up.

        Raises:
            InvalidValueError: names the fact that no run can have.
        """
        placed = cls(
            id=check_run_id(run.id),
            experiment_id=check_name(run.experiment_id, "experiment_id"),
            name=check_optional_name(run.name, "name"),
            status=_status(run.status),
            training_mode=check_word(run.training_mode, "training_mode"),
            parent_run_id=None if run.parent_run_id is None else check_run_id(run.parent_run_id, "parent_run_id"),
            client_id=check_optional_name(run.client_id, "client_id"),
            attempt=_attempt(run.attempt),
            start_us=check_time(run.start_time, "start_time"),
            end_us=None if run.end_time is None else check_time(run.end_time, "end_time"),
            heartbeat_us=check_time(run.heartbeat_at, "heartbeat_at"),
            lease_s=check_lease(run.lease_s),
            source_path=check_optional_text(run.source_path, "source_path"),
            tags=check_tags(run.tags),
            provenance=ConfigDocument.checked(run.provenance, "provenance"),
            failure=check_failure(run.failure),
            note=check_optional_text(run.note, "note") or None,
            archived_us=None if run.archived_at is None else check_time(run.archived_at, "archived_at"),
        )
        placed._check_end()
        return placed

    def _check_end(self) -> None:
        if not self.status.is_final:
            if self.end_us is not None or self.failure is not None:
                raise InvalidValueError(
                    f"run {self.id!r} is {self.status} and has an end or a failure; only a run that has ended has them"
                )
        elif self.end_us is None:
            raise InvalidValueError(f"run {self.id!r} is {self.status} and has no end_time; give it one")
        elif self.end_us < self.start_us:
            raise InvalidValueError(
                f"end_time {from_microseconds(self.end_us).isoformat()} lies before the run's start "
                f"{from_microseconds(self.start_us).isoformat()}; give a later one"
            )

    def check_presence(self, presence: Presence | None) -> None:
        """Refuses an id whose run was deleted.

        Raises:
            RunDeletedError: it was, or it was purged.
        """
        if presence is not None:
            check_kept(self.id, presence)
        if presence is Presence.DELETED:
            raise RunDeletedError.of(self.id)

    def check_found(self, experiment_id: str, attempt: int) -> None:
        """Refuses a run that is there as another one, or that has gone on there.

        Raises:
            ConflictError: it belongs to another experiment, or is at a later attempt.
        """
        if experiment_id != self.experiment_id:
            raise ConflictError(
                f"run {self.id!r} was to be placed under experiment {self.experiment_id!r} but belongs to "
                f"{experiment_id!r} here; it stays as it is"
            )
        if attempt > self.attempt:
            raise ConflictError(
                f"run {self.id!r} was to be placed at attempt {self.attempt}, but has gone on here, to attempt {attempt}; "
                "it stays as it is"
            )

    def begun(self, *, now_us: int, lease_s: float) -> Self:
        """The run as it stands while what it has is being brought: in progress, and alive now."""
        return replace(
            self, status=RunStatus.IN_PROGRESS, end_us=None, failure=None, heartbeat_us=now_us, lease_s=lease_s
        )

    @property
    def run(self) -> Run:
        """The run as it is stored: for a backend that keeps each run as one value."""
        return Run(
            id=self.id,
            experiment_id=self.experiment_id,
            name=self.name,
            status=self.status,
            training_mode=self.training_mode,
            parent_run_id=self.parent_run_id,
            client_id=self.client_id,
            attempt=self.attempt,
            start_time=from_microseconds(self.start_us),
            end_time=None if self.end_us is None else from_microseconds(self.end_us),
            heartbeat_at=from_microseconds(self.heartbeat_us),
            lease_s=self.lease_s,
            source_path=self.source_path,
            tags=self.tags,
            provenance=self.provenance.values,
            failure=self.failure,
            note=self.note,
            archived_at=None if self.archived_us is None else from_microseconds(self.archived_us),
        )


def placed_over(placed: PlacedRun, known: Run) -> Run:
    """A run that is there, brought to the facts of one that is placed.

    Raises:
        ConflictError: see :meth:`PlacedRun.check_found`.
    """
    placed.check_found(known.experiment_id, known.attempt)
    return placed.run


def _status(value: RunStatus) -> RunStatus:
    try:
        status = RunStatus(value)
    except ValueError:
        raise InvalidValueError(f"status is {shown(value)}; known: {', '.join(RunStatus)}") from None
    return RunStatus.IN_PROGRESS if status is RunStatus.LOST else status


def _attempt(value: object) -> int:
    if type(value) is not int or not 1 <= value <= _MOST_ATTEMPTS:
        raise InvalidValueError(f"attempt is {shown(value)}; attempts count from 1")
    return value
