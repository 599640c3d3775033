"""Counts: what one test leads to is counted in its index, and what is not to be counted is taken off again."""

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runstore import MetricPoint, open_store
from runstore.backend import PlacedRun, Store
from runstore.errors import RunStoreError
from runstore.memory.store import MemoryStore
from runstore.model import Run, RunStatus
from runstore_sql.schema.tables import run
from runstore_sql.store import SqlStore
from support.settling import settle

RUNS = 200
FILTERS = [
    "metric.train.loss.last > 3",
    "metric.train.loss.last < 0",
    "metric.train.loss.last = -2",
    "metric.train.loss.max in (1, 11, 16, 21, 26)",
    "metric.train.loss is not null",
    "metric.train.absent > 0",
    "config.lr = 1",
    "config.lr >= 1",
    "config.lr in (1, 2)",
    "config.deep = true",
    "config.lr is not null",
    f"tag.owner = '{'1' * 79}'",
    "tag.owner like '1%'",
    "tag.owner in ('1', '0')",
    "metric.train.loss.last > 3 and config.lr = 1",
    "metric.train.loss.last > 3 or config.lr = 1",
    "not config.lr = 1",
    "archived = true and config.lr = 1",
    "name = 'run 3'",
]


def add_run(store: Store, experiment_id: str, number: int) -> str:
    run_id = store.ensure_run(experiment_id, name=f"run {number}", tags={"owner": f"{number % 2}" * (80 - number % 3)})
    store.log_config(run_id, {"lr": number % 4, "deep": number % 3 == 0})
    store.log_metrics(run_id, [MetricPoint(name="loss", value=float(number), step=0, dataset_type="train")])
    return run_id


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    """Runs that have ended, go on, were begun again, got late points, are archived, and are deleted: five of each."""
    experiment_id = store.get_or_create_experiment("counts")
    runs = [add_run(store, experiment_id, number) for number in range(30)]
    for run_id in runs[5:]:
        store.finalize(run_id, "completed")
    settle(store)
    for run_id in runs[5:10]:
        store.ensure_run(experiment_id, run_id=run_id)
    for run_id in runs[10:15]:
        store.log_metrics(run_id, [MetricPoint(name="loss", value=-1.0, step=1, dataset_type="train")])
    for run_id in runs[15:20]:
        store.archive_run(run_id)
    for run_id in runs[20:25]:
        store.delete_run(run_id)
    # As a handle of the release before does, which knows nothing of settled runs.
    with store.database.engine.connect() as connection:
        connection.execute(run.update().where(run.c.id == runs[25]).values(attempt=2, status="in_progress"))
        connection.execute(sa.text("UPDATE runstore_series SET last_value = -2.0 WHERE last_value = 25.0"))
        connection.commit()
    return store


def test_a_count_over_all_experiments_is_what_a_search_finds(filled: SqlStore) -> None:
    counts = {text: filled.count_runs(text) for text in FILTERS}

    assert counts == {text: len(list(filled.iter_runs(text))) for text in FILTERS}
    assert counts["metric.train.loss.last < 0"] == 6


def test_keys_of_metrics_are_counted_once_a_run(filled: SqlStore) -> None:
    assert [(each.key, each.dataset_type, each.runs) for each in filled.list_keys("metric")] == [("loss", "train", 20)]
    assert list(filled.list_keys("metric", prefix="x")) == []


@pytest.mark.parametrize("filter_text", ["metric.train.loss.max >= 0", "config.lr >= 0"])
def test_a_count_by_one_test_looks_at_no_run(fast_path: Path, filter_text: str) -> None:
    with open_store(f"sqlite:///{fast_path}/runs.db", durable=False) as store:
        assert isinstance(store, SqlStore)
        experiment_id = store.get_or_create_experiment("counts")
        for number in range(RUNS):
            store.finalize(add_run(store, experiment_id, number), "completed")
        settle(store)

        by_test, of_all = (steps_of_count(store, asked) for asked in (filter_text, None))

        assert by_test < 3 * of_all  # 4.4 times with a look at each run


def steps_of_count(store: SqlStore, filter_text: str | None) -> int:
    """How many steps SQLite's machine takes for it, by tens."""
    store.count_runs(filter_text)
    steps: list[None] = []
    store.database.read(lambda connection: _driver(connection).set_progress_handler(lambda: steps.append(None), 10))
    assert store.count_runs(filter_text) == RUNS
    store.database.read(lambda connection: _driver(connection).set_progress_handler(None, 0))
    return len(steps)


def _driver(connection: Any) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


LONG_AGO = datetime(2019, 3, 9, tzinfo=UTC)
STATUSES = (RunStatus.COMPLETED, RunStatus.FAILED)
TEXTS = ("1", "true", "x" * 63, "x" * 64, "x" * 64 + "y")


def change_something(stores: Sequence[Store], experiments: list[str], rng: random.Random) -> None:
    """One call, the same for each store; one that a store refuses is refused by all."""
    run_id, value, text = f"run-{rng.randrange(12)}", float(rng.randrange(-2, 3)), rng.choice(TEXTS)
    kind, status, step = (
        rng.choice(("train", "validation")),
        rng.choice((RunStatus.IN_PROGRESS, *STATUSES)),
        rng.choice((0, 1)),
    )
    elsewhere = Run(
        id=run_id,
        experiment_id=experiments[0],
        name=None,
        status=status,
        training_mode="centralized",
        parent_run_id=None,
        client_id=None,
        attempt=rng.randint(1, 4),
        start_time=LONG_AGO,
        end_time=None if status is RunStatus.IN_PROGRESS else LONG_AGO,
        heartbeat_at=LONG_AGO,
        lease_s=60.0,
        source_path=None,
        tags={"owner": text},
        archived_at=rng.choice((None, None, LONG_AGO)),
    )
    calls: list[Callable[[Store], object]] = [
        lambda store: store.ensure_run(experiments[1], run_id=run_id, tags={"owner": text}),
        lambda store: store.ensure_run(run_id=run_id),
        lambda store: store.source().place_run(PlacedRun.checked(elsewhere)),
        lambda store: store.log_metrics(run_id, [MetricPoint(name="loss", value=value, step=step, dataset_type=kind)]),
        lambda store: store.log_config(run_id, {"lr": value, "text": text}),
        lambda store: store.set_tags(run_id, {"owner": text}),
        lambda store: store.finalize(run_id, STATUSES[step]),
        lambda store: store.finalize(run_id, STATUSES[step]),
        lambda store: store.archive_run(run_id) if value < 0 else store.unarchive_run(run_id),
        lambda store: store.delete_run(run_id) if value < 0 else store.restore_run(run_id),
        lambda store: store.source().catch_up(),
        lambda store: store.collect_garbage(deleted_before=datetime.now(UTC) + timedelta(days=1), dry_run=value > -2),
    ]
    call = rng.choice(calls)
    for store in stores:
        with suppress(RunStoreError):
            call(store)


def all_counts(store: Store, experiments: list[str]) -> Iterator[object]:
    """Of runs, keys and values, in all experiments and in one."""
    for text in (*FILTERS, *(f"config.text = '{each}'" for each in TEXTS), "status = 'lost'", None):
        for experiment_id in (None, experiments[0]):
            yield text, experiment_id, store.count_runs(text, experiment_id=experiment_id)
    for experiment_id in (None, experiments[0]):
        yield from (store.list_keys(of, experiment_id=experiment_id) for of in ("metric", "config", "tag"))
        fields = ("config.lr", "config.text", "tag.owner", "status", "archived", "experiment")
        yield from (store.list_values(field, experiment_id=experiment_id) for field in fields)


def test_counts_are_those_of_all_runs_whatever_was_done_to_them(store: SqlStore) -> None:
    stores, rng = [MemoryStore(), store], random.Random(13)
    _, experiments = ([each.get_or_create_experiment(name) for name in ("first", "second")] for each in stores)

    for _ in range(4):
        for _ in range(60):
            change_something(stores, experiments, rng)
        expected, found = ([*all_counts(each, experiments)] for each in stores)
        assert found == expected
