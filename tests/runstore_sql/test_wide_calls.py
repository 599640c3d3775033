"""Calls that bring a few points of each of many series, as the norm of every layer's gradient at each step."""

import json
import math
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import ClientCursor

from runstore import MetricPoint
from runstore.hookspecs import OpenOptions
from runstore.series import SeriesColumns, check_points, summarize
from runstore_sql.dialects.postgresql import ingest
from runstore_sql.dialects.postgresql.arrays import PackedArray
from runstore_sql.opening import open_sql
from runstore_sql.store import SqlStore

WIDTH = 60
ODD = (math.nan, math.inf, -math.inf, -0.0, 0.0)


def value_of(series: int, step: int) -> float:
    """Finite or not in many orders; of some series always the one or the other."""
    if series % 4 == 0:
        return math.sin(series + step)
    if series % 4 == 1:
        return (math.nan, math.inf, -math.inf)[(series + step) % 3]
    return (*ODD, 1.5, -1.5)[(series * 3 + step * 5) % 7]


def call(steps: range) -> list[MetricPoint]:
    return [
        MetricPoint(name=f"layer.{series}", value=value_of(series, step), step=step)
        for step in steps
        for series in range(WIDTH)
    ]


@pytest.mark.parametrize("steps_a_call", [1, 3])
def test_the_summaries_of_wide_calls_are_those_of_their_points(store: SqlStore, run_id: str, steps_a_call: int) -> None:
    for first in range(0, 4 * steps_a_call, steps_a_call):
        store.log_metrics(run_id, call(range(first, first + steps_a_call)))

    steps = range(4 * steps_a_call)
    found = {summary.name: summary for summary in store.get_summaries(run_id)}
    assert len(found) == WIDTH
    for series in range(WIDTH):
        values = [value_of(series, step) for step in steps]
        name = f"layer.{series}"
        assert repr(found[name]) == repr(summarize(name, "other", steps, values))
        history = store.get_history(run_id, name, "other")
        assert struct.pack(f"{len(steps)}d", *history.values) == struct.pack(f"{len(steps)}d", *values)


def test_a_wide_call_that_overlaps_in_one_series_is_stored_whole(store: SqlStore, run_id: str) -> None:
    store.log_metrics(run_id, call(range(2)))
    store.log_metrics(run_id, [MetricPoint(name="layer.7", value=9.0, step=5)])

    store.log_metrics(run_id, call(range(2, 6)))

    steps = range(6)
    for summary in store.get_summaries(run_id):
        values = [value_of(int(summary.name.removeprefix("layer.")), step) for step in steps]
        assert repr(summary) == repr(summarize(summary.name, "other", steps, values))


@pytest.mark.server
def test_postgresql_looks_at_each_series_of_a_wide_call_a_few_times_whatever_it_plans_for(
    postgresql_url: str,
) -> None:
    """The plan that it keeps for any parameters knows nothing of their number."""
    with open_sql(postgresql_url, OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("experiment"))
        store.log_metrics(run_id, call(range(1)))
        columns = check_points(call(range(1, 2)), now_us=1).by_series()

        plan = store.database.with_driver(lambda connection: generic_plan(connection, run_id, columns))
        store.finalize(run_id, "completed")

    assert max(rows_seen(plan)) <= 3 * WIDTH


def generic_plan(connection: Any, run_id: str, columns: SeriesColumns) -> Any:
    """What the server did for the statement that appends, by its plan for any parameters."""
    given = ingest.append_parameters(run_id, columns)
    types = {
        "run": "text",
        "size": "int8",
        "names": "text[]",
        "kinds": "text[]",
        "reals": "float8[]",
        "values": "float8[]",
    }
    statement = ingest.APPEND
    for place, name in enumerate(given, 1):
        statement = statement.replace(f"%({name})s", f"${place}")
    connection.execute("SET plan_cache_mode = force_generic_plan")
    heads = ", ".join(types.get(name, "int8[]") for name in given)
    connection.execute(f"PREPARE wide ({heads}) AS {statement}")
    values = [list(value.column) if isinstance(value, PackedArray) else value for value in given.values()]
    marks = ", ".join(f"%s::{types.get(name, 'int8[]')}" for name in given)
    with ClientCursor(connection) as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE wide ({marks})", values)
        (row,) = cursor.fetchall()
    connection.execute("DEALLOCATE wide")
    connection.execute("RESET plan_cache_mode")
    return row[0] if isinstance(row[0], list) else json.loads(row[0])


def rows_seen(node: Any) -> Iterator[float]:
    """How many rows each step of a plan took or threw away."""
    if isinstance(node, list):
        for part in node:
            yield from rows_seen(part)
    elif isinstance(node, dict):
        if "Actual Loops" in node:
            rows = sum(value for key, value in node.items() if key == "Actual Rows" or key.startswith("Rows Removed"))
            yield rows * node["Actual Loops"]
        for part in node.values():
            yield from rows_seen(part)
