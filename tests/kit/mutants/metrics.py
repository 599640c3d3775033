"""Planted bugs in the metrics (MET, and DUR.2)."""

import math
import struct
import threading
import time
from array import array
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from kit.mutants.base import Mutant
from runstore.errors import InvalidValueError, NotFoundError, RunNotFoundError, StoreUnavailableError
from runstore.model import DatasetType, History, MetricPoint, SeriesSummary, StepValue


def values_changed(points: Iterable[MetricPoint], change: Any) -> list[MetricPoint]:
    return [replace(each, value=change(each.value)) if isinstance(each.value, float) else each for each in points]


class DropsEveryTenthPoint(Mutant, breaks="MET.7"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        super().log_metrics(run_id, [each for index, each in enumerate(points) if index % 10 != 9])


class NanBecomesZero(Mutant, breaks="MET.3"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        super().log_metrics(run_id, values_changed(points, lambda value: 0.0 if math.isnan(value) else value))


class InfinityIsClamped(Mutant, breaks="MET.3"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        largest = 1.7976931348623157e308
        super().log_metrics(
            run_id, values_changed(points, lambda value: math.copysign(largest, value) if math.isinf(value) else value)
        )


class NegativeZeroLosesItsSign(Mutant, breaks="MET.3"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        super().log_metrics(run_id, values_changed(points, lambda value: value + 0.0))


class SubnormalsAreFlushed(Mutant, breaks="MET.3"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        super().log_metrics(run_id, values_changed(points, lambda value: 0.0 if abs(value) < 2.3e-308 else value))


class ValuesAreFloat32(Mutant, breaks="MET.3"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        def narrowed(value: float) -> float:
            return value if abs(value) > 3e38 else float(struct.unpack("f", struct.pack("f", value))[0])

        super().log_metrics(run_id, values_changed(points, narrowed))


class BatchIsNotAtomic(Mutant, breaks="MET.7"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        given = list(points)
        try:
            super().log_metrics(run_id, given)
        except InvalidValueError:
            for each in given:
                if type(each.value) is float and 0 <= each.step < 2**63:
                    super().log_metrics(run_id, [each])
            raise


class ReadersSeeHalfABatch(Mutant, breaks="DUR.2"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        given = list(points)
        super().log_metrics(run_id, given[: len(given) // 2])
        time.sleep(0.002)
        super().log_metrics(run_id, given)


class FirstWriteWins(Mutant, breaks="MET.1"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        entry = self._entry(run_id)
        super().log_metrics(
            run_id,
            [
                each
                for each in points
                if (found := entry.series.get((each.name, str(each.dataset_type)))) is None
                or each.step not in found.points
            ],
        )


class RetryDuplicatesPoints(Mutant, breaks="MET.1"):
    def get_history(self, run_id: str, name: str, dataset_type: DatasetType | str, **bounds: Any) -> History:
        whole = super().get_history(run_id, name, dataset_type, **bounds)
        times = getattr(self.database, "arrivals", {}).get((run_id, name, str(dataset_type)), {})
        rows = [index for index, step in enumerate(whole.steps) for _ in range(times.get(step, 1))]
        return History(
            name=whole.name,
            dataset_type=whole.dataset_type,
            steps=array("q", [whole.steps[index] for index in rows]),
            values=array("d", [whole.values[index] for index in rows]),
            logged_at_us=array("q", [whole.logged_at_us[index] for index in rows]),
        )

    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        given = list(points)
        super().log_metrics(run_id, given)
        arrivals = self.database.__dict__.setdefault("arrivals", {})
        for each in given:
            times = arrivals.setdefault((run_id, each.name, str(each.dataset_type)), {})
            times[each.step] = times.get(each.step, 0) + 1


class CollationIgnoresCase(Mutant, breaks="MET.1"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        known = {name.lower(): name for name, _ in reversed(self._entry(run_id).series)}
        renamed = [replace(each, name=known.setdefault(each.name.lower(), each.name)) for each in points]
        super().log_metrics(run_id, renamed)


class UnknownRunIsSwallowed(Mutant, breaks="MET.2"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        try:
            super().log_metrics(run_id, points)
        except RunNotFoundError:
            return


class UnknownRunIsMade(Mutant, breaks="RUN.10"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        if run_id not in self.database.runs:
            self.ensure_run(self.get_or_create_experiment("Default"), run_id=run_id)
        super().log_metrics(run_id, points)


class BooleansAreNumbers(Mutant, breaks="MET.4"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        super().log_metrics(
            run_id, [replace(each, value=float(each.value)) if each.value is True else each for each in points]
        )


class StepsAreFloats(Mutant, breaks="MET.5"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        rounded = [
            replace(each, step=min(int(float(each.step)), 2**63 - 1)) if type(each.step) is int else each
            for each in points
        ]
        super().log_metrics(run_id, rounded)


class NamesAreCutAt250(Mutant, breaks="MET.6"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        super().log_metrics(
            run_id, [replace(each, name=each.name[:250]) if len(each.name) < 256 else each for each in points]
        )


class SlashesBecomeUnderscores(Mutant, breaks="MET.6"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        super().log_metrics(run_id, [replace(each, name=each.name.replace("/", "_")) for each in points])


class TimesAreMilliseconds(Mutant, breaks="MET.9"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        def cut(moment: datetime | None) -> datetime | None:
            return moment and moment.replace(microsecond=moment.microsecond // 1000 * 1000)

        super().log_metrics(run_id, [replace(each, logged_at=cut(each.logged_at)) for each in points])


class LastIsByArrival(Mutant, breaks="MET.8"):
    def get_summaries(self, run_id: str) -> tuple[SeriesSummary, ...]:
        found = super().get_summaries(run_id)
        series = self._entry(run_id).series
        last = {key: next(reversed(values.points.items())) for key, values in series.items()}
        return tuple(
            replace(each, last=StepValue(step=step, value=value))
            for each in found
            for step, (value, _) in [last[each.name, str(each.dataset_type)]]
        )


class ExtremesNeverShrink(Mutant, breaks="MET.8"):
    def get_summaries(self, run_id: str) -> tuple[SeriesSummary, ...]:
        best = self.database.__dict__.setdefault("best", {})
        found = []
        for each in super().get_summaries(run_id):
            key = (run_id, each.name, str(each.dataset_type))
            known = best.get(key)
            if known and each.max and known.value > each.max.value:
                found.append(replace(each, max=known))
            else:
                best[key] = each.max
                found.append(each)
        return tuple(found)

    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        super().log_metrics(run_id, points)
        self.get_summaries(run_id)


class EqualExtremesKeepTheirOldSign(Mutant, breaks="MET.8"):
    """As a summary does that is only recomputed where a value grows or falls: 0.0 and -0.0 are equal."""

    def get_summaries(self, run_id: str) -> tuple[SeriesSummary, ...]:
        known = self.database.__dict__.setdefault("lowest", {})
        found = []
        for each in super().get_summaries(run_id):
            lowest = known.get((run_id, each.name, str(each.dataset_type)))
            if lowest is None or each.min is None or lowest != each.min:
                known[run_id, each.name, str(each.dataset_type)] = lowest = each.min
            found.append(replace(each, min=lowest))
        return tuple(found)

    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        super().log_metrics(run_id, points)
        self.get_summaries(run_id)


class NanIsTheMaximum(Mutant, breaks="MET.8"):
    def get_summaries(self, run_id: str) -> tuple[SeriesSummary, ...]:
        series = self._entry(run_id).series
        odd = {
            key: StepValue(step=step, value=value)
            for key, values in series.items()
            for step, (value, _) in sorted(values.points.items())
            if math.isnan(value)
        }
        return tuple(
            replace(each, max=odd.get((each.name, str(each.dataset_type)), each.max))
            for each in super().get_summaries(run_id)
        )


class SamplesByStride(Mutant, breaks="MET.12"):
    def sample_history(
        self, run_id: str, name: str, dataset_type: DatasetType | str, *, max_points: int = 2000
    ) -> History:
        super().sample_history(run_id, name, dataset_type, max_points=max_points)
        whole = self.get_history(run_id, name, dataset_type)
        kept = range(0, len(whole), max(1, -(-len(whole) // max_points)))
        return History(
            name=whole.name,
            dataset_type=whole.dataset_type,
            steps=array("q", [whole.steps[index] for index in kept]),
            values=array("d", [whole.values[index] for index in kept]),
            logged_at_us=array("q", [whole.logged_at_us[index] for index in kept]),
            represents=len(whole),
        )


class EmptyBatchFindsNothingMissing(Mutant, breaks="MET.13"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        given = list(points)
        if given:
            super().log_metrics(run_id, given)


class SeriesAreWrittenBackWhole(Mutant, breaks="MET.10"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        given, entry = list(points), self._entry(run_id)
        before = set(entry.series)
        super().log_metrics(run_id, given)
        mine = before | {(each.name, str(each.dataset_type)) for each in given}
        time.sleep(0.002)
        entry.series = {key: series for key, series in list(entry.series.items()) if key in mine}


class RivalWritersAreTurnedAway(Mutant, breaks="MET.10"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        writing = self.database.__dict__.setdefault("writing", threading.Lock())
        if not writing.acquire(blocking=False):
            raise StoreUnavailableError(f"another writer is at run {run_id!r}; try again later")
        try:
            super().log_metrics(run_id, points)
            time.sleep(0.002)
        finally:
            writing.release()


class UnknownSeriesIsAnError(Mutant, breaks="MET.11"):
    def get_history(self, run_id: str, name: str, dataset_type: DatasetType | str, **bounds: Any) -> History:
        if (name, str(dataset_type)) not in self._entry(run_id).series:
            raise NotFoundError(f"run {run_id!r} has no series {name!r}; get_summaries lists those it has")
        return super().get_history(run_id, name, dataset_type, **bounds)
