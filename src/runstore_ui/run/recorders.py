"""What the recorders of a run have told of themselves: whether anything was lost, and what still waits."""

from collections.abc import Iterable

from msgspec import Struct

from runstore.health import stored_health
from runstore.model import Artifact


class Recorders(Struct, frozen=True, kw_only=True):
    """All recorders of a run, taken together.

    Attributes:
        text: in a few words: ``0 lost``, and what waits or was refused.
        is_whole: whether nothing was lost or refused.
        figures: name and text of each figure.
        files: the artifacts that are no reports of recorders.
    """

    text: str
    is_whole: bool
    figures: tuple[tuple[str, str], ...]
    files: tuple[Artifact, ...]


def recorders_of(run_id: str, artifacts: Iterable[Artifact]) -> Recorders:
    """What the reports among a run's artifacts say. A run that no recorder wrote has no figures."""
    artifacts = list(artifacts)
    reports = stored_health(run_id, artifacts)
    names = {f"runstore.health/{writer}" for writer in reports}
    files = tuple(each for each in artifacts if each.name not in names)
    if not reports:
        return Recorders(text="", is_whole=True, figures=(), files=files)
    both = [(report.calls, report.points) for report in reports.values()]
    counts = {
        word: (sum(getattr(calls, name) for calls, _ in both), sum(getattr(points, name) for _, points in both))
        for word, name in (
            ("accepted", "accepted"),
            ("stored", "stored"),
            ("waiting", "waiting"),
            ("refused", "quarantined"),
            ("lost", "dropped"),
        )
    }
    told = [
        f"{counts[word][0]:,} {word}" for word in ("lost", "waiting", "refused") if word == "lost" or counts[word][0]
    ]
    figures = [(word, f"{calls:,} calls, {points:,} points") for word, (calls, points) in counts.items()]
    figures.append(("writers", f"{len(reports):,}"))
    figures.append(("longest lag", f"{max(report.longest_lag_s for report in reports.values()):.1f} s"))
    errors = [(report.last_error_at, report.last_error) for report in reports.values()]
    figures += [
        (f"error at {at.isoformat(timespec='seconds')}", said)
        for at, said in sorted(((at, said) for at, said in errors if at and said), reverse=True)
    ]
    is_whole = not (counts["lost"][0] or counts["refused"][0])
    return Recorders(text=", ".join(told), is_whole=is_whole, figures=tuple(figures), files=files)
