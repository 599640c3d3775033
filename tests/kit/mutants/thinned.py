"""Planted bugs in what a thinned history takes and how it counts (CHG.13)."""

from collections.abc import Sequence

from msgspec.structs import replace

from kit.mutants.base import Mutant
from runstore.backend import StepRange, Thinning
from runstore.charts import HistoryGrid
from runstore.memory.store import MemoryStore
from runstore.model import SeriesSummary, Thinned
from runstore.series import Columns, GridRequest, Series, SeriesColumns, sample, summarize

_LEFT_WHOLE = 1000
_LEFT_OF_THE_REST = 500


class Thinner(Mutant):
    """Has no bug: hides the points that it thins from histories, and closes what it has thinned.

    Summaries and charts still tell of all points, so they are what roll-ups would make them.
    """

    @property
    def hidden(self) -> dict[tuple[str, Series], tuple[int, set[int]]]:
        """The last step that is closed, and the steps that are gone, of each series that was thinned."""
        found: dict[tuple[str, Series], tuple[int, set[int]]] = vars(self.database).setdefault("hidden", {})
        return found

    @property
    def all_points(self) -> MemoryStore:
        return MemoryStore(self.database)

    def thin(self, asked: Thinning) -> Thinned:
        before = sum(len(gone) for _, gone in self.hidden.values())
        for run_id, entry in self.database.runs.items():
            end = entry.run.end_time
            if end is None or end.timestamp() * 1e6 >= asked.ended_before_us:
                continue
            for key, series in entry.series.items():
                old = sorted(series.points)[:-_LEFT_WHOLE]
                columns = self.all_points.read_history(run_id, key, StepRange(0, old[-1])) if old else None
                if columns is not None:
                    kept = sample(columns, _LEFT_OF_THE_REST).steps
                    self.hidden[run_id, key] = old[-1], {*old} - {*kept}
        return Thinned(series=len(self.hidden), points=sum(len(gone) for _, gone in self.hidden.values()) - before)

    def append(self, run_id: str, series: SeriesColumns) -> None:
        super().append(run_id, {key: self.taken(run_id, key, batch) for key, batch in series.items()})

    def taken(self, run_id: str, series: Series, batch: Columns) -> Columns:
        closed, _ = self.hidden.get((run_id, series), (-1, set()))
        return batch.after(closed)

    def read_history(self, run_id: str, series: Series, steps: StepRange) -> Columns | None:
        whole = super().read_history(run_id, series, steps)
        _, gone = self.hidden.get((run_id, series), (-1, set[int]()))
        if whole is None or not gone:
            return whole
        return whole.at([position for position, step in enumerate(whole.steps) if step not in gone])

    def read_sample(self, run_id: str, series: Series, max_points: int, steps: StepRange) -> tuple[Columns, int] | None:
        return self.all_points.read_sample(run_id, series, max_points, steps)

    def read_grid(self, asked: GridRequest, steps: StepRange) -> HistoryGrid:
        return self.all_points.read_grid(asked, steps)


class PointsThatWereTakenOutCountAsNew(Thinner, breaks="CHG.13"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        again: dict[tuple[str, Series], set[int]] = vars(self.database).setdefault("again", {})
        for key, batch in series.items():
            _, gone = self.hidden.get((run_id, key), (-1, set[int]()))
            again.setdefault((run_id, key), set()).update(gone.intersection(batch.steps))
        super().append(run_id, series)

    def read_summaries(self, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:
        again: dict[tuple[str, Series], set[int]] = vars(self.database).get("again", {})
        return {
            run_id: [
                replace(each, count=each.count + len(again.get((run_id, (each.name, each.dataset_type)), ())))
                for each in summaries
            ]
            for run_id, summaries in super().read_summaries(run_ids).items()
        }


class PointsThatWereLeftAreOverwritten(Thinner, breaks="CHG.13"):
    def taken(self, run_id: str, series: Series, batch: Columns) -> Columns:
        _, gone = self.hidden.get((run_id, series), (-1, set[int]()))
        return batch.at([position for position, step in enumerate(batch.steps) if step not in gone])


class ThinnedHistoriesTakeNothing(Thinner, breaks="CHG.13"):
    def taken(self, run_id: str, series: Series, batch: Columns) -> Columns:
        return Columns.empty() if (run_id, series) in self.hidden else batch


class AnOverwrittenExtremeIsLookedForInWhatIsLeft(Thinner, breaks="CHG.13"):
    """Counts those points, too."""

    def append(self, run_id: str, series: SeriesColumns) -> None:
        lost: set[tuple[str, str, str]] = vars(self.database).setdefault("lost", set())
        for each in self.read_summaries([run_id]).get(run_id, []):
            batch = series.get((each.name, each.dataset_type))
            if batch is not None and each.max is not None and each.max.step in batch.steps:
                lost.add((run_id, each.name, each.dataset_type))
        super().append(run_id, series)

    def read_summaries(self, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:
        found = super().read_summaries(run_ids)
        for run_id, name, dataset_type in vars(self.database).get("lost", ()):
            left = self.read_history(run_id, (name, dataset_type), StepRange())
            if run_id in found and left is not None:
                others = [each for each in found[run_id] if (each.name, each.dataset_type) != (name, dataset_type)]
                found[run_id] = [*others, summarize(name, dataset_type, left.steps, left.values)]
        return found


class GridsCountWhatIsLeft(Thinner, breaks="CHG.13"):
    def read_grid(self, asked: GridRequest, steps: StepRange) -> HistoryGrid:
        return super(Thinner, self).read_grid(asked, steps)
