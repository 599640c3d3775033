"""The reference store: the contract in plain Python, short enough to read in one sitting.

Everything lives in a :class:`MemoryDatabase`, which several :class:`MemoryStore` handles of one process may share. It
is gone when the process ends. Every call holds one lock for its whole length, so calls never interleave.
"""

import io
import threading
from array import array
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import UNSET, Struct
from msgspec.structs import replace

from runstore.artifacts import Blob, Blobs, blobs_at, hashed
from runstore.backend import (
    BackendStore,
    ExperimentChange,
    NewExperiment,
    NewRun,
    PlacedRun,
    Presence,
    RunChange,
    RunEnd,
    StepRange,
    Sweep,
    Thinning,
    check_kept,
    check_parent,
    first_attempt,
    placed_over,
    with_end,
    with_heartbeat,
    with_next_attempt,
    with_status_now,
)
from runstore.errors import ArtifactNotFoundError, ExperimentNotFoundError, StoreClosedError
from runstore.local.clock import now_us
from runstore.model import (
    Artifact,
    DeletedRun,
    Experiment,
    Garbage,
    Run,
    SeriesSummary,
    Thinned,
    from_microseconds,
    to_microseconds,
)
from runstore.query import DeletedQuery, Lookup, RunQuery, lookup_in, pick_deleted, pick_page
from runstore.series import Columns, Series, SeriesColumns, summarize
from runstore.values import EMPTY_CONFIG, ConfigDocument


class _Series(Struct):
    """The points of one series by step, and their summary once it was asked for."""

    points: dict[int, tuple[float, int]]
    summary: SeriesSummary | None = None


class _Entry(Struct):
    """All that is known of one run."""

    run: Run
    config: ConfigDocument = ConfigDocument(EMPTY_CONFIG)
    series: dict[tuple[str, str], _Series] = {}
    artifacts: dict[str, Artifact] = {}
    deleted_us: int | None = None
    changed: str | None = None

    @property
    def is_shown(self) -> bool:
        """Whether reads show the run."""
        return self.deleted_us is None


class MemoryDatabase:
    """What the handles share: experiments, runs and bytes."""

    def __init__(self) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.experiments: dict[str, Experiment] = {}
        self.hidden_experiments: dict[str, int] = {}  # when they were deleted
        self.described_us: dict[str, int] = {}
        self.runs: dict[str, _Entry] = {}
        self.purged: set[str] = set()
        self.blobs: _MemoryBlobs = _MemoryBlobs()

    def now_us(self) -> int:
        """The database's clock: microseconds since 1970-01-01 UTC."""
        return now_us()


class MemoryStore(BackendStore):
    """A handle on a :class:`MemoryDatabase`."""

    def __init__(self, database: MemoryDatabase | None = None, *, artifacts: str | None = None) -> None:
        self._database = database or MemoryDatabase()
        self._blobs: Blobs = blobs_at(artifacts) if artifacts else self._database.blobs
        self._is_closed = False

    # --- writing ------------------------------------------------------------------------------------------------

    def make_experiment(self, new: NewExperiment) -> None:
        with self._session() as database:
            known = database.experiments.get(new.id)
            if known is None:
                now = from_microseconds(database.now_us())
                known = Experiment(id=new.id, name=new.name, description=new.description, created_at=now)
            elif known.description is None and new.describes(database.described_us.get(new.id)):
                known = replace(known, description=new.description)
            database.experiments[new.id] = known
            if new.shows(database.hidden_experiments.get(new.id)):
                database.hidden_experiments.pop(new.id, None)

    def insert_run(self, new: NewRun) -> bool:
        with self._session() as database:
            if new.id in database.runs or new.id in database.purged:
                return False
            experiment_id = new.require_experiment()
            if experiment_id not in database.experiments:
                raise ExperimentNotFoundError.of(experiment_id)
            if new.parent_run_id is not None:
                check_parent(new.parent_run_id, self.presence_of(new.parent_run_id))
            database.hidden_experiments.pop(experiment_id, None)
            database.runs[new.id] = _Entry(run=first_attempt(new, now_us=database.now_us()))
            return True

    def reopen_run(self, run_id: str) -> None:
        with self._session() as database:
            entry = self._entry(run_id)
            entry.run = with_next_attempt(entry.run, now_us=database.now_us())

    def place_run(self, placed: PlacedRun) -> None:
        with self._session() as database:
            placed.check_presence(self.presence_of(placed.id))
            if placed.parent_run_id is not None:
                check_parent(placed.parent_run_id, self.presence_of(placed.parent_run_id))
            entry = database.runs.get(placed.id)
            if entry is not None:
                entry.run = placed_over(placed, entry.run)
                return
            if placed.experiment_id not in database.experiments:
                raise ExperimentNotFoundError.of(placed.experiment_id)
            database.hidden_experiments.pop(placed.experiment_id, None)
            database.runs[placed.id] = _Entry(run=placed.run)

    def append(self, run_id: str, series: SeriesColumns) -> None:
        with self._session() as database:
            entry = self._entry(run_id)
            self._touch(entry, database.now_us())
            for key, (steps, values, moments) in series.items():
                known = entry.series.setdefault(key, _Series(points={}))
                known.points.update(zip(steps, zip(values, moments, strict=True), strict=True))
                known.summary = None

    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        with self._session() as database:
            entry = self._entry(run_id)
            entry.config = config.merged_over(entry.config)
            self._touch(entry, database.now_us())

    def record_artifacts(self, run_id: str, records: Sequence[Artifact]) -> None:
        with self._session() as database:
            entry = self._entry(run_id)
            entry.artifacts.update({record.name: deepcopy(record) for record in records})
            self._touch(entry, database.now_us())

    @property
    def blobs(self) -> Blobs:
        """Those of the database, or a place that was named."""
        return self._blobs

    def end_run(self, run_id: str, end: RunEnd) -> None:
        with self._session() as database:
            entry = self._entry(run_id)
            entry.run = with_end(entry.run, end, now_us=database.now_us())

    def beat(self, run_id: str, lease_s: float) -> None:
        with self._session() as database:
            entry = self._entry(run_id)
            entry.run = with_heartbeat(entry.run, now_us=database.now_us(), lease_s=lease_s)

    # --- changing -----------------------------------------------------------------------------------------------

    def change_run(self, run_id: str, change: RunChange) -> None:
        with self._session() as database:
            presence = self.presence_of(run_id)
            change.check_presence(run_id, presence)
            if presence is not Presence.PURGED:
                entry = self._entry(run_id)
                change, changed = change.standing(entry.changed, deleted_us=entry.deleted_us)
                entry.run = change.over(entry.run)
                entry.changed = changed
                entry.deleted_us = change.deleted_us_over(entry.deleted_us)
                if change.is_deleted is False:
                    database.hidden_experiments.pop(entry.run.experiment_id, None)

    def change_experiment(self, experiment_id: str, change: ExperimentChange) -> None:
        with self._session() as database:
            known = database.experiments.get(experiment_id)
            is_hidden = experiment_id in database.hidden_experiments
            if known is None or (is_hidden and not change.is_deleted):
                raise ExperimentNotFoundError.of(experiment_id)
            change, described_us = change.standing(database.described_us.get(experiment_id))
            if described_us is not None:
                database.described_us[experiment_id] = described_us
            if change.description is not UNSET:
                database.experiments[experiment_id] = replace(known, description=change.description)
            if change.is_deleted and not is_hidden:
                entries = [entry for entry in database.runs.values() if entry.run.experiment_id == experiment_id]
                for entry in entries:
                    deletion = change.deletion_of(to_microseconds(entry.run.start_time))
                    if deletion is not None:
                        self.change_run(entry.run.id, deletion)
                if not any(entry.is_shown for entry in entries):
                    database.hidden_experiments[experiment_id] = change.at_us

    def thin(self, asked: Thinning) -> Thinned:  # noqa: ARG002 - see below
        """Thins nothing: its histories live as long as the process."""
        with self._session():
            return Thinned(series=0, points=0)

    def sweep(self, asked: Sweep) -> Garbage:
        with self._session() as database:
            old = [
                (run_id, entry)
                for run_id, entry in database.runs.items()
                if entry.deleted_us is not None and entry.deleted_us < asked.deleted_before_us
            ]
            gone = {run_id for run_id, _ in old}
            named = {
                artifact.sha256
                for run_id, entry in database.runs.items()
                if run_id not in gone
                for artifact in entry.artifacts.values()
            }
            if not asked.dry_run:
                for run_id in gone:
                    del database.runs[run_id]
                database.purged |= gone
            files, size = asked.collect(self._blobs, named, is_place_named=self._blobs is not database.blobs)
            return Garbage(
                runs=len(old),
                points=sum(len(series.points) for _, entry in old for series in entry.series.values()),
                files=files,
                bytes=size,
                is_dry_run=asked.dry_run,
            )

    # --- reading ------------------------------------------------------------------------------------------------

    def find_experiment_by_id(self, experiment_id: str) -> Experiment | None:
        with self._session() as database:
            return None if experiment_id in database.hidden_experiments else database.experiments.get(experiment_id)

    def read_experiments(self, after: str | None, limit: int) -> Sequence[Experiment]:
        with self._session() as database:
            shown = [each for each in database.experiments.values() if each.id not in database.hidden_experiments]
            ordered = sorted(shown, key=lambda experiment: experiment.name)
        return [experiment for experiment in ordered if after is None or experiment.name > after][:limit]

    def find_run(self, run_id: str) -> Run | None:
        with self._session() as database:
            entry = self._shown(run_id)
            return None if entry is None else self._seen(entry.run, database.now_us())

    def presence_of(self, run_id: str) -> Presence | None:
        with self._session() as database:
            if run_id in database.purged:
                return Presence.PURGED
            entry = database.runs.get(run_id)
            return None if entry is None else Presence.SHOWN if entry.is_shown else Presence.DELETED

    def read_runs(self, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
        with self._session() as database:
            entries = [  # the others need not be copied
                entry
                for entry in database.runs.values()
                if entry.is_shown
                and (asked.with_archived or entry.run.archived_at is None)
                and asked.experiment_id in {None, entry.run.experiment_id}
                and asked.parent_run_id in {None, entry.run.parent_run_id}
            ]
            runs = [self._seen(entry.run, database.now_us()) for entry in entries]
            return pick_page(((run, self._lookup(entry, run)) for entry, run in zip(entries, runs, strict=True)), asked)

    def read_deleted(self, asked: DeletedQuery) -> Sequence[DeletedRun]:
        with self._session() as database:
            found = [
                DeletedRun(
                    id=entry.run.id,
                    name=entry.run.name,
                    experiment_id=entry.run.experiment_id,
                    experiment=database.experiments[entry.run.experiment_id].name,
                    start_time=entry.run.start_time,
                    deleted_at=from_microseconds(entry.deleted_us),
                )
                for entry in database.runs.values()
                if entry.deleted_us is not None
            ]
        return pick_deleted(found, asked)

    def read_configs(self, run_ids: Sequence[str]) -> dict[str, str]:
        with self._session() as database:
            return {run_id: database.runs[run_id].config.text for run_id in run_ids if self._shown(run_id)}

    def read_summaries(self, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:
        with self._session() as database:
            found = {run_id: self._summaries(database.runs[run_id]) for run_id in run_ids if self._shown(run_id)}
        return {run_id: [summaries[key] for key in sorted(summaries)] for run_id, summaries in found.items()}

    def read_history(self, run_id: str, series: Series, steps: StepRange) -> Columns | None:
        with self._session():
            entry = self._shown(run_id)
            known = None if entry is None else entry.series.get(series)
            if known is None:
                return None
            rows = [row for row in sorted(known.points.items()) if steps.low <= row[0] <= steps.high]
        return Columns(
            array("q", [step for step, _ in rows]),
            array("d", [value for _, (value, _) in rows]),
            array("q", [moment for _, (_, moment) in rows]),
        )

    def read_artifacts(self, run_id: str) -> Sequence[Artifact]:
        with self._session():
            entry = self._shown(run_id)
            return [] if entry is None else [deepcopy(entry.artifacts[name]) for name in sorted(entry.artifacts)]

    def read_artifact(self, run_id: str, name: str) -> Artifact | None:
        with self._session():
            entry = self._shown(run_id)
            return None if entry is None else deepcopy(entry.artifacts.get(name))

    # --- the handle ---------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Closes this handle; the shared database stays."""
        self._is_closed = True

    def _session(self) -> "_Session":
        if self._is_closed:
            raise StoreClosedError("this store was closed; open another")
        return _Session(self._database)

    def _entry(self, run_id: str) -> _Entry:
        """A run that takes writes: a deleted one too, for it may be restored."""
        check_kept(run_id, self.presence_of(run_id))
        return self._database.runs[run_id]

    def _shown(self, run_id: str) -> _Entry | None:
        entry = self._database.runs.get(run_id)
        return entry if entry is not None and entry.is_shown else None

    @staticmethod
    def _touch(entry: _Entry, now_us: int) -> None:
        """A write is a heartbeat."""
        entry.run = with_heartbeat(entry.run, now_us=now_us)

    @staticmethod
    def _seen(run: Run, now_us: int) -> Run:
        """The run as a reader sees it: the caller's own copy."""
        return with_status_now(deepcopy(run), now_us=now_us)

    @staticmethod
    def _summaries(entry: _Entry) -> dict[tuple[str, str], SeriesSummary]:
        for key, series in entry.series.items():
            if series.summary is None:
                steps = sorted(series.points)
                series.summary = summarize(*key, steps, [series.points[step][0] for step in steps])
        return {key: series.summary for key, series in entry.series.items() if series.summary is not None}

    def _lookup(self, entry: _Entry, run: Run) -> Lookup:
        experiment = self._database.experiments[run.experiment_id].name
        summaries = self._summaries(entry).values()
        return lookup_in(run, entry.config, summaries, experiment=experiment, artifacts=entry.artifacts)


class _Session:
    """The database, locked for the length of one call."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    def __enter__(self) -> MemoryDatabase:
        self._database.lock.acquire()
        return self._database

    def __exit__(self, *_: object) -> None:
        self._database.lock.release()


class _MemoryBlobs:
    """Bytes in a dictionary, by their SHA-256."""

    def __init__(self) -> None:
        self._bytes: dict[str, tuple[bytes, int]] = {}

    def put(self, path: Path) -> Blob:
        """Keeps a copy of a file's bytes."""
        content = io.BytesIO()
        sha256, size = hashed(path, content.write)
        self._bytes[sha256] = content.getvalue(), now_us()
        return Blob(sha256=sha256, size=size, uri=f"memory:{sha256}")

    def open(self, sha256: str) -> BinaryIO:
        """The bytes as kept; raises ArtifactNotFoundError if they are gone."""
        if sha256 not in self._bytes:
            raise ArtifactNotFoundError(
                f"the bytes with SHA-256 {sha256} are not in this store; log the artifact again"
            )
        return io.BytesIO(self._bytes[sha256][0])

    def kept_before(self, moment_us: int) -> list[tuple[str, int]]:
        """What was put before a moment."""
        return [(sha256, len(data)) for sha256, (data, put_us) in self._bytes.items() if put_us < moment_us]

    def remove(self, sha256: str, *, kept_before_us: int) -> bool:
        """Forgets bytes that were put last before a moment."""
        known = self._bytes.get(sha256)
        if known is None or known[1] >= kept_before_us:
            return False
        del self._bytes[sha256]
        return True

    def age(self, days: float) -> None:
        """Makes all bytes look as if they had been put so many days ago."""
        self._bytes = {sha256: (data, now_us() - round(days * 86_400e6)) for sha256, (data, _) in self._bytes.items()}
