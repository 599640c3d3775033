"""What the five views show of runs that were changed after they began."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from runstore import MetricPoint
from runstore_sql.store import SqlStore

VIEWS = ("runs", "run_configurations", "run_metrics", "run_artifacts")


def _all(store: SqlStore, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in store.database.read(lambda connection: connection.execute(sa.text(query)).all())]


def test_the_views_leave_out_a_deleted_run_with_all_that_belongs_to_it(store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"bytes")
    experiment_id = store.get_or_create_experiment("experiment")
    kept, gone = (store.ensure_run(experiment_id, run_id=run_id) for run_id in ("kept", "gone"))
    for run_id in (kept, gone):
        store.log_metrics(run_id, [MetricPoint(name="loss", value=0.5, step=1)])
        store.log_config(run_id, {"lr": 0.1})
        store.log_artifact(run_id, tmp_path / "a.bin")

    store.delete_run(gone)

    for view in VIEWS:
        assert _all(store, f"SELECT {'id' if view == 'runs' else 'run_id'} FROM {view}") == [(kept,)], view

    store.restore_run(gone)
    assert [len(_all(store, f"SELECT * FROM {view}")) for view in VIEWS] == [2, 2, 2, 2]
    store.delete_experiment(experiment_id)
    assert [len(_all(store, f"SELECT * FROM {view}")) for view in (*VIEWS, "experiments")] == [0] * 5


def test_runs_shows_the_note_and_since_when_a_run_is_archived(store: SqlStore, run_id: str) -> None:
    store.set_note(run_id, "why")
    assert _all(store, "SELECT note, archived_at FROM runs") == [("why", None)]

    store.archive_run(run_id)

    ((archived_at,),) = _all(store, "SELECT archived_at FROM runs")
    asked = store.get_run(run_id).archived_at
    assert asked is not None
    assert str(archived_at).startswith(asked.strftime("%Y-%m-%d %H:%M:%S"))
