"""Planted bugs in samples and grids (MET.12, MET.14, MET.15)."""

from array import array

from msgspec.structs import replace

from kit.mutants.base import Mutant
from kit.mutants.metrics import picked
from runstore.backend import StepRange
from runstore.charts import GridAxis, HistoryGrid
from runstore.series import Columns, GridRequest, Series, SeriesColumns


class SamplesByStride(Mutant, breaks="MET.12"):
    def read_sample(self, run_id: str, series: Series, max_points: int, steps: StepRange) -> tuple[Columns, int] | None:
        whole = self.read_history(run_id, series, steps)
        if whole is None:
            return None
        count = len(whole.steps)
        return picked(whole, range(0, count, max(1, -(-count // max_points)))), count


class SamplesOfARangeCountTheWholeSeries(Mutant, breaks="MET.12"):
    def read_sample(self, run_id: str, series: Series, max_points: int, steps: StepRange) -> tuple[Columns, int] | None:
        found = super().read_sample(run_id, series, max_points, steps)
        whole = self.read_history(run_id, series, StepRange())
        return None if found is None or whole is None else (found[0], len(whole.steps))


class GridsMixUpInfinities(Mutant, breaks="MET.14"):
    def read_grid(self, asked: GridRequest, steps: StepRange) -> HistoryGrid:
        found = super().read_grid(asked, steps)
        plain = [
            replace(each, non_finite=array("B", [min(odd, 1) for odd in each.non_finite])) for each in found.series
        ]
        return replace(found, series=tuple(plain))


class GridsOfTimeBeginAtTheSameMoment(Mutant, breaks="MET.14"):
    """As a chart does that draws runs at the time of day, and not since each began."""

    def read_grid(self, asked: GridRequest, steps: StepRange) -> HistoryGrid:
        found = super().read_grid(asked, steps)
        if asked.by is not GridAxis.TIME or not found.series:
            return found
        return replace(found, edges=tuple(edge + 10**7 for edge in found.edges))


class GridsOfTimeSayThatTheyAreExact(Mutant, breaks="MET.14"):
    def read_grid(self, asked: GridRequest, steps: StepRange) -> HistoryGrid:
        return replace(super().read_grid(asked, steps), is_exact=True)


class GridsOfTimePassOverPauses(Mutant, breaks="MET.14"):
    """As those do whose pieces stay together however many edges they reach over."""

    def read_grid(self, asked: GridRequest, steps: StepRange) -> HistoryGrid:
        read = self.read_history

        def in_pieces(run_id: str, series: Series, steps: StepRange) -> Columns | None:
            found = read(run_id, series, steps)
            if found is None or asked.by is not GridAxis.TIME or len(found.steps) < 1000:
                return found
            times = found.logged_at_us
            return found._replace(logged_at_us=array("q", [times[at // 16 * 16] for at in range(len(times))]))

        self.__dict__["read_history"] = in_pieces
        try:
            return super().read_grid(asked, steps)
        finally:
            del self.__dict__["read_history"]


class RollUpsOutliveWhatIsOverwritten(Mutant, breaks="MET.15"):
    """As roll-ups do that are trusted where the number of points is the same."""

    def read_sample(self, run_id: str, series: Series, max_points: int, steps: StepRange) -> tuple[Columns, int] | None:
        found = super().read_sample(run_id, series, max_points, steps)
        if found is None or found[1] < 4096:  # short series are not rolled up
            return found
        known: dict[object, tuple[Columns, int]] = self.database.__dict__.setdefault("rolled", {})
        return known.setdefault((run_id, series, max_points, steps, found[1]), found)


class RollUpsSkipWhatComesLate(Mutant, breaks="MET.15"):
    """As roll-ups do that are only ever added to at their end."""

    def append(self, run_id: str, series: SeriesColumns) -> None:
        late = self.database.__dict__.setdefault("late", set())
        for key, batch in series.items():
            known = self.read_history(run_id, key, StepRange())
            if known is not None and len(known.steps) > 4096 and batch.steps[0] < known.steps[-1]:
                late.update((run_id, key, step) for step in set(batch.steps) - set(known.steps))
        super().append(run_id, series)

    def read_grid(self, asked: GridRequest, steps: StepRange) -> HistoryGrid:
        read, late = self.read_history, self.database.__dict__.setdefault("late", set())

        def without_late(run_id: str, series: Series, steps: StepRange) -> Columns | None:
            found = read(run_id, series, steps)
            kept = (
                [] if found is None else [n for n, step in enumerate(found.steps) if (run_id, series, step) not in late]
            )
            return None if found is None else picked(found, kept)

        self.__dict__["read_history"] = without_late
        try:
            return super().read_grid(asked, steps)
        finally:
            del self.__dict__["read_history"]
