"""One round of a federation, checked once, at birth."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import force_setattr

from runstore.errors import InvalidValueError
from runstore.model import from_microseconds
from runstore.values.checks import check_name, check_number, check_run_id, check_step, check_text, check_time, shown

MAX_CLIENTS: Final = 10_000
MAX_METRICS: Final = 1_000
MAX_REASON: Final = 1_000


class ClientStatus(StrEnum):
    """What became of a client in a round."""

    COMPLETED = "completed"
    """Its answer was taken."""
    FAILED = "failed"
    """It said that it had failed."""
    LATE = "late"
    """It gave no answer in time."""
    REFUSED = "refused"
    """Its answer was no good, and was left out."""
    AWAY = "away"
    """It was to take part and was not there."""


class ClientRound(Struct, frozen=True, kw_only=True):
    """What became of one client in one round.

    Attributes:
        client: its name, the same in every round, as ``"st-anna"``.
        status: ``"completed"``, ``"failed"``, ``"late"``, ``"refused"`` or ``"away"``.
        reason: why it did not complete, in words.
        run_id: its own run, a child of the federation's, where it has one: its curves are there.
        num_examples: how many samples it trained on.
        started_at: when it was asked.
        ended_at: when it had answered, or was given up.
        metrics: its figures, by name.

    Raises:
        InvalidValueError: one of them is not allowed.
    """

    client: str
    status: ClientStatus | str
    reason: str = ""
    run_id: str | None = None
    num_examples: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    metrics: dict[str, float] = {}

    def __post_init__(self) -> None:
        """Checks each, and keeps it in its canonical form."""
        try:
            status = ClientStatus(self.status)
        except ValueError:
            raise InvalidValueError(
                f"status is {shown(self.status)}; give one of {', '.join(map(repr, map(str, ClientStatus)))}"
            ) from None
        _keep(self, "client", check_name(self.client, "client"))
        _keep(self, "status", status)
        _keep(self, "reason", check_text(self.reason, "reason", max_length=MAX_REASON))
        _keep(self, "run_id", None if self.run_id is None else check_run_id(self.run_id))
        _keep(
            self, "num_examples", None if self.num_examples is None else check_step(self.num_examples, "num_examples")
        )
        _check_times(self)
        _keep(self, "metrics", _metrics(self.metrics))

    @property
    def duration_s(self) -> float | None:
        """How long it took, in seconds; ``None`` where it is not known."""
        return _duration(self.started_at, self.ended_at)


class Round(Struct, frozen=True, kw_only=True):
    """One round of a federation.

    Attributes:
        number: which, from 0 or 1 on.
        clients: those that were to take part, each once.
        started_at: when it began.
        ended_at: when it was over.
        metrics: the figures of all together, as the server has them.

    Raises:
        InvalidValueError: one of them is not allowed.
    """

    number: int
    clients: tuple[ClientRound, ...]
    started_at: datetime | None = None
    ended_at: datetime | None = None
    metrics: dict[str, float] = {}

    def __post_init__(self) -> None:
        """Checks each, and keeps it in its canonical form."""
        _keep(self, "number", check_step(self.number, "number"))
        if not isinstance(self.clients, (list, tuple)) or not all(
            isinstance(each, ClientRound) for each in self.clients
        ):
            raise InvalidValueError(f"clients is {shown(self.clients)}; give a list of ClientRound")
        names = [each.client for each in self.clients]
        if len(names) > MAX_CLIENTS:
            raise InvalidValueError(f"there are {len(names)} clients; at most {MAX_CLIENTS} are kept of a round")
        if len(set(names)) < len(names):
            twice = next(name for place, name in enumerate(names) if name in names[:place])
            raise InvalidValueError(f"clients have {shown(twice)} twice; give each client once")
        _keep(self, "clients", tuple(self.clients))
        _check_times(self)
        _keep(self, "metrics", _metrics(self.metrics))

    @property
    def duration_s(self) -> float | None:
        """How long it took, in seconds; ``None`` where it is not known."""
        return _duration(self.started_at, self.ended_at)

    @property
    def num_completed(self) -> int:
        """How many clients' answers were taken."""
        return sum(each.status is ClientStatus.COMPLETED for each in self.clients)


def _keep(value: Struct, field: str, checked: Any) -> None:
    force_setattr(value, field, checked)


def _check_times(value: ClientRound | Round) -> None:
    for field in ("started_at", "ended_at"):
        time = getattr(value, field)
        if time is not None:
            _keep(value, field, from_microseconds(check_time(time, field)).astimezone(UTC))
    if value.started_at and value.ended_at and value.ended_at < value.started_at:
        raise InvalidValueError(
            f"ended_at {value.ended_at.isoformat()} is before started_at {value.started_at.isoformat()}; give them in order"
        )


def _metrics(metrics: object) -> dict[str, float]:
    if not isinstance(metrics, Mapping):
        raise InvalidValueError(
            f"metrics is {shown(metrics)} of type {type(metrics).__name__}; give a mapping of numbers"
        )
    if len(metrics) > MAX_METRICS:
        raise InvalidValueError(f"there are {len(metrics)} metrics; at most {MAX_METRICS} are kept")
    return {
        check_name(name, "the name of a metric"): float(check_number(value, f"metrics[{name!r}]"))
        for name, value in metrics.items()
    }


def _duration(started_at: datetime | None, ended_at: datetime | None) -> float | None:
    return (ended_at - started_at).total_seconds() if started_at and ended_at else None
