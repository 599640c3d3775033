"""What a recorder knows of itself: per run what was accepted, what is stored, what waits and what failed.

The counts are stored with the run as well, so that "nothing was lost" can be checked afterwards by any reader: each
writer of a run keeps one artifact record named ``runstore.health/<writer>`` (no bytes, the figures are its metadata).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, ValidationError, convert, to_builtins
from msgspec.structs import asdict

from runstore.model import HEALTH_PREFIX, Artifact

HEALTH_TYPE = "health"
HEALTH_URI = "runstore:health"


class Counts(Struct, frozen=True, kw_only=True):
    """How many calls, or points, of one run stand where.

    Attributes:
        accepted: given to the recorder, which said yes.
        stored: acknowledged by the database.
        quarantined: refused by the database for good, or unreadable in the journal; kept in the dead-letter file.
        dropped: lost. Accepted neither by the disk nor by memory, because both were full; or in memory alone, because the
            disk was full, when the recorder was closed; or not taken any more by a run that somebody deleted.
    """

    accepted: int
    stored: int
    quarantined: int
    dropped: int

    @property
    def waiting(self) -> int:
        """Accepted, and neither stored nor quarantined yet."""
        return self.accepted - self.stored - self.quarantined


def sum_counts(counts: Iterable[Counts]) -> Counts:
    """All of them together, as those of a run's writers."""
    counts = list(counts)
    return Counts(**{name: sum(getattr(each, name) for each in counts) for name in Counts.__struct_fields__})


class SentAgain(Struct, frozen=True, kw_only=True):
    """That the database had gone back behind what it had acknowledged, and what was done about it.

    Attributes:
        at: when that was seen last.
        points_missing: how many points it had forgotten, as far as can be counted.
        points: how many were sent again.
        calls: how many other records were.
        lost: what could not be sent again, in a few words each; at most 20.
    """

    at: datetime
    points_missing: int = 0
    points: int = 0
    calls: int = 0
    lost: tuple[str, ...] = ()


class _Figures(Struct, frozen=True, kw_only=True):
    calls: Counts
    points: Counts
    longest_lag_s: float = 0.0
    last_error: str | None = None
    last_error_at: datetime | None = None
    sent_again: SentAgain | None = None


class RunHealth(_Figures, frozen=True, kw_only=True):
    """One run's figures, as one writer sees them.

    Attributes:
        run_id: the run.
        calls: how many calls of every verb stand where.
        points: how many metric points.
        longest_lag_s: the longest that any of the writer's records waited before it was stored. In this and the next two a
            stored report speaks of the whole writer; in :attr:`Health.runs` they are empty, for :class:`Health` has them.
        last_error: what the database or the disk said last when it failed.
        last_error_at: when.
        sent_again: what was sent again, because the database had forgotten it; ``None`` where it had not.
    """

    run_id: str

    @property
    def is_lost(self) -> bool:
        """Whether the database has forgotten something that could not be sent again."""
        return self.sent_again is not None and bool(self.sent_again.lost)


class Health(Struct, frozen=True, kw_only=True):
    """How a recorder stands at the moment of asking.

    Attributes:
        writer: the name of this writer's folder, unique for ever.
        journal: the folder; what waits lies there.
        is_store_away: whether the database fails to answer at present.
        is_in_memory: whether records go to memory because the disk refuses.
        waiting_bytes: of records not stored yet.
        lag_s: the age of the oldest record not stored yet; 0 when none waits.
        last_error: what the database or the disk said last when it failed; kept after it recovered.
        last_error_at: when.
        quarantined_records: how many records lie in the dead-letter file.
        damaged_bytes: how many bytes of the journal could not be read.
        repairable_since: what was stored before this moment is in the journal no more, so that it could not be sent again
            if the database forgot it; ``None`` where the journal has everything.
        runs: by run id; calls that belong to no run (experiments) stand under ``""``.
    """

    writer: str
    journal: str
    is_store_away: bool
    is_in_memory: bool
    waiting_bytes: int
    lag_s: float
    last_error: str | None
    last_error_at: datetime | None
    quarantined_records: int
    damaged_bytes: int
    repairable_since: datetime | None = None
    runs: dict[str, RunHealth]

    @property
    def is_all_stored(self) -> bool:
        """Whether everything accepted is in the database: nothing waits, was refused, dropped or damaged, or forgotten for good."""
        return not (
            self.waiting_bytes
            or self.quarantined_records
            or self.damaged_bytes
            or any(run.calls.dropped or run.is_lost for run in self.runs.values())
        )


def health_metadata(health: RunHealth) -> dict[str, Any]:
    """The metadata of the artifact record that is stored with the run."""
    metadata: dict[str, Any] = to_builtins(health)
    del metadata["run_id"]
    if health.sent_again is None:
        del metadata["sent_again"]
    return metadata


def stored_health(run_id: str, artifacts: Iterable[Artifact]) -> dict[str, RunHealth]:
    """What each writer of a run reported last, by writer, from the run's artifact records as a bare store gives them.

    ``reader.list_artifacts(run_id)`` is all it takes; a run that no recorder wrote gives ``{}``.
    """
    found = {}
    for artifact in artifacts:
        if artifact.name.startswith(HEALTH_PREFIX) and artifact.artifact_type == HEALTH_TYPE:
            try:
                figures = convert(artifact.metadata, _Figures)
            except ValidationError:  # somebody's own artifact, that happens to be called so
                continue
            writer = artifact.name.removeprefix(HEALTH_PREFIX)
            found[writer] = RunHealth(run_id=run_id, **asdict(figures))
    return found


def split_reports(run_id: str, artifacts: Iterable[Artifact]) -> tuple[dict[str, RunHealth], list[Artifact]]:
    """What :func:`stored_health` gives, and the artifact records that are no such reports."""
    artifacts = list(artifacts)
    reports = stored_health(run_id, artifacts)
    names = {f"{HEALTH_PREFIX}{writer}" for writer in reports}
    return reports, [each for each in artifacts if each.name not in names]


def sent_again(reports: Iterable[RunHealth]) -> list[SentAgain]:
    """What each writer sent again, because the database had forgotten it; the newest first."""
    found = [report.sent_again for report in reports if report.sent_again is not None]
    return sorted(found, key=lambda each: each.at, reverse=True)


def last_errors(reports: Mapping[str, RunHealth]) -> list[tuple[datetime, str]]:
    """The last error of each writer, the newest first."""
    found = [(report.last_error_at, report.last_error) for report in reports.values()]
    return sorted(((at, said) for at, said in found if at and said), reverse=True)
