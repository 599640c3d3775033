"""The operations of a backend, in SQL. What the verbs and reads check, page and thin is done by :mod:`runstore`."""

import math
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from runstore.artifacts import Blobs, blobs_at
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
from runstore.errors import ExperimentNotFoundError, StoreClosedError
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
from runstore.query import DeletedQuery, Place, RunQuery, lookup_in, pick_deleted, pick_page
from runstore.series import Columns, Series, SeriesColumns, summarize
from runstore.values import EMPTY_CONFIG, ConfigDocument, decode_config, encode_config
from runstore_duckdb.database import DuckFile

Connection = duckdb.DuckDBPyConnection
_ONE_OF = "IN (SELECT unnest(?::VARCHAR[]))"
_SHOWN = "id NOT IN (SELECT deletions.run_id FROM deletions)"
_SHOWN_RUN = "run_id NOT IN (SELECT deletions.run_id FROM deletions)"
_DELETE = "INSERT INTO deletions VALUES (?, ?, false) ON CONFLICT DO NOTHING"


class DuckStore(BackendStore):
    """A handle on a DuckDB file."""

    def __init__(self, url: str, *, artifacts: str | None = None, read_only: bool = False) -> None:
        self._file = DuckFile(url)
        self._blobs = blobs_at(artifacts or f"{self._file.path}.artifacts")
        self._is_place_named = artifacts is not None
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
                "INSERT INTO experiments VALUES (?, ?, ?, ?, NULL, NULL) ON CONFLICT DO NOTHING",
                [new.id, new.name, new.description, _now_us()],
            )
            description, deleted_us, described_us = _experiment(connection, new.id) or (None, None, None)
            if description is None and new.describes(described_us):
                connection.execute("UPDATE experiments SET description = ? WHERE id = ?", [new.description, new.id])
            if new.shows(deleted_us):
                _show_experiment(connection, new.id)

    def insert_run(self, new: NewRun) -> bool:
        with self._call() as connection:
            if _presence(connection, new.id) is not None:
                return False
            run = first_attempt(new, now_us=_now_us())
            if _experiment(connection, run.experiment_id) is None:
                raise ExperimentNotFoundError.of(run.experiment_id)
            if run.parent_run_id is not None:
                check_parent(run.parent_run_id, _presence(connection, run.parent_run_id))
            connection.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?, NULL)",
                [run.id, run.experiment_id, run.parent_run_id, _body(run), new.provenance.text],
            )
            _show_experiment(connection, run.experiment_id)
            return True

    def place_run(self, placed: PlacedRun) -> None:
        with self._call() as connection:
            presence = _presence(connection, placed.id)
            placed.check_presence(presence)
            if _experiment(connection, placed.experiment_id) is None:
                raise ExperimentNotFoundError.of(placed.experiment_id)
            if placed.parent_run_id is not None:
                check_parent(placed.parent_run_id, _presence(connection, placed.parent_run_id))
            run = placed.run if presence is None else placed_over(placed, _stored(connection, placed.id))
            if presence is None:
                connection.execute(
                    "INSERT INTO runs VALUES (?, ?, ?, ?, ?, NULL)",
                    [run.id, run.experiment_id, run.parent_run_id, _body(run), placed.provenance.text],
                )
                _show_experiment(connection, run.experiment_id)
            else:
                connection.execute(
                    "UPDATE runs SET parent_run_id = ?, body = ?, provenance = ? WHERE id = ?",
                    [run.parent_run_id, _body(run), placed.provenance.text, run.id],
                )

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
            known = connection.execute("SELECT document FROM configs WHERE run_id = ?", [run_id]).fetchone()
            whole = config.merged_over(ConfigDocument(known[0] if known else EMPTY_CONFIG))
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

    # Changing

    def change_run(self, run_id: str, change: RunChange) -> None:
        with self._call() as connection:
            _change_run(connection, run_id, change)

    def change_experiment(self, experiment_id: str, change: ExperimentChange) -> None:
        with self._call() as connection:
            found = _experiment(connection, experiment_id)
            if found is None or (found[1] is not None and not change.is_deleted):
                raise ExperimentNotFoundError.of(experiment_id)
            _, deleted_us, described_us = found
            change, described_us = change.standing(described_us)
            if change.description is not UNSET:
                connection.execute(
                    "UPDATE experiments SET description = ?, described_us = ? WHERE id = ?",
                    [change.description, described_us, experiment_id],
                )
            if change.is_deleted and deleted_us is None:
                which = f"experiment_id = ? AND {_SHOWN}"
                for run in _runs(connection, which, [experiment_id]):
                    deletion = change.deletion_of(to_microseconds(run.start_time))
                    if deletion is not None:
                        _change_run(connection, run.id, deletion)
                if not _runs(connection, which, [experiment_id]):
                    connection.execute(
                        "UPDATE experiments SET deleted_us = ? WHERE id = ?", [change.at_us, experiment_id]
                    )

    def thin(self, asked: Thinning) -> Thinned:  # noqa: ARG002 - see below
        """Thins nothing, and so closes nothing: DuckDB packs histories, and summaries are made from them."""
        with self._call():
            return Thinned(series=0, points=0)

    def sweep(self, asked: Sweep) -> Garbage:
        with self._call() as connection:
            rows = connection.execute(
                "SELECT run_id FROM deletions WHERE NOT is_purged AND deleted_us < ?", [asked.deleted_before_us]
            ).fetchall()
            gone = [run_id for (run_id,) in rows]
            (points,) = connection.execute(
                f"SELECT count(*) FROM points WHERE run_id {_ONE_OF}", [gone]
            ).fetchone() or (0,)
            records = connection.execute(f"SELECT body FROM artifacts WHERE run_id NOT {_ONE_OF}", [gone]).fetchall()
            if gone and not asked.dry_run:
                for table, key in (
                    ("points", "run_id"),
                    ("artifacts", "run_id"),
                    ("configs", "run_id"),
                    ("runs", "id"),
                ):
                    connection.execute(f"DELETE FROM {table} WHERE {key} {_ONE_OF}", [gone])
                connection.execute(f"UPDATE deletions SET is_purged = true WHERE run_id {_ONE_OF}", [gone])
        named = {msgspec.json.decode(body, type=Artifact).sha256 for (body,) in records}
        files, size = asked.collect(self.blobs, named, is_place_named=self._is_place_named)
        return Garbage(runs=len(gone), points=points, files=files, bytes=size, is_dry_run=asked.dry_run)

    # Reading

    def presence_of(self, run_id: str) -> Presence | None:
        with self._call() as connection:
            return _presence(connection, run_id)

    def find_experiment_by_id(self, experiment_id: str) -> Experiment | None:
        return next(iter(self._experiments("id = ?", [experiment_id])), None)

    def read_experiments(self, after: str | None, limit: int) -> Sequence[Experiment]:
        return self._experiments("name > ? ORDER BY name LIMIT ?", [after or "", limit])

    def find_run(self, run_id: str) -> Run | None:
        with self._call() as connection:
            found = _runs(connection, f"id = ? AND {_SHOWN}", [run_id])
        return with_status_now(found[0], now_us=_now_us()) if found else None

    def read_runs(self, asked: RunQuery) -> tuple[Sequence[Run], Place | None]:
        """Filtered and sorted in Python. A backend with many runs would translate ``asked.node`` into SQL."""
        with self._call() as connection:
            stored = _runs(
                connection,
                f"{_SHOWN} AND (? IS NULL OR experiment_id = ?) AND (? IS NULL OR parent_run_id = ?)",
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

    def read_deleted(self, asked: DeletedQuery) -> list[DeletedRun]:
        with self._call() as connection:
            deleted = dict(
                connection.execute("SELECT run_id, deleted_us FROM deletions WHERE NOT is_purged").fetchall()
            )
            names = dict(connection.execute("SELECT id, name FROM experiments").fetchall())
            runs = _runs(connection, f"id {_ONE_OF}", [list(deleted)])
        found = [
            DeletedRun(
                id=run.id,
                name=run.name,
                experiment_id=run.experiment_id,
                experiment=names[run.experiment_id],
                start_time=run.start_time,
                deleted_at=from_microseconds(deleted[run.id]),
            )
            for run in runs
        ]
        return pick_deleted(found, asked)

    def read_configs(self, run_ids: Sequence[str]) -> dict[str, str]:
        with self._call() as connection:
            return _configs(connection, run_ids)

    def read_summaries(self, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:
        with self._call() as connection:
            return _summaries(connection, run_ids)

    def read_history(self, run_id: str, series: Series, steps: StepRange) -> Columns:
        with self._call() as connection:
            rows = connection.execute(
                f"SELECT step, value, logged_at_us FROM points WHERE run_id = ? AND {_SHOWN_RUN} AND metric_name = ? "
                "AND dataset_type = ? AND step BETWEEN ? AND ? ORDER BY step",
                [run_id, *series, steps.low, steps.high],
            ).fetchall()
        found, values, times = zip(*rows, strict=True) if rows else ((), (), ())
        return Columns(array("q", found), array("d", values), array("q", times))

    def read_artifacts(self, run_id: str) -> Sequence[Artifact]:
        with self._call() as connection:
            rows = connection.execute(
                f"SELECT body, metadata FROM artifacts WHERE run_id = ? AND {_SHOWN_RUN} ORDER BY name", [run_id]
            ).fetchall()
        return [
            replace(msgspec.json.decode(body, type=Artifact), metadata=decode_config(metadata))
            for body, metadata in rows
        ]

    def read_artifact(self, run_id: str, name: str) -> Artifact | None:
        return next((record for record in self.read_artifacts(run_id) if record.name == name), None)

    def _experiments(self, which: str, values: list[Any]) -> list[Experiment]:
        with self._call() as connection:
            rows = connection.execute(
                f"SELECT * FROM experiments WHERE deleted_us IS NULL AND {which}", values
            ).fetchall()
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


def _stored(connection: Connection, run_id: str) -> Run:
    """A run that takes writes, whether reads show it or not."""
    check_kept(run_id, _presence(connection, run_id))
    return _runs(connection, "id = ?", [run_id])[0]


def _write(connection: Connection, run: Run, changed: Run) -> None:
    if changed is not run:
        connection.execute("UPDATE runs SET body = ? WHERE id = ?", [_body(changed), run.id])


def _change(connection: Connection, run_id: str, change: Callable[..., Run], *how: Any, **named: Any) -> None:
    """Writes what ``change`` makes of a run, if that is another. Every write is a heartbeat, once a tenth of the lease."""
    run = _stored(connection, run_id)
    _write(connection, run, change(run, *how, now_us=_now_us(), **named))


def _presence(connection: Connection, run_id: str) -> Presence | None:
    found = connection.execute(
        "SELECT is_purged FROM deletions WHERE run_id = ? UNION ALL SELECT NULL FROM runs WHERE id = ?",
        [run_id, run_id],
    ).fetchall()
    if not found:
        return None
    states = {is_purged for (is_purged,) in found}
    return Presence.PURGED if True in states else Presence.DELETED if False in states else Presence.SHOWN


def _experiment(connection: Connection, experiment_id: str) -> tuple[str | None, int | None, int | None] | None:
    """An experiment's description, when it was deleted, and when its description was replaced."""
    query = "SELECT description, deleted_us, described_us FROM experiments WHERE id = ?"
    return connection.execute(query, [experiment_id]).fetchone()


def _change_run(connection: Connection, run_id: str, change: RunChange) -> None:
    presence = _presence(connection, run_id)
    change.check_presence(run_id, presence)
    if presence is Presence.PURGED:
        return  # it is deleted once more
    run = _stored(connection, run_id)
    query = "SELECT changed, deleted_us FROM runs LEFT JOIN deletions ON run_id = id WHERE id = ?"
    text, deleted_us = connection.execute(query, [run_id]).fetchone() or (None, None)
    change, text = change.standing(text, deleted_us=deleted_us)
    body = _body(change.over(run))
    connection.execute("UPDATE runs SET body = ?, changed = ? WHERE id = ?", [body, text, run_id])
    if change.is_deleted is True:
        connection.execute(_DELETE, [run_id, change.at_us])
    elif change.is_deleted is False:
        connection.execute("DELETE FROM deletions WHERE run_id = ?", [run_id])
        _show_experiment(connection, run.experiment_id)


def _show_experiment(connection: Connection, experiment_id: str) -> None:
    connection.execute(
        "UPDATE experiments SET deleted_us = NULL WHERE id = ? AND deleted_us IS NOT NULL", [experiment_id]
    )


def _put_points(connection: Connection, columns: list[Any]) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO points SELECT ?, ?, ?, unnest(?::BIGINT[]), unnest(?::DOUBLE[]), unnest(?::BIGINT[])",
        columns,
    )


def _configs(connection: Connection, run_ids: Sequence[str]) -> dict[str, str]:
    rows = connection.execute(
        f"SELECT id, coalesce(document, ?) FROM runs LEFT JOIN configs ON run_id = id WHERE id {_ONE_OF} AND {_SHOWN}",
        [EMPTY_CONFIG, list(run_ids)],
    ).fetchall()
    return dict(rows)


def _summaries(connection: Connection, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:
    known = connection.execute(f"SELECT id FROM runs WHERE id {_ONE_OF} AND {_SHOWN}", [list(run_ids)]).fetchall()
    found: dict[str, list[SeriesSummary]] = {run_id: [] for (run_id,) in known}
    rows = connection.execute(
        "SELECT run_id, metric_name, dataset_type, list(step ORDER BY step), list(value ORDER BY step) FROM points "
        f"WHERE run_id {_ONE_OF} AND {_SHOWN_RUN} GROUP BY ALL ORDER BY metric_name, dataset_type",
        [list(run_ids)],
    ).fetchall()
    for run_id, name, kind, steps, values in rows:
        found[run_id].append(summarize(name, kind, steps, values))
    return found
