"""Stores with one planted bug each, all taken from real trackers and databases. Each names the clause it breaks.

A mutant is a :class:`~runstore.memory.MemoryStore` with one method changed; ``MUTANTS`` holds them all.
"""

# ruff: noqa: A002, A001 - `filter` is the protocol's name

import math
import struct
import time
from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

from msgspec.structs import replace

from runstore.config import decode_config, encode_config
from runstore.errors import (
    ConflictError,
    InvalidValueError,
    NotFoundError,
    RunFinalizedError,
    RunNotFoundError,
    StoreUnavailableError,
)
from runstore.ids import experiment_id_of
from runstore.memory import MemoryDatabase, MemoryStore
from runstore.model import (
    Artifact,
    DatasetType,
    Experiment,
    History,
    MetricPoint,
    Page,
    Run,
    RunStatus,
    SeriesSummary,
    StepValue,
)
from runstore.testing import Harness

MUTANTS: dict[str, tuple[str, type["Mutant"]]] = {}
"""Name → the clause that must catch it, and the store."""


class Mutant(MemoryStore):
    """Registers each subclass with the clause that it breaks."""

    def __init_subclass__(cls, *, breaks: str = "", **named: Any) -> None:
        super().__init_subclass__(**named)
        if breaks:
            MUTANTS[cls.__name__] = (breaks, cls)

    @property
    def database(self) -> MemoryDatabase:
        return self._database


class MutantHarness(Harness):
    """A harness over any class of memory store; counts what it calls connections, and can damage bytes."""

    def __init__(self, kind: type[MemoryStore], database: MemoryDatabase | None = None) -> None:
        self._kind = kind
        self._database = database or MemoryDatabase()

    def open(self) -> MemoryStore:
        return self._kind(self._database)

    def fresh(self) -> "MutantHarness":
        return MutantHarness(self._kind)

    def open_connections(self) -> int:
        return len(getattr(self._database, "leaked", ()))

    def damage_artifact(self, run_id: str, name: str) -> None:
        record = self._database.runs[run_id].artifacts[name]
        kept: dict[str, bytes] = self._database.blobs._bytes  # type: ignore[attr-defined]  # noqa: SLF001 - behind its back
        damaged = bytearray(kept[record.sha256 or ""])
        damaged[0] ^= 1
        kept[record.sha256 or ""] = bytes(damaged)

    def open_with_password(self, password: str) -> MemoryStore:
        if hasattr(self._kind, "connect"):
            self._kind.connect(f"memory://me:{password}@host")
        raise StoreUnavailableError("memory://me:***@host is away; try again later")


# Metrics


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


# Configuration


def deep(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {key: deep(inner, change) for key, inner in value.items()}
    return [deep(inner, change) for inner in value] if isinstance(value, list) else change(value)


class IntegersBecomeFloats(Mutant, breaks="CFG.1"):
    def get_config(self, run_id: str) -> dict[str, Any]:
        config: dict[str, Any] = deep(
            super().get_config(run_id), lambda value: float(value) if type(value) is int and value < 2**53 else value
        )
        return config


class TrueBecomesOne(Mutant, breaks="CFG.1"):
    def get_config(self, run_id: str) -> dict[str, Any]:
        config: dict[str, Any] = deep(
            super().get_config(run_id), lambda value: int(value) if isinstance(value, bool) else value
        )
        return config


class ConfigIsReplaced(Mutant, breaks="CFG.2"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        self._entry(run_id).config = "{}"
        super().log_config(run_id, config)


class ConfigMergesShallowly(Mutant, breaks="CFG.2"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        before = self.get_config(run_id)
        super().log_config(run_id, config)
        now = {key: self.get_config(run_id)[key] if key not in config else config[key] for key in before | dict(config)}
        self._entry(run_id).config = encode_config(now)


class DotsNest(Mutant, breaks="CFG.3"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        nested: dict[str, Any] = {}
        for key, value in config.items():
            head, dot, rest = key.partition(".")
            nested[head] = {rest: value} if dot and rest else value
        super().log_config(run_id, nested)


class ConfigIsWrittenWithoutALock(Mutant, breaks="CFG.6"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        before = decode_config(self._entry(run_id).config)
        super().log_config(run_id, config)
        merged = decode_config(self._entry(run_id).config)
        time.sleep(0.002)
        mine = {key: merged[key] for key in {**before, **dict(config)}}
        self._entry(run_id).config = encode_config(mine)


class LongTextsAreCut(Mutant, breaks="CFG.4"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        super().log_config(
            run_id, deep(dict(config), lambda value: value[:65_535] if isinstance(value, str) else value)
        )


class BadValuesBecomeText(Mutant, breaks="CFG.4"):
    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        super().log_config(run_id, deep(dict(config), lambda value: str(value) if callable(value) else value))


# Artifacts


class DotsInNamesAreKept(Mutant, breaks="ART.3"):
    def log_artifact(self, run_id: str, path: Any, *, name: str | None = None, **given: Any) -> Artifact:
        return super().log_artifact(run_id, path, name=name and name.replace("..", "__"), **given)


class RecordPointsAtTheOriginal(Mutant, breaks="ART.7"):
    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        super().open_artifact(run_id, name).close()
        return Path(self.database.__dict__["origins"][run_id, name]).open("rb")

    def log_artifact(self, run_id: str, path: Any, **given: Any) -> Artifact:
        record = super().log_artifact(run_id, path, **given)
        self.database.__dict__.setdefault("origins", {})[run_id, record.name] = path
        return record


class RecordComesBeforeTheBytes(Mutant, breaks="ART.2"):
    def log_artifact(self, run_id: str, path: Any, *, name: str | None = None, **given: Any) -> Artifact:
        folder = Path(path)
        if folder.is_dir():
            parts = [
                super(RecordComesBeforeTheBytes, self).log_artifact(
                    run_id, each, name=f"{name or folder.name}/{each.relative_to(folder).as_posix()}", **given
                )
                for each in sorted(folder.rglob("*"))
                if each.is_file()
            ]
            return replace(
                parts[0], name=name or folder.name, size=sum(each.size or 0 for each in parts), parts=tuple(parts)
            )
        return super().log_artifact(run_id, path, name=name, **given)


class BytesAreNotVerified(Mutant, breaks="ART.1"):
    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        record = next(each for each in self.list_artifacts(run_id) if each.name == name)
        return self._blobs.open(record.sha256 or "")


class SameNameIsKeptTwice(Mutant, breaks="ART.4"):
    def log_artifact(self, run_id: str, path: Any, *, name: str | None = None, **given: Any) -> Artifact:
        wanted = name or Path(path).name
        taken = {each.name for each in self.list_artifacts(run_id)}
        return super().log_artifact(run_id, path, name=f"{wanted}_1" if wanted in taken else wanted, **given)


class MissingFileIsIgnored(Mutant, breaks="ART.5"):
    def log_artifact(self, run_id: str, path: Any, *, copy: bool = True, **given: Any) -> Artifact:
        return super().log_artifact(run_id, path, copy=copy and Path(path).exists(), **given)


class ReferencesClaimToBeStored(Mutant, breaks="ART.6"):
    def list_artifacts(self, run_id: str) -> tuple[Artifact, ...]:
        return tuple(replace(each, is_stored=True) for each in super().list_artifacts(run_id))


# Experiments and runs


class RaceInGetOrCreate(Mutant, breaks="EXP.2"):
    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        if experiment_id_of(name) not in self.database.experiments:
            time.sleep(0.005)
            if experiment_id_of(name) in self.database.experiments:
                raise ConflictError(f"experiment {name!r} already exists; choose another name")
        return super().get_or_create_experiment(name, description=description)


class RaceInEnsureRun(Mutant, breaks="RUN.9"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        is_new = run_id is not None and run_id not in self.database.runs
        time.sleep(0.005)
        if is_new and run_id in self.database.runs:
            raise ConflictError(f"run {run_id!r} already exists; choose another id")
        return super().ensure_run(experiment_id, run_id=run_id, **given)


class ExperimentIdsAreCounted(Mutant, breaks="EXP.1"):
    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        super().get_or_create_experiment(name, description=description)
        experiments = self.database.experiments
        found = next(each for each in experiments.values() if each.name == name)
        counted = found.id if found.id.isdigit() else str(len(experiments))
        experiments[counted] = replace(found, id=counted)
        return counted


class TrailingSpacesAreStripped(Mutant, breaks="EXP.3"):
    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        return super().get_or_create_experiment(name.strip(" ") or name, description=description)


class LastDescriptionWins(Mutant, breaks="EXP.4"):
    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        found = super().get_or_create_experiment(name, description=description)
        self.database.experiments[found] = replace(self.database.experiments[found], description=description)
        return found


class ExperimentsAreListedAsTheyCame(Mutant, breaks="EXP.5"):
    def list_experiments(self, *, limit: int = 100, cursor: str | None = None) -> Page[Experiment]:
        begin = int(cursor or 0)
        found = list(self.database.experiments.values())
        rest = begin + limit
        return Page(items=tuple(found[begin:rest]), next_cursor=str(rest) if len(found) > rest else None)


class EnsuringAgainRenames(Mutant, breaks="RUN.2"):
    def ensure_run(self, experiment_id: str | None = None, *, name: str | None = None, **given: Any) -> str:
        run_id = super().ensure_run(experiment_id, name=name, **given)
        if name is not None:
            self._entry(run_id).run = replace(self._entry(run_id).run, name=name)
        return run_id


class ChosenIdIsIgnored(Mutant, breaks="RUN.3"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        known = run_id if run_id in self.database.runs else None
        return super().ensure_run(experiment_id, run_id=known, **given)


class OtherExperimentIsIgnored(Mutant, breaks="RUN.5"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        known = run_id in self.database.runs
        return super().ensure_run(None if known else experiment_id, run_id=run_id, **given)


class ResumeForgets(Mutant, breaks="RUN.6"):
    def ensure_run(self, experiment_id: str | None = None, *, resume: bool = False, **given: Any) -> str:
        run_id = super().ensure_run(experiment_id, resume=resume, **given)
        if resume:
            self._entry(run_id).series.clear()
        return run_id


class ResumeKeepsTheEndTime(Mutant, breaks="RUN.6"):
    def ensure_run(self, experiment_id: str | None = None, *, run_id: str | None = None, **given: Any) -> str:
        before = self.database.runs[run_id].run if run_id in self.database.runs else None
        found = super().ensure_run(experiment_id, run_id=run_id, **given)
        if before and before.end_time:
            self._entry(found).run = replace(self._entry(found).run, end_time=before.end_time)
        return found


class ParentIsNotChecked(Mutant, breaks="RUN.7"):
    def ensure_run(self, experiment_id: str | None = None, *, parent_run_id: str | None = None, **given: Any) -> str:
        return super().ensure_run(
            experiment_id, parent_run_id=parent_run_id if parent_run_id in self.database.runs else None, **given
        )


# Endings


class SecondEndMovesTheEndTime(Mutant, breaks="FIN.2"):
    def finalize(self, run_id: str, status: RunStatus | str, **given: Any) -> None:
        entry = self._entry(run_id)
        if entry.run.status == status:
            entry.run = replace(entry.run, status=RunStatus.IN_PROGRESS)
        super().finalize(run_id, status, **given)


class AnotherEndOverwrites(Mutant, breaks="FIN.2"):
    def finalize(self, run_id: str, status: RunStatus | str, **given: Any) -> None:
        try:
            super().finalize(run_id, status, **given)
        except RunFinalizedError:
            self._entry(run_id).run = replace(self._entry(run_id).run, status=RunStatus(status))


class AnyStatusEnds(Mutant, breaks="FIN.1"):
    def finalize(self, run_id: str, status: RunStatus | str, **given: Any) -> None:
        known = {"completed", "failed", "interrupted"}
        super().finalize(run_id, status if status in known else "completed", **given)


class EndMayPrecedeTheStart(Mutant, breaks="FIN.3"):
    def finalize(self, run_id: str, status: RunStatus | str, *, end_time: datetime | None = None, **given: Any) -> None:
        super().finalize(run_id, status, **given)
        if end_time is not None:
            self._entry(run_id).run = replace(self._entry(run_id).run, end_time=end_time)


class FailureLosesItsTraceback(Mutant, breaks="FIN.4"):
    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        return replace(run, failure=replace(run.failure, traceback="")) if run.failure else run


class LatePointsAreRefused(Mutant, breaks="FIN.5"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        if self._entry(run_id).run.status.is_final:
            raise RunFinalizedError(f"run {run_id!r} has ended; resume it first")
        super().log_metrics(run_id, points)


class DeadRunsStayInProgress(Mutant, breaks="FIN.6"):
    @staticmethod
    def _seen(run: Run, now_us: int) -> Run:  # noqa: ARG004 - the clock that it should ask
        return run


class WritingIsNoSignOfLife(Mutant, breaks="FIN.6"):
    @staticmethod
    def _touch(entry: Any, now_us: int) -> None: ...


# Reading


class PagesByOffset(Mutant, breaks="READ.4"):
    def search_runs(
        self, filter: str | None = None, *, limit: int = 100, cursor: str | None = None, **query: Any
    ) -> Page[Run]:
        super().search_runs(filter, limit=limit, **query)
        whole = super().search_runs(filter, limit=10_000, **query).items
        begin = int(cursor or 0)
        rest = begin + limit
        return Page(items=whole[begin:rest], next_cursor=str(rest) if len(whole) > rest else None)


class PageRepeatsItsLastRun(Mutant, breaks="READ.4"):
    def search_runs(self, *arguments: Any, cursor: str | None = None, limit: int = 100, **query: Any) -> Page[Run]:
        page = super().search_runs(*arguments, cursor=cursor, limit=limit, **query)
        if cursor is not None and page.items and limit > 1:
            before = self.database.__dict__.get("last_of_page")
            page = replace(page, items=(before or page.items[0], *page.items[1:]))
        if page.items:
            self.database.__dict__["last_of_page"] = page.items[-1]
        return page


class MissingMatchesUnequal(Mutant, breaks="READ.2"):
    def search_runs(self, filter: str | None = None, **query: Any) -> Page[Run]:
        if filter and " != " in filter and " and " not in filter and "not (" not in filter:
            filter = f"not ({filter.replace(' != ', ' = ')})"
        return super().search_runs(filter, **query)


class NumbersAndTextsCompare(Mutant, breaks="READ.2"):
    def search_runs(self, filter: str | None = None, **query: Any) -> Page[Run]:
        if filter and filter.startswith("config.depth = 18"):
            filter = f"{filter} or config.depth = '18'"
        return super().search_runs(filter, **query)


class PatternsIgnoreCase(Mutant, breaks="READ.5"):
    def search_runs(self, filter: str | None = None, **query: Any) -> Page[Run]:
        if filter and filter.startswith("name like '"):
            page = super().search_runs(filter, **query)
            other = super().search_runs(filter.replace("x", "X"), **query)
            return replace(page, items=(*page.items, *(each for each in other.items if each not in page.items)))
        return super().search_runs(filter, **query)


class MissingComesFirstInDescendingOrder(Mutant, breaks="READ.3"):
    def search_runs(
        self,
        filter: str | None = None,
        *,
        order_by: Sequence[str] = ("start_time desc",),
        **query: Any,
    ) -> Page[Run]:
        page = super().search_runs(filter, order_by=order_by, **query)
        if list(order_by) == ["config.lr desc"] and page.next_cursor is None and "cursor" not in query:
            return replace(page, items=tuple(reversed(page.items)))
        return page


class UnknownRunsFailTheWhole(Mutant, breaks="READ.6"):
    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {run_id: self.get_config(run_id) for run_id in run_ids}


class AnyCursorWillDo(Mutant, breaks="READ.7"):
    def search_runs(self, *arguments: Any, cursor: str | None = None, **query: Any) -> Page[Run]:
        try:
            return super().search_runs(*arguments, cursor=cursor, **query)
        except InvalidValueError:
            if cursor is None:
                raise
            return super().search_runs(*arguments, **query)


# Handles, durability and errors


class LeaksAConnectionOnErrors(Mutant, breaks="DUR.3"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        leaked = self.database.__dict__.setdefault("leaked", [])
        leaked.append(self)
        super().log_metrics(run_id, points)
        leaked.remove(self)


class HandsOutItsOwnValues(Mutant, breaks="DUR.6"):
    @staticmethod
    def _seen(run: Run, now_us: int) -> Run:
        seen = MemoryStore._seen(run, now_us)  # noqa: SLF001 - one bug, not two
        return replace(seen, tags=run.tags, provenance=run.provenance)


class ClosedHandlesGoOn(Mutant, breaks="OPEN.7"):
    def close(self) -> None: ...


class ClosingClosesTheOthersToo(Mutant, breaks="OPEN.7"):
    def _session(self) -> Any:
        self._is_closed = self._is_closed or self.database.__dict__.get("is_closed", False)
        return super()._session()

    def close(self) -> None:
        super().close()
        self.database.__dict__["is_closed"] = True


class PasswordStandsInTheError(Mutant, breaks="OPEN.6"):
    @classmethod
    def connect(cls, url: str) -> Self:
        raise StoreUnavailableError(f"could not connect to {url}; try again later")


class DriverErrorsEscape(Mutant, breaks="ERR.1"):
    def get_run(self, run_id: str) -> Run:
        if run_id not in self.database.runs:
            raise KeyError(run_id)
        return super().get_run(run_id)


class ErrorsCannotBePickled(Mutant, breaks="ERR.1"):
    def get_experiment(self, experiment_id: str) -> Experiment:
        class LocalNotFoundError(NotFoundError):
            code = "local"

        try:
            return super().get_experiment(experiment_id)
        except NotFoundError as error:
            raise LocalNotFoundError(str(error)) from None


class MessagesSayNothing(Mutant, breaks="ERR.2"):
    def get_run(self, run_id: str) -> Run:
        if run_id not in self.database.runs:
            raise RunNotFoundError(run_id)
        return super().get_run(run_id)


class MistakesAreCalledUnavailable(Mutant, breaks="ERR.3"):
    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        try:
            super().log_metrics(run_id, points)
        except RunNotFoundError as error:
            raise StoreUnavailableError(str(error)) from error
