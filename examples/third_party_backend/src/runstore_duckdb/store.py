"""The operations of a backend, in SQL. What the verbs and reads check, page and thin is done by :mod:`runstore`."""

import math
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import msgspec
from msgspec.structs import replace

from runstore.artifacts import Blobs, blobs_at
from runstore.backend import (
    BackendStore,
    NewExperiment,
    NewRun,
    RunEnd,
    StepRange,
    first_attempt,
    with_end,
    with_heartbeat,
    with_next_attempt,
    with_status_now,
)
from runstore.errors import ExperimentNotFoundError, RunNotFoundError, StoreClosedError
from runstore.model import Artifact, Experiment, Run, SeriesSummary, from_microseconds
from runstore.query import Place, RunQuery, lookup_in, pick_page
from runstore.series import Columns, Series, SeriesColumns, summarize
from runstore.values import EMPTY_CONFIG, ConfigDocument, decode_config, encode_config
from runstore_duckdb.database import DuckFile

Connection = duckdb.DuckDBPyConnection
_ONE_OF = "IN (SELECT unnest(?::VARCHAR[]))"


class DuckStore(BackendStore):
    """A handle on a DuckDB file."""

    def __init__(self, url: str, *, artifacts: str | None = None, read_only: bool = False) -> None:
        self._file = DuckFile(url)
        self._blobs = blobs_at(artifacts or f"{self._file.path}.artifacts")
        self._is_closed = False
        self._file.prepare(read_only=read_only)

    def __repr__(self) -> str:
        return f"<DuckStore {self._file.path}>"

    @contextmanager
    def _call(self) -> Iterator[Connection]:
        """A transaction for one operation."""
        if self._is_closed:
            raise StoreClosedError(f"the store at {self._file.path} was closed; open another")
        with self._file.transaction() as connection:
            yield connection

    def close(self) -> None:
        self._is_closed = True

    # Writing

    def make_experiment(self, new: NewExperiment) -> None:
        with self._call() as connection:
            connection.execute(
                "INSERT INTO experiments VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [new.id, new.name, new.description, _now_us()],
            )
            connection.execute(
                "UPDATE experiments SET description = ? WHERE id = ? AND description IS NULL", [new.description, new.id]
            )

    def insert_run(self, new: NewRun) -> bool:
        with self._call() as connection:
            if _runs(connection, "id = ?", [new.id]):
                return False
            run = first_attempt(new, now_us=_now_us())
            if connection.execute("SELECT 1 FROM experiments WHERE id = ?", [run.experiment_id]).fetchone() is None:
                raise ExperimentNotFoundError.of(run.experiment_id)
            if run.parent_run_id is not None and not _runs(connection, "id = ?", [run.parent_run_id]):
                raise RunNotFoundError.of(run.parent_run_id, role="parent run")
            connection.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?)",
                [run.id, run.experiment_id, run.parent_run_id, _body(run), new.provenance.text],
            )
            return True

    def reopen_run(self, run_id: str) -> None:
        with self._call() as connection:
            _change(connection, run_id, with_next_attempt)

    def end_run(self, run_id: str, end: RunEnd) -> None:
        with self._call() as connection:
            _change(connection, run_id, with_end, end)

    def beat(self, run_id: str, lease_s: float) -> None:
        with self._call() as connection:
            _change(connection, run_id, with_heartbeat, lease_s=lease_s)

    def append(self, run_id: str, series: SeriesColumns) -> None:
        with self._call() as connection:
            _change(connection, run_id, with_heartbeat)
            for key, (steps, values, times) in series.items():
                if 0.0 in values:
                    # DuckDB leaves a value alone that equals the new one, and 0.0 equals -0.0: NaN comes in between.
                    between = [math.nan if value == 0.0 else value for value in values]
                    _put_points(connection, [run_id, *key, list(steps), between, list(times)])
                _put_points(connection, [run_id, *key, list(steps), list(values), list(times)])

    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        with self._call() as connection:
            _change(connection, run_id, with_heartbeat)
            whole = config.merged_over(ConfigDocument(_configs(connection, [run_id])[run_id]))
            connection.execute("INSERT OR REPLACE INTO configs VALUES (?, ?)", [run_id, whole.text])

    def record_artifacts(self, run_id: str, records: Sequence[Artifact]) -> None:
        with self._call() as connection:
            _change(connection, run_id, with_heartbeat)
            for record in records:
                body = msgspec.json.encode(replace(record, metadata={})).decode()
                metadata = encode_config(record.metadata)
                connection.execute(
                    "INSERT OR REPLACE INTO artifacts VALUES (?, ?, ?, ?)", [run_id, record.name, body, metadata]
                )

    @property
    def blobs(self) -> Blobs:
        return self._blobs

    # Reading

    def find_experiment_by_id(self, experiment_id: str) -> Experiment | None:
        return next(iter(self._experiments("WHERE id = ?", [experiment_id])), None)

    def read_experiments(self, after: str | None, limit: int) -> Sequence[Experiment]:
        return self._experiments("WHERE name > ? ORDER BY name LIMIT ?", [after or "", limit])

    def find_run(self, run_id: str) -> Run | None:
        with self._call() as connection:
            found = _runs(connection, "id = ?", [run_id])
        return with_status_now(found[0], now_us=_now_us()) if found else None

    def read_runs(self, asked: RunQuery) -> tuple[Sequence[Run], Place | None]:
        """Filtered and sorted in Python. A backend with many runs would translate ``asked.node`` into SQL."""
        with self._call() as connection:
            stored = _runs(
                connection,
                "(? IS NULL OR experiment_id = ?) AND (? IS NULL OR parent_run_id = ?)",
                [asked.experiment_id, asked.experiment_id, asked.parent_run_id, asked.parent_run_id],
            )
            runs = [with_status_now(run, now_us=_now_us()) for run in stored]
            ids = [run.id for run in runs]
            configs, summaries = _configs(connection, ids), _summaries(connection, ids)
            names = dict(connection.execute("SELECT id, name FROM experiments").fetchall())
            artifacts: dict[str, list[str]] = {run_id: [] for run_id in ids}
            for run_id, name in connection.execute("SELECT run_id, name FROM artifacts").fetchall():
                artifacts.get(run_id, []).append(name)
        lookups = (
            lookup_in(
                run,
                ConfigDocument(configs[run.id]),
                summaries[run.id],
                experiment=names[run.experiment_id],
                artifacts=artifacts[run.id],
            )
            for run in runs
        )
        return pick_page(zip(runs, lookups, strict=True), asked)

    def read_configs(self, run_ids: Sequence[str]) -> dict[str, str]:
        with self._call() as connection:
            return _configs(connection, run_ids)

    def read_summaries(self, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:
        with self._call() as connection:
            return _summaries(connection, run_ids)

    def read_history(self, run_id: str, series: Series, steps: StepRange) -> Columns:
        with self._call() as connection:
            rows = connection.execute(
                "SELECT step, value, logged_at_us FROM points WHERE run_id = ? AND metric_name = ? "
                "AND dataset_type = ? AND step BETWEEN ? AND ? ORDER BY step",
                [run_id, *series, steps.low, steps.high],
            ).fetchall()
        found, values, times = zip(*rows, strict=True) if rows else ((), (), ())
        return Columns(array("q", found), array("d", values), array("q", times))

    def read_artifacts(self, run_id: str) -> Sequence[Artifact]:
        with self._call() as connection:
            rows = connection.execute(
                "SELECT body, metadata FROM artifacts WHERE run_id = ? ORDER BY name", [run_id]
            ).fetchall()
        return [
            replace(msgspec.json.decode(body, type=Artifact), metadata=decode_config(metadata))
            for body, metadata in rows
        ]

    def read_artifact(self, run_id: str, name: str) -> Artifact | None:
        return next((record for record in self.read_artifacts(run_id) if record.name == name), None)

    def _experiments(self, which: str, values: list[Any]) -> list[Experiment]:
        with self._call() as connection:
            rows = connection.execute(f"SELECT * FROM experiments {which}", values).fetchall()
        return [
            Experiment(id=row[0], name=row[1], description=row[2], created_at=from_microseconds(row[3])) for row in rows
        ]


# Rows


def _now_us() -> int:
    """The database's clock: a file has the machine's."""
    return time.time_ns() // 1000


def _body(run: Run) -> str:
    """A run as JSON; its provenance has a column of its own, for JSON has no NaN."""
    return msgspec.json.encode(replace(run, provenance={})).decode()


def _runs(connection: Connection, which: str, values: list[Any]) -> list[Run]:
    rows = connection.execute(f"SELECT body, provenance FROM runs WHERE {which}", values).fetchall()
    return [
        replace(msgspec.json.decode(body, type=Run), provenance=decode_config(provenance)) for body, provenance in rows
    ]


def _change(connection: Connection, run_id: str, change: Callable[..., Run], *how: Any, **named: Any) -> None:
    """Writes what ``change`` makes of a run, if that is another. Every write is a heartbeat, once a tenth of the lease."""
    found = _runs(connection, "id = ?", [run_id])
    if not found:
        raise RunNotFoundError.of(run_id)
    changed = change(found[0], *how, now_us=_now_us(), **named)
    if changed is not found[0]:
        connection.execute("UPDATE runs SET body = ? WHERE id = ?", [_body(changed), run_id])


def _put_points(connection: Connection, columns: list[Any]) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO points SELECT ?, ?, ?, unnest(?::BIGINT[]), unnest(?::DOUBLE[]), unnest(?::BIGINT[])",
        columns,
    )


def _configs(connection: Connection, run_ids: Sequence[str]) -> dict[str, str]:
    rows = connection.execute(
        f"SELECT id, coalesce(document, ?) FROM runs LEFT JOIN configs ON run_id = id WHERE id {_ONE_OF}",
        [EMPTY_CONFIG, list(run_ids)],
    ).fetchall()
    return dict(rows)


def _summaries(connection: Connection, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:
    known = connection.execute(f"SELECT id FROM runs WHERE id {_ONE_OF}", [list(run_ids)]).fetchall()
    found: dict[str, list[SeriesSummary]] = {run_id: [] for (run_id,) in known}
    rows = connection.execute(
        "SELECT run_id, metric_name, dataset_type, list(step ORDER BY step), list(value ORDER BY step) FROM points "
        f"WHERE run_id {_ONE_OF} GROUP BY ALL ORDER BY metric_name, dataset_type",
        [list(run_ids)],
    ).fetchall()
    for run_id, name, kind, steps, values in rows:
        found[run_id].append(summarize(name, kind, steps, values))
    return found
