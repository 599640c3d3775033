"""The reference store: the contract in plain Python, short enough to read in one sitting.

Everything lives in a :class:`MemoryDatabase`, which several :class:`MemoryStore` handles of one process may share. It
is gone when the process ends. Every call holds one lock for its whole length, so calls never interleave.
"""

import io
import threading
import time
from array import array
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from msgspec import Struct
from msgspec.structs import replace

from runstore.artifacts.blobs import Blob, Blobs, blobs_at, hashed
from runstore.artifacts.requests import check_artifact, records_of
from runstore.artifacts.verifying import open_verified
from runstore.backend.begun import BegunRuns
from runstore.errors import (
    ArtifactNotFoundError,
    ExperimentNotFoundError,
    InvalidValueError,
    RunFinalizedError,
    RunNotFoundError,
    StoreClosedError,
)
from runstore.model import (
    Artifact,
    DatasetType,
    Experiment,
    History,
    MetricPoint,
    Page,
    Run,
    RunFailure,
    RunStatus,
    SeriesSummary,
    from_microseconds,
    to_microseconds,
)
from runstore.protocol import DEFAULT_LEASE_S
from runstore.query.meaning import Lookup, leaf_value, lookup_in, matches, precedes, sort_key
from runstore.query.searches import RunQuery, check_children, check_experiments, check_search
from runstore.query.tree import Order
from runstore.series.points import check_points, group_points
from runstore.series.sampling import MIN_SAMPLE, sample_indices
from runstore.series.summaries import summarize
from runstore.values import births, checks
from runstore.values.config import check_config, decode_config, encode_config, flatten_config, merge_config
from runstore.values.ids import experiment_id_of, new_run_id


class _Series(Struct):
    """The points of one series by step, and their summary once it was asked for."""

    points: dict[int, tuple[float, int]]
    summary: SeriesSummary | None = None


class _Entry(Struct):
    """All that is known of one run."""

    run: Run
    config: str = "{}"
    series: dict[tuple[str, str], _Series] = {}
    artifacts: dict[str, Artifact] = {}


class MemoryDatabase:
    """What the handles share: experiments, runs and bytes."""

    def __init__(self) -> None:
        """Begins empty."""
        self.lock = threading.RLock()
        self.experiments: dict[str, Experiment] = {}
        self.runs: dict[str, _Entry] = {}
        self.blobs: Blobs = _MemoryBlobs()

    def now_us(self) -> int:
        """The database's clock: microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000


class MemoryStore:
    """A handle on a :class:`MemoryDatabase`; see :class:`runstore.protocol.BackendStore` for every method."""

    def __init__(self, database: MemoryDatabase | None = None, *, artifacts: str | None = None) -> None:
        """A handle on a shared database, or on a new one of its own."""
        self._database = database or MemoryDatabase()
        self._blobs = blobs_at(artifacts) if artifacts else self._database.blobs
        self._is_closed = False
        self._begun = BegunRuns()

    # --- the six verbs ------------------------------------------------------------------------------------------

    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        """See :meth:`runstore.protocol.RunStore.get_or_create_experiment`."""
        checks.check_name(name, "experiment name")
        checks.check_optional_text(description, "description")
        with self._session() as database:
            experiment_id = experiment_id_of(name)
            known = database.experiments.get(experiment_id)
            if known is None:
                created_at = from_microseconds(database.now_us())
                known = Experiment(id=experiment_id, name=name, description=description, created_at=created_at)
            elif known.description is None:
                known = replace(known, description=description)
            database.experiments[experiment_id] = known
            return experiment_id

    def ensure_run(  # noqa: PLR0913 - the protocol's signature
        self,
        experiment_id: str | None = None,
        *,
        run_id: str | None = None,
        training_mode: str = "centralized",
        parent_run_id: str | None = None,
        client_id: str | None = None,
        name: str | None = None,
        source_path: str | None = None,
        tags: Mapping[str, str] | None = None,
        provenance: Mapping[str, Any] | None = None,
        start_time: datetime | None = None,
        resume: bool = False,
    ) -> str:
        """See :meth:`runstore.protocol.RunStore.ensure_run`."""
        birth = births.check_birth(
            experiment_id=experiment_id,
            run_id=run_id,
            training_mode=training_mode,
            parent_run_id=parent_run_id,
            client_id=client_id,
            name=name,
            source_path=source_path,
            tags=tags,
            start_time=start_time,
        )
        origin = check_config(provenance or {}, "provenance")
        with self._session() as database:
            entry = database.runs.get(birth.run_id) if birth.run_id is not None else None
            now = from_microseconds(database.now_us())
            if entry is not None:
                births.check_same_experiment(birth, entry.run.experiment_id)
                if resume:
                    self._begun.add(entry.run.id)
                if resume and entry.run.status.is_final:
                    entry.run = replace(
                        entry.run,
                        status=RunStatus.IN_PROGRESS,
                        end_time=None,
                        failure=None,
                        attempt=entry.run.attempt + 1,
                        heartbeat_at=now,
                    )
                return entry.run.id
            wanted = births.require_experiment(birth)
            if wanted not in database.experiments:
                raise ExperimentNotFoundError.of(wanted)
            if birth.parent_run_id is not None and birth.parent_run_id not in database.runs:
                raise RunNotFoundError.of(birth.parent_run_id, role="parent run")
            run = Run(
                id=birth.run_id or new_run_id(),
                experiment_id=wanted,
                name=birth.name,
                status=RunStatus.IN_PROGRESS,
                training_mode=birth.training_mode,
                parent_run_id=birth.parent_run_id,
                client_id=birth.client_id,
                attempt=1,
                start_time=now if birth.start_us is None else from_microseconds(birth.start_us),
                end_time=None,
                heartbeat_at=now,
                lease_s=DEFAULT_LEASE_S,
                source_path=birth.source_path,
                tags=birth.tags,
                provenance=origin,
            )
            database.runs[run.id] = _Entry(run=run)
            self._begun.add(run.id)
            return run.id

    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        """See :meth:`runstore.protocol.RunStore.log_metrics`."""
        checks.check_run_id(run_id)
        groups = group_points(check_points(points, now_us=time.time_ns() // 1000))
        with self._session() as database:
            entry = self._entry(run_id)
            self._touch(entry, database.now_us())
            for key, values in groups.items():
                series = entry.series.setdefault(key, _Series(points={}))
                series.points.update(values)
                series.summary = None

    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        """See :meth:`runstore.protocol.RunStore.log_config`."""
        checks.check_run_id(run_id)
        new = check_config(config)
        with self._session() as database:
            entry = self._entry(run_id)
            entry.config = encode_config(merge_config(decode_config(entry.config), new))
            self._touch(entry, database.now_us())

    def log_artifact(  # noqa: PLR0913 - the protocol's signature
        self,
        run_id: str,
        path: str | PathLike[str],
        *,
        name: str | None = None,
        artifact_type: str = "file",
        copy: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """See :meth:`runstore.protocol.RunStore.log_artifact`."""
        checks.check_run_id(run_id)
        request = check_artifact(path, name=name, artifact_type=artifact_type, copy=copy, metadata=metadata)
        with self._session() as database:
            entry = self._entry(run_id)
            artifact = request.record(run_id, self._blobs, created_at=from_microseconds(database.now_us()))
            entry.artifacts.update({record.name: record for record in records_of(artifact)})
            self._touch(entry, database.now_us())
            return deepcopy(artifact)

    def finalize(
        self,
        run_id: str,
        status: RunStatus | str,
        *,
        end_time: datetime | None = None,
        error: BaseException | RunFailure | None = None,
    ) -> None:
        """See :meth:`runstore.protocol.RunStore.finalize`."""
        checks.check_run_id(run_id)
        final = checks.check_terminal_status(status)
        end_us = None if end_time is None else checks.check_time(end_time, "end_time")
        failure = checks.check_failure(error)
        with self._session() as database:
            entry = self._entry(run_id)
            if entry.run.status.is_final:
                if entry.run.status != final:
                    raise RunFinalizedError.of(run_id, found=entry.run.status, asked=final)
                return
            self._begun.discard(run_id)
            end_us = checks.check_end_time(
                end_us, start_us=to_microseconds(entry.run.start_time), now_us=database.now_us()
            )
            entry.run = replace(entry.run, status=final, end_time=from_microseconds(end_us), failure=failure)

    def heartbeat(self, run_id: str, *, lease_s: float) -> None:
        """See :meth:`runstore.protocol.BackendStore.heartbeat`."""
        checks.check_run_id(run_id)
        lease_s = checks.check_lease(lease_s)
        with self._session() as database:
            entry = self._entry(run_id)
            if not entry.run.status.is_final:
                entry.run = replace(entry.run, heartbeat_at=from_microseconds(database.now_us()), lease_s=lease_s)

    # --- reading ------------------------------------------------------------------------------------------------

    def get_experiment(self, experiment_id: str) -> Experiment:
        """See :meth:`runstore.protocol.RunReader.get_experiment`."""
        checks.check_name(experiment_id, "experiment_id")
        with self._session() as database:
            if experiment_id not in database.experiments:
                raise ExperimentNotFoundError.of(experiment_id)
            return database.experiments[experiment_id]

    def find_experiment(self, name: str) -> Experiment | None:
        """See :meth:`runstore.protocol.RunReader.find_experiment`."""
        checks.check_name(name, "experiment name")
        with self._session() as database:
            return database.experiments.get(experiment_id_of(name))

    def list_experiments(self, *, limit: int = 100, cursor: str | None = None) -> Page[Experiment]:
        """See :meth:`runstore.protocol.RunReader.list_experiments`."""
        query = check_experiments(limit=limit, cursor=cursor)
        with self._session() as database:
            ordered = sorted(database.experiments.values(), key=lambda experiment: experiment.name)
            rest = [experiment for experiment in ordered if query.after is None or experiment.name > query.after]
        items = tuple(rest[: query.limit])
        return Page(items=items, next_cursor=query.cursor_after(items[-1].name) if len(rest) > query.limit else None)

    def get_run(self, run_id: str) -> Run:
        """See :meth:`runstore.protocol.RunReader.get_run`."""
        checks.check_run_id(run_id)
        with self._session() as database:
            return self._seen(self._entry(run_id).run, database.now_us())

    def search_runs(
        self,
        filter: str | None = None,  # noqa: A002 - the protocol's name
        *,
        experiment_id: str | None = None,
        order_by: Sequence[str] = ("start_time desc",),
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Run]:
        """See :meth:`runstore.protocol.RunReader.search_runs`."""
        query = check_search(filter, experiment_id=experiment_id, order_by=order_by, limit=limit, cursor=cursor)
        with self._session() as database:
            found: list[tuple[list[Any], Run]] = []
            for entry in database.runs.values():
                if query.experiment_id not in {None, entry.run.experiment_id}:
                    continue
                run = self._seen(entry.run, database.now_us())
                lookup = self._lookup(entry, run)
                if matches(query.node, lookup):
                    start_us = to_microseconds(run.start_time)
                    found.append((sort_key(query.orders, lookup, start_us=start_us, run_id=run.id), run))
        return _page(found, query)

    def list_children(self, run_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[Run]:
        """See :meth:`runstore.protocol.RunReader.list_children`."""
        query = check_children(run_id, limit=limit, cursor=cursor)
        with self._session() as database:
            self._entry(run_id)
            children = [
                self._seen(entry.run, database.now_us())
                for entry in database.runs.values()
                if entry.run.parent_run_id == run_id
            ]
        return _page([([[0, to_microseconds(run.start_time)], [2, run.id]], run) for run in children], query)

    def get_config(self, run_id: str) -> dict[str, Any]:
        """See :meth:`runstore.protocol.RunReader.get_config`."""
        checks.check_run_id(run_id)
        with self._session():
            return decode_config(self._entry(run_id).config)

    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """See :meth:`runstore.protocol.RunReader.get_configs`."""
        wanted = checks.check_run_ids(run_ids)
        with self._session() as database:
            return {run_id: self.get_config(run_id) for run_id in wanted if run_id in database.runs}

    def get_summaries(self, run_id: str) -> tuple[SeriesSummary, ...]:
        """See :meth:`runstore.protocol.RunReader.get_summaries`."""
        checks.check_run_id(run_id)
        with self._session():
            summaries = self._summaries(self._entry(run_id))
            return tuple(summaries[key] for key in sorted(summaries))

    def get_summaries_of(self, run_ids: Sequence[str]) -> dict[str, tuple[SeriesSummary, ...]]:
        """See :meth:`runstore.protocol.RunReader.get_summaries_of`."""
        wanted = checks.check_run_ids(run_ids)
        with self._session() as database:
            return {run_id: self.get_summaries(run_id) for run_id in wanted if run_id in database.runs}

    def get_history(
        self,
        run_id: str,
        name: str,
        dataset_type: DatasetType | str,
        *,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> History:
        """See :meth:`runstore.protocol.RunReader.get_history`."""
        checks.check_run_id(run_id)
        key = checks.check_name(name, "name"), checks.check_dataset_type(dataset_type, "dataset_type")
        low = 0 if min_step is None else checks.check_step(min_step, "min_step")
        high = checks.MAX_STEP if max_step is None else checks.check_step(max_step, "max_step")
        with self._session():
            series = self._entry(run_id).series.get(key)
            rows = sorted(series.points.items()) if series else []
        rows = [row for row in rows if low <= row[0] <= high]
        return History(
            name=name,
            dataset_type=DatasetType(key[1]),
            steps=array("q", [step for step, _ in rows]),
            values=array("d", [value for _, (value, _) in rows]),
            logged_at_us=array("q", [moment for _, (_, moment) in rows]),
        )

    def sample_history(
        self, run_id: str, name: str, dataset_type: DatasetType | str, *, max_points: int = 2000
    ) -> History:
        """See :meth:`runstore.protocol.RunReader.sample_history`."""
        if isinstance(max_points, bool) or not isinstance(max_points, int) or max_points < MIN_SAMPLE:
            raise InvalidValueError(f"max_points is {max_points!r}; give at least {MIN_SAMPLE}")
        whole = self.get_history(run_id, name, dataset_type)
        kept = sample_indices(whole.steps, whole.values, max_points)
        return History(
            name=whole.name,
            dataset_type=whole.dataset_type,
            steps=array("q", [whole.steps[index] for index in kept]),
            values=array("d", [whole.values[index] for index in kept]),
            logged_at_us=array("q", [whole.logged_at_us[index] for index in kept]),
            represents=len(whole),
        )

    def list_artifacts(self, run_id: str) -> tuple[Artifact, ...]:
        """See :meth:`runstore.protocol.RunReader.list_artifacts`."""
        checks.check_run_id(run_id)
        with self._session():
            artifacts = self._entry(run_id).artifacts
            return tuple(deepcopy(artifacts[name]) for name in sorted(artifacts))

    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        """See :meth:`runstore.protocol.RunReader.open_artifact`."""
        checks.check_run_id(run_id)
        checks.check_artifact_name(name)
        with self._session():
            artifact = self._entry(run_id).artifacts.get(name)
            if artifact is None:
                raise ArtifactNotFoundError.of(run_id, name)
            return open_verified(artifact, self._blobs)

    # --- the handle ---------------------------------------------------------------------------------------------

    def close(self) -> None:
        """See :meth:`runstore.protocol.RunStore.close`; the shared database stays."""
        self._is_closed = True

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the runs that were begun here by what left the block, and closes the store."""
        self._begun.leave(self, error)
        self.close()

    def _session(self) -> "_Session":
        if self._is_closed:
            raise StoreClosedError("this store was closed; open another")
        return _Session(self._database)

    def _entry(self, run_id: str) -> _Entry:
        entry = self._database.runs.get(run_id)
        if entry is None:
            raise RunNotFoundError.of(run_id)
        return entry

    @staticmethod
    def _touch(entry: _Entry, now_us: int) -> None:
        """A write is a sign of life."""
        if not entry.run.status.is_final:
            entry.run = replace(entry.run, heartbeat_at=from_microseconds(now_us))

    @staticmethod
    def _seen(run: Run, now_us: int) -> Run:
        """The run as a reader sees it: the caller's own copy, ``lost`` once its lease has run out."""
        run = deepcopy(run)
        is_late = now_us > to_microseconds(run.heartbeat_at) + run.lease_s * 1e6
        return replace(run, status=RunStatus.LOST) if is_late and not run.status.is_final else run

    @staticmethod
    def _summaries(entry: _Entry) -> dict[tuple[str, str], SeriesSummary]:
        for key, series in entry.series.items():
            if series.summary is None:
                steps = sorted(series.points)
                series.summary = summarize(*key, steps, [series.points[step][0] for step in steps])
        return {key: series.summary for key, series in entry.series.items() if series.summary is not None}

    def _lookup(self, entry: _Entry, run: Run) -> Lookup:
        leaves = flatten_config(decode_config(entry.config))
        return lookup_in(
            run,
            leaves={leaf.key: leaf_value(leaf.kind, leaf.number, leaf.text) for leaf in leaves},
            summaries=self._summaries(entry),
        )


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
        self._bytes: dict[str, bytes] = {}

    def put(self, path: Path) -> Blob:
        """Keeps a copy of a file's bytes."""
        content = io.BytesIO()
        sha256, size = hashed(path, content.write)
        self._bytes[sha256] = content.getvalue()
        return Blob(sha256=sha256, size=size, uri=f"memory:{sha256}")

    def open(self, sha256: str) -> BinaryIO:
        """The bytes as kept."""
        return io.BytesIO(self._bytes[sha256])


def _page(found: list[tuple[list[Any], Run]], query: RunQuery) -> Page[Run]:
    """One keyset page of runs that carry their place in the ordering."""
    after, orders = query.after, query.orders
    rest = [item for item in found if after is None or precedes(after, item[0], orders)]
    rest.sort(key=lambda item: _Place(item[0], orders))
    shown = rest[: query.limit]
    return Page(
        items=tuple(run for _, run in shown),
        next_cursor=query.cursor_after(shown[-1][0]) if len(rest) > query.limit else None,
    )


class _Place:
    """A place in an ordering that ``list.sort`` can compare."""

    def __init__(self, pairs: list[Any], orders: Sequence[Order]) -> None:
        self._pairs = pairs
        self._orders = orders

    def __lt__(self, other: "_Place") -> bool:
        return precedes(self._pairs, other._pairs, self._orders)
