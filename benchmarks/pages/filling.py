"""Puts the same contents into each tool's store. Ours by its verbs, and copies of those; the others' by their tables:
what their clients would have written, which would take hours. Curves of ours go in by the columns of a call."""

import json
import sqlite3
import subprocess
import uuid
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from benchmarks import data
from benchmarks.copies import check, copy_runs
from benchmarks.pages import contents
from benchmarks.pages.contents import CURVE, CURVES, NAMES, TABLE, Sizes
from runstore import MetricPoint, open_store
from runstore.backend import BackendStore
from runstore.series import Columns

_BEGAN = datetime(2023, 11, 14, tzinfo=UTC)
_TOOK = timedelta(minutes=40)
_CALL = 100_000


def table_of(count: int) -> list[data.RunData]:
    """The runs of a table: the first ones, then their copies."""
    return list(_table(count))


def _table(count: int) -> Iterator[data.RunData]:
    first = contents.originals(data.originals_of(count))
    for number in range(count // len(first)):
        yield from (data.copied(run, number) if number else run for run in first)


def fill_ours(url: str, sizes: Sizes) -> None:
    """A table, and where they are asked for long curves and many names."""
    runs = table_of(sizes.runs)
    first = data.originals_of(sizes.runs)
    with cast("BackendStore", open_store(url, durable=False)) as store:
        _add(store, TABLE, runs[:first])
    if first < len(runs):
        copy_runs(url, copies=len(runs) // first - 1)
        check(url, runs)
    with cast("BackendStore", open_store(url, durable=False)) as store:
        if sizes.keys:
            _add(store, NAMES, contents.named(sizes.keys))
        if sizes.curve_points:
            _add_curves(store, sizes.curve_points)


def _add(store: BackendStore, experiment: str, runs: Iterable[data.RunData]) -> None:
    experiment_id = store.get_or_create_experiment(experiment)
    for number, run in enumerate(runs):
        start = _BEGAN + timedelta(seconds=number)
        run_id = store.ensure_run(experiment_id, name=run.name, start_time=start)
        store.log_config(run_id, run.config)
        store.log_metrics(
            run_id,
            [MetricPoint(name=name, value=value, step=1, dataset_type="train") for name, value in run.metrics.items()],
        )
        store.finalize(run_id, "completed", end_time=start + _TOOK)


def _add_curves(store: BackendStore, points: int) -> None:
    experiment_id = store.get_or_create_experiment(CURVES)
    began_us = int(_BEGAN.timestamp() * 1e6)
    for number in range(contents.CURVE_RUNS):
        run_id = store.ensure_run(
            experiment_id, run_id=f"curve{number:02}", name=f"curve-{number:02}", start_time=_BEGAN
        )
        store.log_config(run_id, {"learning_rate": 0.001 * number, "seed": number})
        values = contents.curve(number, points)
        for first in range(0, points, _CALL):
            steps = array("q", range(first, min(first + _CALL, points)))
            times = array("q", (began_us + 1000 * step for step in steps))
            store.append(run_id, {(CURVE, "train"): Columns(steps, values[first : first + len(steps)], times)})
        store.finalize(run_id, "completed", end_time=_BEGAN + timedelta(milliseconds=points + 1000))


def fill_mlflow(python: Path, file: Path, sizes: Sizes) -> None:
    """MLflow's own tables, made by MLflow."""
    made = f"from mlflow.tracking import MlflowClient as C; c = C('sqlite:///{file}'); [c.create_experiment(n) for n in {(TABLE, CURVES, NAMES)}]"
    subprocess.run([str(python), "-c", made], check=True, capture_output=True, cwd=file.parent)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        experiments = dict(connection.execute("SELECT name, experiment_id FROM experiments").fetchall())
        for experiment, runs in ((TABLE, _table(sizes.runs)), (NAMES, contents.named(sizes.keys))):
            for number, run in enumerate(runs):
                run_id = _add_mlflow(connection, experiments[experiment], run, number)
                rows = [(name, value, 1, run_id) for name, value in run.metrics.items()]
                connection.executemany("INSERT INTO metrics VALUES (?, ?, 1, ?4, ?3, 0)", rows)
                connection.executemany("INSERT INTO latest_metrics VALUES (?, ?, 1, ?, 0, ?)", rows)
        if sizes.curve_points:
            _add_mlflow_curves(connection, experiments[CURVES], sizes.curve_points)
        connection.execute("ANALYZE")


def _add_mlflow_curves(connection: sqlite3.Connection, experiment: int, points: int) -> None:
    """In the order of the table's key, with pages enough: by run it takes ten times as long."""
    connection.execute("PRAGMA cache_size = -1000000")
    began_ms, last = int(_BEGAN.timestamp() * 1e3), points - 1
    curves = {
        _add_mlflow(connection, experiment, _curve_run(number), number): contents.curve(number, points)
        for number in range(contents.CURVE_RUNS)
    }
    connection.executemany(
        "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, 0)",
        (
            (CURVE, values[step], began_ms + step, run_id, step)
            for step in range(points)
            for run_id, values in sorted(curves.items())
        ),
    )
    latest = [(CURVE, values[last], began_ms + last, last, 0, run_id) for run_id, values in curves.items()]
    connection.executemany("INSERT INTO latest_metrics VALUES (?, ?, ?, ?, ?, ?)", latest)


def _curve_run(number: int) -> data.RunData:
    return data.RunData(f"curve-{number:02}", {"learning_rate": 0.001 * number, "seed": number}, {})


def _add_mlflow(connection: sqlite3.Connection, experiment: int, run: data.RunData, number: int) -> str:
    run_id = uuid.uuid4().hex
    start = int((_BEGAN.timestamp() + number) * 1000)
    end = start + int(_TOOK.total_seconds() * 1000)
    about = (run_id, run.name, "LOCAL", "train.py", "", "somebody", "FINISHED", start, end, "", "active")
    connection.execute(
        f"INSERT INTO runs VALUES ({', '.join('?' * 14)})", (*about, f"/nowhere/{run_id}/artifacts", experiment, None)
    )
    connection.execute("INSERT INTO tags VALUES ('mlflow.runName', ?, ?)", (run.name, run_id))
    connection.executemany(
        "INSERT INTO params VALUES (?, ?, ?)", [(key, str(value), run_id) for key, value in run.config.items()]
    )
    return run_id


def fill_trackio(python: Path, folder: Path, sizes: Sizes) -> None:
    """Trackio's own files, a project each, made by Trackio."""
    made = f"from trackio.sqlite_storage import SQLiteStorage as S; [S.init_db(n) for n in {(TABLE, CURVES)}]"
    environment = {"TRACKIO_DIR": str(folder), "HF_HUB_OFFLINE": "1", "HOME": str(folder)}
    subprocess.run([str(python), "-c", made], check=True, capture_output=True, env=environment)
    with closing(sqlite3.connect(folder / f"{TABLE}.db")) as connection, connection:
        for number, run in enumerate(_table(sizes.runs)):
            _add_trackio(connection, run, number, [(1, run.metrics)])
    with closing(sqlite3.connect(folder / f"{CURVES}.db")) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        for number in range(contents.CURVE_RUNS if sizes.curve_points else 0):
            run = _curve_run(number)
            values = contents.curve(number, sizes.curve_points)
            _add_trackio(connection, run, number, ((step, {CURVE: value}) for step, value in enumerate(values)))


def _add_trackio(
    connection: sqlite3.Connection, run: data.RunData, number: int, rows: Iterable[tuple[int, dict[str, float]]]
) -> None:
    run_id, start = uuid.uuid4().hex, _BEGAN + timedelta(seconds=number)
    config: dict[str, Any] = {**run.config, "_Username": None, "_Created": start.isoformat(), "_Group": None}
    connection.execute(
        "INSERT INTO configs (run_id, run_name, config, created_at) VALUES (?, ?, ?, ?)",
        (run_id, run.name, _json(config), start.isoformat()),
    )
    connection.executemany(
        "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?, ?)",
        (
            (run_id, (start + timedelta(milliseconds=step)).isoformat(), run.name, step, _json(values))
            for step, values in rows
        ),
    )


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
