"""The store: six verbs, the reads and the heartbeat, on :mod:`runstore`'s own checks, summaries and filter semantics."""

import math
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from os import PathLike
from types import TracebackType
from typing import Any, BinaryIO, Self

import duckdb
import msgspec
from msgspec.structs import replace

from runstore.artifacts.blobs import blobs_at
from runstore.artifacts.requests import check_artifact, records_of
from runstore.artifacts.verifying import open_verified
from runstore.backend.begun import BegunRuns
from runstore.errors import (
    ArtifactNotFoundError,
    ExperimentNotFoundError,
    InvalidValueError,
    RunFinalizedError,
    RunNotFoundError,
    SchemaError,
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
from runstore.query.searches import check_children, check_experiments, check_search
from runstore.series.checked import check_points, group_points
from runstore.series.sampling import MIN_SAMPLE, sample_indices
from runstore.series.summaries import summarize
from runstore.values import births, checks
from runstore.values.config import check_config, decode_config, encode_config, merge_config
from runstore.values.ids import experiment_id_of, new_run_id
from runstore_duckdb.database import DuckFile
from runstore_duckdb.search import children_page, search_page

Connection = duckdb.DuckDBPyConnection


class DuckStore:
    """A handle on a DuckDB file; see :class:`runstore.protocol.BackendStore` for every method."""

    def __init__(self, url: str, *, artifacts: str | None = None, read_only: bool = False) -> None:
        self._file = DuckFile(url)
        self._blobs = blobs_at(artifacts or f"{self._file.path}.artifacts")
        self._read_only = read_only
        self._is_closed = False
        self._begun = BegunRuns()
        self._file.prepare(read_only=read_only)

    def __repr__(self) -> str:
        return f"<DuckStore {self._file.path}>"

    # The six verbs

    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        checks.check_name(name, "experiment name")
        checks.check_optional_text(description, "description")
        experiment_id = experiment_id_of(name)
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO experiments VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [experiment_id, name, description, _now_us()],
            )
            connection.execute(
                "UPDATE experiments SET description = ? WHERE id = ? AND description IS NULL",
                [description, experiment_id],
            )
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
        origin = encode_config(check_config(provenance or {}, "provenance"))
        with self._writing() as connection:
            found = _find_run(connection, birth.run_id)
            now = from_microseconds(_now_us())
            if found is not None:
                births.check_same_experiment(birth, found.experiment_id)
                if resume:
                    self._begun.add(found.id)
                if resume and found.status.is_final:
                    _write_run(
                        connection,
                        replace(
                            found,
                            status=RunStatus.IN_PROGRESS,
                            end_time=None,
                            failure=None,
                            attempt=found.attempt + 1,
                            heartbeat_at=now,
                        ),
                    )
                return found.id
            wanted = births.require_experiment(birth)
            if connection.execute("SELECT 1 FROM experiments WHERE id = ?", [wanted]).fetchone() is None:
                raise ExperimentNotFoundError.of(wanted)
            if birth.parent_run_id is not None and _find_run(connection, birth.parent_run_id) is None:
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
            )
            connection.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?)",
                [run.id, run.experiment_id, run.parent_run_id, _encoded(run), origin],
            )
        self._begun.add(run.id)
        return run.id

    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        checks.check_run_id(run_id)
        groups = group_points(check_points(points, now_us=_now_us()))
        columns: list[list[Any]] = [[], [], [], [], []]
        for (name, kind), values in groups.items():
            for step, (value, moment_us) in values.items():
                for column, item in zip(columns, (name, kind, step, value, moment_us), strict=True):
                    column.append(item)
        with self._writing() as connection:
            _touch(connection, _get_run(connection, run_id))
            if 0.0 in columns[3]:
                # DuckDB leaves a value alone that equals the new one, and 0.0 equals -0.0: NaN comes in between.
                zeros = [row for row in zip(*columns, strict=True) if row[3] == 0.0]
                names, kinds, steps, _, moments = map(list, zip(*zeros, strict=True))
                _put_points(connection, run_id, [names, kinds, steps, [math.nan] * len(zeros), moments])
            if columns[0]:
                _put_points(connection, run_id, columns)

    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        checks.check_run_id(run_id)
        new = check_config(config)
        with self._writing() as connection:
            run = _get_run(connection, run_id)
            document = encode_config(merge_config(_config_of(connection, run_id), new))
            connection.execute("INSERT OR REPLACE INTO configs VALUES (?, ?)", [run_id, document])
            _touch(connection, run)

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
        checks.check_run_id(run_id)
        request = check_artifact(path, name=name, artifact_type=artifact_type, copy=copy, metadata=metadata)
        self.get_run(run_id)
        # Bytes first, and outside the transaction; the record follows when they are whole.
        artifact = request.record(run_id, self._blobs, created_at=from_microseconds(_now_us()))
        with self._writing() as connection:
            run = _get_run(connection, run_id)
            for record in records_of(artifact):
                connection.execute(
                    "INSERT OR REPLACE INTO artifacts VALUES (?, ?, ?, ?)",
                    [run_id, record.name, _encoded(replace(record, metadata={})), encode_config(record.metadata)],
                )
            _touch(connection, run)
        return artifact

    def finalize(
        self,
        run_id: str,
        status: RunStatus | str,
        *,
        end_time: datetime | None = None,
        error: BaseException | RunFailure | None = None,
    ) -> None:
        checks.check_run_id(run_id)
        final = checks.check_terminal_status(status)
        end_us = None if end_time is None else checks.check_time(end_time, "end_time")
        failure = checks.check_failure(error)
        with self._writing() as connection:
            run = _get_run(connection, run_id)
            if run.status.is_final:
                if run.status != final:
                    raise RunFinalizedError.of(run_id, found=run.status, asked=final)
                return
            end_us = checks.check_end_time(end_us, start_us=to_microseconds(run.start_time), now_us=_now_us())
            _write_run(connection, replace(run, status=final, end_time=from_microseconds(end_us), failure=failure))
        self._begun.discard(run_id)

    def heartbeat(self, run_id: str, *, lease_s: float) -> None:
        checks.check_run_id(run_id)
        lease_s = checks.check_lease(lease_s)
        with self._writing() as connection:
            run = _get_run(connection, run_id)
            if not run.status.is_final:
                _write_run(connection, replace(run, heartbeat_at=from_microseconds(_now_us()), lease_s=lease_s))

    # Reading

    def get_experiment(self, experiment_id: str) -> Experiment:
        checks.check_name(experiment_id, "experiment_id")
        with self._reading() as connection:
            rows = connection.execute("SELECT * FROM experiments WHERE id = ?", [experiment_id]).fetchall()
        if not rows:
            raise ExperimentNotFoundError.of(experiment_id)
        return _experiment(rows[0])

    def find_experiment(self, name: str) -> Experiment | None:
        try:
            return self.get_experiment(experiment_id_of(checks.check_name(name, "experiment name")))
        except ExperimentNotFoundError:
            return None

    def list_experiments(self, *, limit: int = 100, cursor: str | None = None) -> Page[Experiment]:
        query = check_experiments(limit=limit, cursor=cursor)
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT * FROM experiments WHERE name > ? ORDER BY name LIMIT ?", [query.after or "", limit + 1]
            ).fetchall()
        items = tuple(_experiment(row) for row in rows[:limit])
        return Page(items=items, next_cursor=query.cursor_after(items[-1].name) if len(rows) > limit else None)

    def get_run(self, run_id: str) -> Run:
        checks.check_run_id(run_id)
        with self._reading() as connection:
            return _seen(_get_run(connection, run_id))

    def search_runs(
        self,
        filter: str | None = None,  # noqa: A002 - the protocol's name
        *,
        experiment_id: str | None = None,
        order_by: Sequence[str] = ("start_time desc",),
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Run]:
        query = check_search(filter, experiment_id=experiment_id, order_by=order_by, limit=limit, cursor=cursor)
        with self._reading() as connection:
            where, values = ("", []) if experiment_id is None else (" WHERE experiment_id = ?", [experiment_id])
            rows = connection.execute(f"SELECT body, provenance FROM runs{where}", values).fetchall()
            runs = [_seen(_decoded(*row)) for row in rows]
            ids = [run.id for run in runs]
            configs, summaries = _configs_of(connection, ids), _summaries_of(connection, ids)
        return search_page(runs, configs, summaries, query)

    def list_children(self, run_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[Run]:
        query = check_children(run_id, limit=limit, cursor=cursor)
        with self._reading() as connection:
            _get_run(connection, run_id)
            rows = connection.execute("SELECT body, provenance FROM runs WHERE parent_run_id = ?", [run_id]).fetchall()
        return children_page([_seen(_decoded(*row)) for row in rows], query)

    def get_config(self, run_id: str) -> dict[str, Any]:
        checks.check_run_id(run_id)
        with self._reading() as connection:
            _get_run(connection, run_id)
            return _config_of(connection, run_id)

    def get_configs(self, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        with self._reading() as connection:
            return _configs_of(connection, _known(connection, checks.check_run_ids(run_ids)))

    def get_summaries(self, run_id: str) -> tuple[SeriesSummary, ...]:
        checks.check_run_id(run_id)
        with self._reading() as connection:
            _get_run(connection, run_id)
            return _summaries_of(connection, [run_id])[run_id]

    def get_summaries_of(self, run_ids: Sequence[str]) -> dict[str, tuple[SeriesSummary, ...]]:
        with self._reading() as connection:
            return _summaries_of(connection, _known(connection, checks.check_run_ids(run_ids)))

    def get_history(
        self,
        run_id: str,
        name: str,
        dataset_type: DatasetType | str,
        *,
        min_step: int | None = None,
        max_step: int | None = None,
    ) -> History:
        checks.check_run_id(run_id)
        checks.check_name(name, "name")
        kind = checks.check_dataset_type(dataset_type, "dataset_type")
        low = 0 if min_step is None else checks.check_step(min_step, "min_step")
        high = checks.MAX_STEP if max_step is None else checks.check_step(max_step, "max_step")
        with self._reading() as connection:
            _get_run(connection, run_id)
            rows = connection.execute(
                "SELECT step, value, logged_at_us FROM points WHERE run_id = ? AND metric_name = ? "
                "AND dataset_type = ? AND step BETWEEN ? AND ? ORDER BY step",
                [run_id, name, kind, low, high],
            ).fetchall()
        return History(
            name=name,
            dataset_type=DatasetType(kind),
            steps=array("q", [row[0] for row in rows]),
            values=array("d", [row[1] for row in rows]),
            logged_at_us=array("q", [row[2] for row in rows]),
        )

    def sample_history(
        self, run_id: str, name: str, dataset_type: DatasetType | str, *, max_points: int = 2000
    ) -> History:
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
        checks.check_run_id(run_id)
        with self._reading() as connection:
            _get_run(connection, run_id)
            rows = connection.execute(
                "SELECT body, metadata FROM artifacts WHERE run_id = ? ORDER BY name", [run_id]
            ).fetchall()
        return tuple(
            replace(msgspec.json.decode(body, type=Artifact), metadata=decode_config(metadata))
            for body, metadata in rows
        )

    def open_artifact(self, run_id: str, name: str) -> BinaryIO:
        checks.check_artifact_name(name)
        found = next((each for each in self.list_artifacts(run_id) if each.name == name), None)
        if found is None:
            raise ArtifactNotFoundError.of(run_id, name)
        return open_verified(found, self._blobs)

    # The handle

    def close(self) -> None:
        self._is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._begun.leave(self, error)
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if self._is_closed:
            raise StoreClosedError(f"the store at {self._file.path} was closed; open another")
        with self._file.transaction() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._read_only:
            raise SchemaError(f"the store at {self._file.path} was opened for reading; open_store(url) writes")
        with self._reading() as connection:
            yield connection


# Rows


def _now_us() -> int:
    """The database's clock: a file has the machine's."""
    return time.time_ns() // 1000


def _encoded(value: Run | Artifact) -> str:
    return msgspec.json.encode(value).decode()


def _decoded(body: str, provenance: str) -> Run:
    return replace(msgspec.json.decode(body, type=Run), provenance=decode_config(provenance))


def _experiment(row: tuple[Any, ...]) -> Experiment:
    return Experiment(id=row[0], name=row[1], description=row[2], created_at=from_microseconds(row[3]))


def _find_run(connection: Connection, run_id: str | None) -> Run | None:
    row = connection.execute("SELECT body, provenance FROM runs WHERE id = ?", [run_id]).fetchone()
    return None if row is None else _decoded(*row)


def _get_run(connection: Connection, run_id: str) -> Run:
    run = _find_run(connection, run_id)
    if run is None:
        raise RunNotFoundError.of(run_id)
    return run


def _put_points(connection: Connection, run_id: str, columns: Sequence[Sequence[Any]]) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO points SELECT ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
        "unnest(?::BIGINT[]), unnest(?::DOUBLE[]), unnest(?::BIGINT[])",
        [run_id, *columns],
    )


def _write_run(connection: Connection, run: Run) -> None:
    connection.execute("UPDATE runs SET body = ? WHERE id = ?", [_encoded(replace(run, provenance={})), run.id])


def _touch(connection: Connection, run: Run) -> None:
    """A write is a sign of life; moved rarely, for it rewrites the row."""
    is_stale = _now_us() - to_microseconds(run.heartbeat_at) > run.lease_s * 1e5
    if is_stale and not run.status.is_final:
        _write_run(connection, replace(run, heartbeat_at=from_microseconds(_now_us())))


def _seen(run: Run) -> Run:
    is_late = _now_us() > to_microseconds(run.heartbeat_at) + run.lease_s * 1e6
    return replace(run, status=RunStatus.LOST) if is_late and not run.status.is_final else run


def _known(connection: Connection, run_ids: Sequence[str]) -> list[str]:
    found = connection.execute("SELECT id FROM runs WHERE id IN (SELECT unnest(?::VARCHAR[]))", [list(run_ids)])
    return [run_id for (run_id,) in found.fetchall()]


def _config_of(connection: Connection, run_id: str) -> dict[str, Any]:
    return _configs_of(connection, [run_id])[run_id]


def _configs_of(connection: Connection, run_ids: list[str]) -> dict[str, dict[str, Any]]:
    rows = connection.execute(
        "SELECT run_id, document FROM configs WHERE run_id IN (SELECT unnest(?::VARCHAR[]))", [run_ids]
    ).fetchall()
    documents = dict(rows)
    return {run_id: decode_config(documents.get(run_id, "{}")) for run_id in run_ids}


def _summaries_of(connection: Connection, run_ids: list[str]) -> dict[str, tuple[SeriesSummary, ...]]:
    rows = connection.execute(
        "SELECT run_id, metric_name, dataset_type, list(step ORDER BY step), list(value ORDER BY step) FROM points "
        "WHERE run_id IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL ORDER BY metric_name, dataset_type",
        [run_ids],
    ).fetchall()
    found: dict[str, list[SeriesSummary]] = {run_id: [] for run_id in run_ids}
    for run_id, name, kind, steps, values in rows:
        found[run_id].append(summarize(name, kind, steps, values))
    return {run_id: tuple(summaries) for run_id, summaries in found.items()}
