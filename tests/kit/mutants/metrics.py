"""Planted bugs in the metrics (MET, and DUR.2)."""

import math
import struct
import threading
import time
from array import array
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from kit.mutants.base import Front, Mutant
from runstore.backend import StepRange
from runstore.errors import InvalidValueError, NotFoundError, RunNotFoundError, StoreUnavailableError
from runstore.model import MetricPoint, SeriesSummary, StepValue
from runstore.series import Columns, Series, SeriesColumns


def picked(columns: Columns, rows: Iterable[int]) -> Columns:
    rows = list(rows)
    steps, values, times = columns
    return Columns(
        array("q", [steps[row] for row in rows]),
        array("d", [values[row] for row in rows]),
        array("q", [times[row] for row in rows]),
    )


class _ChangesValues(Mutant):
    """Stores every value as ``changed`` makes it."""

    @staticmethod
    def changed(value: float) -> float:
        raise NotImplementedError

    def append(self, run_id: str, series: SeriesColumns) -> None:
        super().append(
            run_id,
            {
                key: columns._replace(values=array("d", map(self.changed, columns.values)))
                for key, columns in series.items()
            },
        )


class _ChangesNames(Mutant):
    """Stores every series under the name that ``changed`` makes of its own."""

    def changed(self, run_id: str, name: str) -> str:
        raise NotImplementedError

    def append(self, run_id: str, series: SeriesColumns) -> None:
        super().append(run_id, {})
        for (name, kind), columns in series.items():
            super().append(run_id, {(self.changed(run_id, name), kind): columns})


class DropsEveryTenthPoint(Mutant, breaks="MET.7"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        super().append(
            run_id,
            {
                key: picked(columns, [row for row in range(len(columns.steps)) if row % 10 != 9])
                for key, columns in series.items()
            },
        )


class NewSeriesAmongAsManyKnownOnesAreMissed(Mutant, breaks="MET.7"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        known = set(self._entry(run_id).series)
        super().append(
            run_id, series if len(known) < len(series) else {one: series[one] for one in known & set(series)}
        )


class NanBecomesZero(_ChangesValues, breaks="MET.3"):
    @staticmethod
    def changed(value: float) -> float:
        return 0.0 if math.isnan(value) else value


class InfinityIsClamped(_ChangesValues, breaks="MET.3"):
    @staticmethod
    def changed(value: float) -> float:
        return math.copysign(1.7976931348623157e308, value) if math.isinf(value) else value


class NegativeZeroLosesItsSign(_ChangesValues, breaks="MET.3"):
    @staticmethod
    def changed(value: float) -> float:
        return value + 0.0


class SubnormalsAreFlushed(_ChangesValues, breaks="MET.3"):
    @staticmethod
    def changed(value: float) -> float:
        return 0.0 if abs(value) < 2.3e-308 else value


class ValuesAreFloat32(_ChangesValues, breaks="MET.3"):
    @staticmethod
    def changed(value: float) -> float:
        return value if abs(value) > 3e38 else float(struct.unpack("f", struct.pack("f", value))[0])


class BatchIsNotAtomic(Front, breaks="MET.7"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        given = list(points)
        try:
            self.store.log_metrics(run_id, given)
        except InvalidValueError:
            for each in given:
                if type(each.value) is float and 0 <= each.step < 2**63:
                    self.store.log_metrics(run_id, [each])
            raise


class ReadersSeeHalfABatch(Mutant, breaks="DUR.2"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        super().append(run_id, dict(list(series.items())[: len(series) // 2]))
        time.sleep(0.002)
        super().append(run_id, series)


class FirstWriteWins(Mutant, breaks="MET.1"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        known = {key: set(found.points) for key, found in self._entry(run_id).series.items()}
        super().append(
            run_id,
            {
                key: picked(columns, [row for row, step in enumerate(columns.steps) if step not in known.get(key, ())])
                for key, columns in series.items()
            },
        )


class RetryDuplicatesPoints(Mutant, breaks="MET.1"):
    def read_history(self, run_id: str, series: Series, steps: StepRange) -> Columns | None:
        whole = super().read_history(run_id, series, steps)
        times = self.database.__dict__.get("arrivals", {}).get((run_id, series), {})
        return whole and picked(whole, [row for row, step in enumerate(whole.steps) for _ in range(times.get(step, 1))])

    def append(self, run_id: str, series: SeriesColumns) -> None:
        super().append(run_id, series)
        arrivals = self.database.__dict__.setdefault("arrivals", {})
        for key, columns in series.items():
            times = arrivals.setdefault((run_id, key), {})
            for step in columns.steps:
                times[step] = times.get(step, 0) + 1


class CollationIgnoresCase(_ChangesNames, breaks="MET.1"):
    def changed(self, run_id: str, name: str) -> str:
        return {known.lower(): known for known, _ in reversed(self._entry(run_id).series)}.get(name.lower(), name)


class UnknownRunIsSwallowed(Mutant, breaks="MET.2"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        try:
            super().append(run_id, series)
        except RunNotFoundError:
            return


class UnknownRunIsMade(Mutant, breaks="RUN.10"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        if run_id not in self.database.runs:
            self.ensure_run(self.get_or_create_experiment("Default"), run_id=run_id)
        super().append(run_id, series)


class BooleansAreNumbers(Front, breaks="MET.4"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        self.store.log_metrics(
            run_id, [replace(each, value=float(each.value)) if each.value is True else each for each in points]
        )


class StepsAreFloats(Mutant, breaks="MET.5"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        def rounded(step: int) -> int:
            return min(int(float(step)), 2**63 - 1)

        super().append(
            run_id,
            {key: columns._replace(steps=array("q", map(rounded, columns.steps))) for key, columns in series.items()},
        )


class NamesAreCutAt250(_ChangesNames, breaks="MET.6"):
    def changed(self, run_id: str, name: str) -> str:  # noqa: ARG002 - whatever the run
        return name[:250]


class SlashesBecomeUnderscores(_ChangesNames, breaks="MET.6"):
    def changed(self, run_id: str, name: str) -> str:  # noqa: ARG002 - whatever the run
        return name.replace("/", "_")


class TimesAreMilliseconds(Mutant, breaks="MET.9"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        super().append(
            run_id,
            {
                key: columns._replace(logged_at_us=array("q", [time // 1000 * 1000 for time in columns.logged_at_us]))
                for key, columns in series.items()
            },
        )


class _ChangesSummaries(Mutant):
    """Gives every summary as ``changed`` makes it; the order in which they are asked for is the order of writing."""

    is_kept_up: bool = False
    """Whether it is worked out with each write, as a stored summary is."""

    def changed(self, run_id: str, summary: SeriesSummary) -> SeriesSummary:
        raise NotImplementedError

    def read_summaries(self, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:
        found = super().read_summaries(run_ids)
        return {run_id: [self.changed(run_id, each) for each in summaries] for run_id, summaries in found.items()}

    def append(self, run_id: str, series: SeriesColumns) -> None:
        super().append(run_id, series)
        if self.is_kept_up:
            self.read_summaries([run_id])

    def points(self, run_id: str, summary: SeriesSummary) -> dict[int, tuple[float, int]]:
        return self._entry(run_id).series[summary.name, str(summary.dataset_type)].points

    def kept(self, name: str) -> dict[tuple[str, str, str], StepValue | None]:
        known: dict[tuple[str, str, str], StepValue | None] = self.database.__dict__.setdefault(name, {})
        return known


class LastIsByArrival(_ChangesSummaries, breaks="MET.8"):
    def changed(self, run_id: str, summary: SeriesSummary) -> SeriesSummary:
        step, (value, _) = next(reversed(self.points(run_id, summary).items()))
        return replace(summary, last=StepValue(step=step, value=value))


class ExtremesNeverShrink(_ChangesSummaries, breaks="MET.8"):
    is_kept_up = True

    def changed(self, run_id: str, summary: SeriesSummary) -> SeriesSummary:
        best, key = self.kept("best"), (run_id, summary.name, str(summary.dataset_type))
        known = best.get(key)
        if known and summary.max and known.value > summary.max.value:
            return replace(summary, max=known)
        best[key] = summary.max
        return summary


class EqualExtremesKeepTheirOldSign(_ChangesSummaries, breaks="MET.8"):
    """As a summary does that is only recomputed where a value grows or falls: 0.0 and -0.0 are equal."""

    is_kept_up = True

    def changed(self, run_id: str, summary: SeriesSummary) -> SeriesSummary:
        known, key = self.kept("lowest"), (run_id, summary.name, str(summary.dataset_type))
        lowest = known.get(key)
        if lowest is None or summary.min is None or lowest != summary.min:
            known[key] = lowest = summary.min
        return replace(summary, min=lowest)


class NanIsTheMaximum(_ChangesSummaries, breaks="MET.8"):
    def changed(self, run_id: str, summary: SeriesSummary) -> SeriesSummary:
        points = self.points(run_id, summary)
        odd = [StepValue(step=step, value=points[step][0]) for step in sorted(points) if math.isnan(points[step][0])]
        return replace(summary, max=odd[-1]) if odd else summary


class EmptyBatchFindsNothingMissing(Mutant, breaks="MET.13"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        if series:
            super().append(run_id, series)


class SeriesAreWrittenBackWhole(Mutant, breaks="MET.10"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        entry = self._entry(run_id)
        mine = {*entry.series, *series}
        super().append(run_id, series)
        time.sleep(0.002)
        entry.series = {key: found for key, found in list(entry.series.items()) if key in mine}


class RivalWritersAreTurnedAway(Mutant, breaks="MET.10"):
    def append(self, run_id: str, series: SeriesColumns) -> None:
        writing = self.database.__dict__.setdefault("writing", threading.Lock())
        if not writing.acquire(blocking=False):
            raise StoreUnavailableError(f"another writer is at run {run_id!r}; try again later")
        try:
            super().append(run_id, series)
            time.sleep(0.002)
        finally:
            writing.release()


class UnknownSeriesIsAnError(Mutant, breaks="MET.11"):
    def read_history(self, run_id: str, series: Series, steps: StepRange) -> Columns | None:
        found = super().read_history(run_id, series, steps)
        if found is None:
            raise NotFoundError(f"run {run_id!r} has no series {series[0]!r}; get_summaries lists those it has")
        return found
