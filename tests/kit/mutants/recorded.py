"""Planted bugs that only show behind the recorder, which calls operations (DUR.7)."""

from collections.abc import Iterable, Sequence

from kit.mutants.base import Mutant
from runstore.model import MetricPoint, SeriesSummary


class SeriesAreNotedByTheVerb(Mutant, breaks="DUR.7"):
    """Does a part of its work around a public method, from the points that a program gives it."""

    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        given = list(points)
        super().log_metrics(run_id, given)
        noted = self.database.__dict__.setdefault("noted", set())
        noted.update((run_id, point.name, point.dataset_type) for point in given)

    def read_summaries(self, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:
        noted = self.database.__dict__.get("noted", set())
        return {
            run_id: [each for each in summaries if (run_id, each.name, each.dataset_type) in noted]
            for run_id, summaries in super().read_summaries(run_ids).items()
        }
