"""A page begins where the one before ended: it costs what it holds, however many runs stand before and behind it."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runstore import open_store
from runstore_sql.store import SqlStore

START = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize("order", ["start_time desc", "start_time", "id", "id desc"])
def test_the_second_page_of_many_runs_costs_no_more_than_that_of_few(fast_path: Path, order: str) -> None:
    few, many = (_steps_of_a_second_page(f"sqlite:///{fast_path}/{runs}.db", runs, order) for runs in (100, 1000))

    assert many < 2 * few


def _steps_of_a_second_page(url: str, runs: int, order: str) -> int:
    """How many steps SQLite's machine takes for it, by tens."""
    with open_store(url, durable=False) as store:
        assert isinstance(store, SqlStore)
        experiment_id = store.get_or_create_experiment("many")
        for number in range(runs):
            store.ensure_run(experiment_id, run_id=f"{number:05}", start_time=START + timedelta(seconds=number))
        cursor = store.search_runs(order_by=[order], limit=10).next_cursor
        steps: list[None] = []
        store.database.read(lambda connection: _driver(connection).set_progress_handler(lambda: steps.append(None), 10))

        found = store.search_runs(order_by=[order], limit=10, cursor=cursor)

        store.database.read(lambda connection: _driver(connection).set_progress_handler(None, 0))
        assert len(found) == 10
        assert steps
        return len(steps)


def _driver(connection: Any) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
