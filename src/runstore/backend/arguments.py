"""What the verbs were given, checked: the values that a backend's operations take and a recorder journals."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Self

from msgspec import Struct

from runstore.errors import ConflictError, InvalidValueError, RunFinalizedError
from runstore.model import RunFailure, RunStatus, from_microseconds
from runstore.values.checks import (
    MAX_STEP,
    check_failure,
    check_flag,
    check_name,
    check_optional_name,
    check_optional_text,
    check_run_id,
    check_step,
    check_tags,
    check_terminal_status,
    check_time,
    check_word,
)
from runstore.values.config import ConfigDocument
from runstore.values.ids import experiment_id_of, new_run_id

DEFAULT_LEASE_S: Final = 86_400.0
"""Seconds without a heartbeat after which a run is shown as ``lost`` when nobody beats for it more often."""

BEATS_A_LEASE: Final = 10
"""A write renews the heartbeat of its run once a tenth of the lease: often enough, and it spares most writes a row."""


def is_lost(status: RunStatus, *, heartbeat_us: int, lease_s: float, now_us: int) -> bool:
    """Whether a run that is stored with this status has not been heard of for longer than its lease (FIN.6)."""
    return status is RunStatus.IN_PROGRESS and now_us > heartbeat_us + lease_s * 1e6


class NewExperiment(Struct, frozen=True, kw_only=True):
    """An experiment to be made, or found; its id follows from its name (EXP.1).

    Attributes:
        late_us: when it was asked for, if the call was kept in a journal for some time.
    """

    id: str
    name: str
    description: str | None
    late_us: int | None = None

    @classmethod
    def checked(cls, name: object, *, description: object) -> Self:
        """The arguments of ``get_or_create_experiment``."""
        name = check_name(name, "experiment name")
        return cls(id=experiment_id_of(name), name=name, description=check_optional_text(description, "description"))

    def shows(self, deleted_us: int | None) -> bool:
        """Whether the experiment is shown from now on: not by what was asked for before it was deleted, if it is."""
        return self.late_us is None or deleted_us is None or self.late_us > deleted_us

    def describes(self, described_us: int | None) -> bool:
        """Whether an experiment without a description takes this one: not if it was removed after this was asked for.

        Args:
            described_us: when the description was replaced or removed last; ``None`` for never.
        """
        return self.description is not None and (
            self.late_us is None or described_us is None or self.late_us > described_us
        )


class NewRun(Struct, frozen=True, kw_only=True):
    """A run to be made, or found.

    Attributes:
        id: given by the caller, or new.
        is_named: whether the caller gave the id; if not, no run can have it yet.
        experiment_id: ``None`` only for a run that is known to exist.
        tags: in the order of their keys.
        start_us: microseconds since 1970 UTC; ``None`` for the moment at which the run is made.
        resume: reopen the run if it has ended.
    """

    id: str
    is_named: bool
    experiment_id: str | None
    training_mode: str
    parent_run_id: str | None
    client_id: str | None
    name: str | None
    source_path: str | None
    tags: dict[str, str]
    provenance: ConfigDocument
    start_us: int | None
    resume: bool

    @classmethod
    def checked(  # noqa: PLR0913 - the arguments of ensure_run, keyword-only
        cls,
        *,
        experiment_id: object,
        run_id: object,
        training_mode: object,
        parent_run_id: object,
        client_id: object,
        name: object,
        source_path: object,
        tags: object,
        provenance: Mapping[str, Any] | None,
        start_time: object,
        resume: object,
    ) -> Self:
        """The arguments of ``ensure_run``; an experiment that is missing is told by :meth:`require_experiment`."""
        new = cls(
            id=new_run_id() if run_id is None else check_run_id(run_id),
            is_named=run_id is not None,
            experiment_id=None if experiment_id is None else check_name(experiment_id, "experiment_id"),
            training_mode=check_word(training_mode, "training_mode"),
            parent_run_id=None if parent_run_id is None else check_run_id(parent_run_id, "parent_run_id"),
            client_id=check_optional_name(client_id, "client_id"),
            name=check_optional_name(name, "name"),
            source_path=check_optional_text(source_path, "source_path"),
            tags=check_tags(tags),
            provenance=ConfigDocument.checked({} if provenance is None else provenance, "provenance"),
            start_us=None if start_time is None else check_time(start_time, "start_time"),
            resume=check_flag(resume, "resume"),
        )
        if not new.is_named:
            new.require_experiment()
        return new

    def require_experiment(self) -> str:
        """The experiment's id, which a run that must be made needs (RUN.4)."""
        if self.experiment_id is None:
            asked = f"run {self.id!r}, which does not exist yet" if self.is_named else "a new run"
            raise InvalidValueError(
                f"experiment_id is missing and is needed to create {asked}; "
                "pass experiment_id=store.get_or_create_experiment(name)"
            )
        return self.experiment_id

    def check_found(self, experiment_id: str) -> None:
        """Refuses a run that was found under another experiment than asked for (RUN.5)."""
        if self.experiment_id not in {None, experiment_id}:
            raise ConflictError(
                f"run {self.id!r} was asked for under experiment {self.experiment_id!r} but belongs to "
                f"{experiment_id!r}; leave experiment_id out or choose another run_id"
            )


class RunEnd(Struct, frozen=True, kw_only=True):
    """How a run ends.

    Attributes:
        end_us: microseconds since 1970 UTC; ``None`` for the moment at which the end is stored.
        is_movable: nobody named the end: one that lies before the run's start is moved there.
    """

    status: RunStatus
    end_us: int | None
    failure: RunFailure | None
    is_movable: bool = False

    @classmethod
    def checked(cls, status: object, *, end_time: datetime | None, error: BaseException | RunFailure | None) -> Self:
        """The arguments of ``finalize``."""
        return cls(
            status=check_terminal_status(status),
            end_us=None if end_time is None else check_time(end_time, "end_time"),
            failure=check_failure(error),
        )

    def is_reached(self, run_id: str, found: RunStatus | str) -> bool:
        """Whether a stored run has ended this way already (FIN.2).

        Raises:
            RunFinalizedError: it has ended in another way.
        """
        if found == RunStatus.IN_PROGRESS:
            return False
        if found != self.status:
            raise RunFinalizedError.of(run_id, found=found, asked=self.status)
        return True

    def moment(self, *, start_us: int, now_us: int) -> int:
        """When a run that began at ``start_us`` ends: as given, or now, and never before its start (FIN.3)."""
        if self.end_us is None or self.is_movable:
            return max(now_us if self.end_us is None else self.end_us, start_us)
        if self.end_us < start_us:
            raise InvalidValueError(
                f"end_time {from_microseconds(self.end_us).isoformat()} lies before the run's start "
                f"{from_microseconds(start_us).isoformat()}; give a later one or leave it out"
            )
        return self.end_us


class StepRange(Struct, frozen=True):
    """Steps from ``low`` to ``high``, both included."""

    low: int = 0
    high: int = MAX_STEP

    @classmethod
    def checked(cls, low: object, high: object) -> Self:
        """The ``min_step`` and ``max_step`` of ``get_history``; ``None`` for no bound."""
        return cls(
            0 if low is None else check_step(low, "min_step"),
            MAX_STEP if high is None else check_step(high, "max_step"),
        )
