"""How each database finds the points of a history: by the key of the points, never by reading the table through."""

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pymysql
import pytest

from runstore import MetricPoint
from runstore_sql.dialects.sqlite.history import TAKE
from runstore_sql.store import SqlStore

Reads = Callable[[SqlStore, str], object]

READS: dict[str, Reads] = {
    "whole": lambda store, run_id: store.get_history(run_id, "m3", "train"),
    "range": lambda store, run_id: store.get_history(run_id, "m3", "train", min_step=100, max_step=120),
    "sample": lambda store, run_id: store.sample_history(run_id, "m3", "train", max_points=20),
}


@pytest.mark.parametrize("read", READS)
def test_a_history_is_found_by_the_key_of_its_points(store: SqlStore, run_id: str, read: str) -> None:
    for series in range(8):
        points = [
            MetricPoint(name=f"m{series}", value=float(step % 37), step=step, dataset_type="train")
            for step in range(400)
        ]
        store.log_metrics(run_id, points)

    statements = statements_of(store, lambda: READS[read](store, run_id))

    about_points = [statement for statement in statements if "runstore_point" in statement[0]]
    assert about_points
    for statement in about_points:
        assert_stands_on_the_key(store, *statement)


def statements_of(store: SqlStore, read: Callable[[], object]) -> list[tuple[str, Any]]:
    """The statements that the driver sends, each with its parameters."""
    sent: list[tuple[str, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        if store.database.dialect.name == "sqlite":
            store.database.with_driver(lambda connection: connection.set_trace_callback(lambda s: sent.append((s, ()))))
            read()
            store.database.with_driver(lambda connection: connection.set_trace_callback(None))
        else:
            driver: Any = psycopg.Cursor if store.database.dialect.name == "postgresql" else pymysql.cursors.Cursor
            execute = driver.execute

            def note(self: object, query: Any, args: Any = None, **options: Any) -> Any:
                sent.append((str(query), args))
                return execute(self, query, args, **options)

            patch.setattr(driver, "execute", note)
            read()
    return sent


def assert_stands_on_the_key(store: SqlStore, statement: str, parameters: Any) -> None:
    plan = store.database.with_driver(lambda connection: plan_of(connection, store, statement, parameters))
    if store.database.dialect.name == "sqlite":
        steps = [step for *_, step in plan if "runstore_point" in step]
        assert steps
        assert not [step for *_, step in plan if "TEMP B-TREE" in step]
        assert all(step.startswith("SEARCH runstore_point USING PRIMARY KEY (series_pk=? AND step") for step in steps)
    elif store.database.dialect.name == "postgresql":
        text = "\n".join(str(row[0]) for row in plan)
        assert "runstore_point_pkey" in text
        assert "Seq Scan on runstore_point" not in text
    else:
        steps = [(row[2], row[3], row[5]) for row in plan if row[2] in {"runstore_point", "p"}]
        assert steps
        assert all(key == "PRIMARY" and kind not in {"ALL", "index"} for _, kind, key in steps), json.dumps(steps)


def plan_of(connection: Any, store: SqlStore, statement: str, parameters: Any) -> list[Any]:
    cursor = connection.cursor()
    try:
        if store.database.dialect.name == "sqlite":
            connection.create_function(TAKE, -1, lambda *_: None)
            return list(cursor.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall())
        if store.database.dialect.name == "postgresql":
            cursor.execute("SET enable_seqscan = off")  # a few pages would rather be read whole
            cursor.execute("ANALYZE runstore_point")
        cursor.execute(f"EXPLAIN {statement}", parameters)
        plan = list(cursor.fetchall())
        if store.database.dialect.name == "postgresql":
            cursor.execute("RESET enable_seqscan")
    finally:
        cursor.close()
    return plan
