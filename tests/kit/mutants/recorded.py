"""Planted bugs that only show behind the recorder, which calls the operations of a backend and no verbs (DUR.7)."""

from collections.abc import Sequence

from kit.mutants.base import Mutant
from runstore.model import SeriesSummary
from runstore.series import Points, SeriesColumns


class SeriesAreNotedByTheCall(Mutant, breaks="DUR.7"):
    """Does a part of its work where a call's points come in, and not where they are appended."""

    def take_points(self, run_id: str, points: Points) -> None:
        super().take_points(run_id, points)
        noted = self.database.__dict__.setdefault("noted", set())
        noted.update((run_id, *series) for series in points.series)

    def read_summaries(self, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:
        noted = self.database.__dict__.get("noted", set())
        return {
            run_id: [each for each in summaries if (run_id, each.name, each.dataset_type) in noted]
            for run_id, summaries in super().read_summaries(run_ids).items()
        }


class PointsAreTakenByTheCallAlone(Mutant, breaks="DUR.7"):
    """Stores the points of a call as they come, and has no other way to store any."""

    def take_points(self, run_id: str, points: Points) -> None:
        super().append(run_id, points.by_series())

    def append(self, run_id: str, series: SeriesColumns) -> None:
        raise NotImplementedError(f"{len(series)} series of run {run_id}")
