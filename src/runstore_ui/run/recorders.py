"""What the recorders of a run have told of themselves: whether anything was lost, and what still waits."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from runstore.health import RunHealth, last_errors, sent_again, split_reports, sum_counts
from runstore.model import HEALTH_PREFIX, Artifact, from_microseconds

_WORDS: Final = {
    "accepted": "accepted",
    "stored": "stored",
    "waiting": "waiting",
    "refused": "quarantined",
    "lost": "dropped",
}
"""What the page calls each count."""


_MOST_WRITERS: Final = 100
_ORDERED: Final = 7


class Writer(Struct, frozen=True, kw_only=True):
    """One process that wrote to a run.

    Attributes:
        began: when its recorder was opened; ``None`` where its name does not tell.
        reported: when it told of itself last.
        points: how many points it stored.
        lost: how many points it lost, and how many were refused.
        error: what went wrong last; empty if nothing did.
    """

    began: datetime | None
    reported: datetime
    points: int
    lost: int
    error: str


class Recorders(Struct, frozen=True, kw_only=True):
    """All recorders of a run, taken together.

    Attributes:
        text: in a few words: ``0 lost``, and what waits or was refused.
        is_whole: whether nothing was lost or refused.
        figures: name and text of each figure.
        files: the artifacts that are no reports of recorders.
        writers: each process that wrote to the run, the newest first; a new attempt has a new one.
        writer_count: how many there are.
    """

    text: str
    is_whole: bool
    figures: tuple[tuple[str, str], ...]
    files: tuple[Artifact, ...]
    writers: Sequence[Writer] = ()
    writer_count: int = 0


def recorders_of(run_id: str, artifacts: Iterable[Artifact]) -> Recorders:
    """What the reports among a run's artifacts say. A run that no recorder wrote has no figures."""
    artifacts = list(artifacts)
    reports, files = split_reports(run_id, artifacts)
    if not reports:
        return Recorders(text="", is_whole=True, figures=(), files=tuple(files))
    calls = sum_counts(report.calls for report in reports.values())
    points = sum_counts(report.points for report in reports.values())
    figures = [
        (word, f"{getattr(calls, name):,} calls, {getattr(points, name):,} points") for word, name in _WORDS.items()
    ]
    figures.append(("writers", f"{len(reports):,}"))
    figures.append(("longest lag", f"{max(report.longest_lag_s for report in reports.values()):.1f} s"))
    figures += [(f"error at {at.isoformat(timespec='seconds')}", said) for at, said in last_errors(reports)]
    returns = sent_again(reports.values())
    figures += [
        (
            f"gone back at {each.at.isoformat(timespec='seconds')}",
            f"{each.points:,} points, {each.calls:,} records sent again",
        )
        for each in returns
    ]
    forgotten = [lost for each in returns for lost in each.lost]
    figures += [("forgotten for good", lost) for lost in forgotten]
    told = [f"{calls.dropped:,} lost"]
    if forgotten:
        told.append(f"{len(forgotten):,} forgotten by the database")
    told += [
        f"{count:,} {word}" for word, count in (("waiting", calls.waiting), ("refused", calls.quarantined)) if count
    ]
    is_whole = not (calls.dropped or calls.quarantined or forgotten)
    return Recorders(
        text=", ".join(told),
        is_whole=is_whole,
        figures=tuple(figures),
        files=tuple(files),
        writers=_writers(reports, artifacts),
        writer_count=len(reports),
    )


def _writers(reports: Mapping[str, RunHealth], artifacts: Iterable[Artifact]) -> list[Writer]:
    records = {each.name.removeprefix(HEALTH_PREFIX): each for each in artifacts if each.name.startswith(HEALTH_PREFIX)}
    found = [
        Writer(
            began=_birth(name),
            reported=records[name].created_at,
            points=report.points.stored,
            lost=report.points.dropped + report.points.quarantined,
            error=report.last_error or "",
        )
        for name, report in reports.items()
    ]
    return sorted(found, key=lambda each: each.began or each.reported, reverse=True)[:_MOST_WRITERS]


def _birth(writer: str) -> datetime | None:
    """When a writer was made: its name begins with that, in milliseconds."""
    try:
        found = UUID(writer)
    except ValueError:
        return None
    return from_microseconds((found.int >> 80) * 1000) if found.version == _ORDERED else None
