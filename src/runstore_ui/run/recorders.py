"""What the recorders of a run have told of themselves: whether anything was lost, and what still waits."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from runstore.health import last_errors, split_reports, sum_counts
from runstore.model import Artifact

_WORDS: Final = {
    "accepted": "accepted",
    "stored": "stored",
    "waiting": "waiting",
    "refused": "quarantined",
    "lost": "dropped",
}
"""What the page calls each count."""


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
    told = [f"{calls.dropped:,} lost"]
    told += [
        f"{count:,} {word}" for word, count in (("waiting", calls.waiting), ("refused", calls.quarantined)) if count
    ]
    is_whole = not (calls.dropped or calls.quarantined)
    return Recorders(text=", ".join(told), is_whole=is_whole, figures=tuple(figures), files=tuple(files))
