"""Searches: the runs that are settled, and that what leads to few runs is read by an index and in few rows."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from runstore import MetricPoint
from runstore.backend import Store
from runstore_sql.schema.tables import result, run, series
from runstore_sql.store import SqlStore
from support.settling import settle

LOSS = "metric.train.loss.last"


def test_a_run_is_settled_when_it_has_ended_and_no_more_once_it_is_written_to(store: SqlStore, run_id: str) -> None:
    log(store, run_id, 0, 0.5)
    assert settled(store) == []

    store.finalize(run_id, "completed")
    settle(store)
    assert settled(store) == [run_id]

    log(store, run_id, 1, 0.25)
    assert settled(store) == []
    assert names(store, f"{LOSS} = 0.25") == [run_id]

    settle(store)
    assert settled(store) == [run_id]
    assert names(store, f"{LOSS} = 0.5") == []
    assert names(store, f"{LOSS} = 0.25") == [run_id]


def test_a_new_series_of_a_settled_run_is_found(store: SqlStore, run_id: str) -> None:
    log(store, run_id, 0, 0.5)
    store.finalize(run_id, "completed")
    settle(store)

    log(store, run_id, 0, 7.0, name="late")

    assert names(store, "metric.train.late > 6") == [run_id]
    assert names(store, None, order_by=["metric.train.late desc"]) == [run_id]
    assert [each.key for each in store.list_keys("metric")] == ["late", "loss"]


def test_a_heartbeat_of_an_ended_run_stays_as_it_is_when_points_come_late(store: SqlStore, run_id: str) -> None:
    store.finalize(run_id, "completed")
    settle(store)
    before = store.get_run(run_id)

    log(store, run_id, 0, 0.5)

    assert store.get_run(run_id) == before


def test_a_reopened_run_is_not_settled_whoever_reopened_it(store: SqlStore, run_id: str) -> None:
    log(store, run_id, 0, 0.5)
    store.finalize(run_id, "completed")
    settle(store)

    # As a handle of the release before does, which knows nothing of settled runs.
    with store.database.engine.connect() as connection:
        connection.execute(run.update().values(attempt=2, status="in_progress"))
        connection.execute(sa.text("UPDATE runstore_series SET last_value = 9.0, last_step = 3"))

    assert settled(store) == []
    assert names(store, f"{LOSS} > 8") == [run_id]
    assert names(store, f"{LOSS} < 8") == []
    assert names(store, None, order_by=[f"{LOSS} desc"]) == [run_id]


def test_other_runs_that_were_left_are_settled_when_a_run_ends(store: SqlStore) -> None:
    experiment_id = store.get_or_create_experiment("experiment")
    first, second, third = (store.ensure_run(experiment_id) for _ in range(3))
    for run_id in (first, second):
        log(store, run_id, 0, 0.5)
        store.finalize(run_id, "completed")
    log(store, first, 1, 0.25)

    store.finalize(third, "failed")
    settle(store)

    assert settled(store) == sorted([first, second, third])


def test_a_purged_run_leaves_no_values_behind(store: SqlStore, run_id: str) -> None:
    log(store, run_id, 0, 0.5)
    store.finalize(run_id, "completed")
    settle(store)
    store.delete_run(run_id)

    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - one test

    store.collect_garbage(deleted_before=datetime.now(UTC) + timedelta(days=1), dry_run=False)

    assert store.database.read(lambda c: c.execute(sa.select(sa.func.count()).select_from(result)).scalar()) == 0


@pytest.mark.parametrize(
    "order_by", [[f"{LOSS} desc"], [LOSS], ["metric.train.odd"], ["metric.train.loss.max", "name"]]
)
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_settled_and_other_runs_are_in_one_order(store: SqlStore, order_by: list[str], limit: int) -> None:
    experiment_id = store.get_or_create_experiment("experiment")
    for number in range(12):
        run_id = store.ensure_run(experiment_id, name=f"{number % 5}")
        if number % 4:
            log(store, run_id, 0, float(number % 3))
        if number % 3 == 0:
            log(store, run_id, 0, float("nan") if number % 2 else 1.0, name="odd")
        if number % 2:
            store.finalize(run_id, "completed")
    settle(store)
    whole = [each.id for each in store.search_runs(order_by=order_by).items]

    pages: list[str] = []
    cursor = None
    while True:
        page = store.search_runs(order_by=order_by, limit=limit, cursor=cursor)
        pages += [each.id for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert pages == whole
    assert len(set(whole)) == 12


STATEMENTS_OF_AN_END = {"postgresql": 3, "sqlite": 5, "mysql": 5}
"""Begin, end, commit; and where an update gives no rows and no write may be under way, look and keep the values."""


def test_the_end_of_a_run_takes_few_statements(store: SqlStore) -> None:
    experiment_id = store.get_or_create_experiment("experiment")
    first, second = (store.ensure_run(experiment_id) for _ in range(2))
    for run_id in (first, second):
        log(store, run_id, 0, 0.5)
    store.finalize(first, "completed")  # makes the metric known
    statements: list[str] = []
    sa.event.listen(store.database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))

    store.finalize(second, "completed")

    assert len(statements) <= STATEMENTS_OF_AN_END[store.database.dialect.name]


def test_one_end_in_sixteen_looks_for_runs_that_others_left(store: SqlStore) -> None:
    """It reads the rows of all the runs that go on."""
    experiment_id = store.get_or_create_experiment("experiment")
    runs = [store.ensure_run(experiment_id) for _ in range(16)]
    statements: list[str] = []
    sa.event.listen(store.database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))

    for run_id in runs:
        store.finalize(run_id, "completed")

    assert len([each for each in statements if "are_many_left" in each and "LIMIT" in each]) == 1


def test_runs_that_others_left_are_settled_once_they_are_many(store: SqlStore) -> None:
    experiment_id = store.get_or_create_experiment("experiment")
    left = [store.ensure_run(experiment_id) for _ in range(16)]
    for run_id in left:
        log(store, run_id, 0, 0.5)
        store.finalize(run_id, "completed")
        log(store, run_id, 1, 0.25)
    settle_beside = [store.ensure_run(experiment_id) for _ in range(3)]

    for run_id in settle_beside:  # where runs are marked first, it takes one end to mark them
        store.finalize(run_id, "completed")

    deadline = time.monotonic() + 60
    while not set(left) <= set(settled(store)):  # that waits for the transactions of others on the server
        assert time.monotonic() < deadline
        store.finalize(store.ensure_run(experiment_id), "completed")
    assert names(store, f"{LOSS} = 0.25", limit=100) == list(reversed(left))


def test_a_run_that_a_program_of_the_first_schema_wrote_is_settled_once_that_has_been_quiet(
    store: SqlStore, run_id: str
) -> None:
    """Such a program, open since before the migration, would not say that a run is settled no more."""
    log(store, run_id, 0, 0.5)

    def end(connection: sa.Connection) -> None:
        connection.execute(run.update().values(status="completed", end_us=run.c.start_us + 1))
        connection.execute(series.update().values(level=None))

    store.database.write(end)
    settle(store)
    late = series.update().values(count=2, last_step=1, last_value=0.25)
    store.database.write(lambda connection: connection.execute(late))
    assert names(store, f"{LOSS} = 0.25") == [run_id]

    quiet = run.update().values(heartbeat_us=run.c.heartbeat_us - 2 * 86_400_000_000)
    store.database.write(lambda connection: connection.execute(quiet))
    settle(store)

    assert settled(store) == [run_id]
    assert names(store, f"{LOSS} = 0.25") == [run_id]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_values_that_go_on_behind_what_an_index_holds_are_counted_as_they_are(store: SqlStore, limit: int) -> None:
    experiment_id = store.get_or_create_experiment("experiment")
    beginning = "x" * 63
    values = ["short", "short", f"{beginning}y", *(f"{beginning}y{number}" for number in (1, 2, 2, 2)), beginning]
    for value in values:
        run_id = store.ensure_run(experiment_id, tags={"note": value})
        store.log_config(run_id, {"note": value})
    counts = [(f"{beginning}y2", 3), ("short", 2), (beginning, 1), (f"{beginning}y", 1), (f"{beginning}y1", 1)]

    for field in ("tag.note", "config.note"):
        found = [(each.value, each.runs) for each in store.list_values(field, limit=limit)]

        assert found == counts[:limit]


def test_pages_that_follow_one_another_ask_once_which_way_is_short(store: SqlStore) -> None:
    experiment_id = store.get_or_create_experiment("experiment")
    runs = [store.ensure_run(experiment_id, tags={"owner": "a"}) for _ in range(3)]
    statements: list[str] = []
    sa.event.listen(store.database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))

    first = store.search_runs("tag.owner = 'a'", limit=1)
    on_first = len(statements)
    second = store.search_runs("tag.owner = 'a'", limit=1, cursor=first.next_cursor)

    assert [each.id for each in (*first.items, *second.items)] == runs[:0:-1]
    assert len(statements) - on_first == on_first - 1


def test_short_values_are_looked_at_once(store: SqlStore) -> None:
    store.ensure_run(store.get_or_create_experiment("experiment"), tags={"owner": "a"})
    statements: list[str] = []
    sa.event.listen(store.database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))

    store.list_values("tag.owner")

    assert len(statements) == 1


QUESTIONS: dict[str, Callable[[Store], object]] = {
    "a metric's value": lambda store: store.search_runs("metric.train.loss.max > 1e6"),
    "a setting's value": lambda store: store.search_runs("config.seed > 1e6"),
    "a text": lambda store: store.search_runs("config.model = 'none'"),
    "a name": lambda store: store.search_runs("name = 'none'"),
    "a name's beginning": lambda store: store.search_runs("name like 'none%'"),
    "a tag": lambda store: store.search_runs("tag.owner = 'nobody' and name like '%1%'"),
    "a status": lambda store: store.search_runs("status = 'interrupted'"),
    "one of two": lambda store: store.search_runs("name = 'none' or tag.owner = 'nobody'"),
    "a metric's order": lambda store: store.search_runs(order_by=["metric.train.loss.min desc"], limit=5),
    "a metric's value and order": lambda store: store.search_runs("metric.train.loss > 0.99", order_by=[LOSS], limit=5),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_few_runs_answer_costs_no_look_at_all_runs(big_sqlite: SqlStore, question: str) -> None:
    QUESTIONS[question](big_sqlite)

    steps = steps_of(big_sqlite, lambda: QUESTIONS[question](big_sqlite))

    assert steps < 3_000  # a look at each of the 1,500 runs takes more than 10,000


@pytest.fixture(scope="module")
def big_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """1,500 runs that have ended, in SQLite, which tells how many steps its machine takes."""
    from runstore.hookspecs import OpenOptions  # noqa: PLC0415 - one fixture
    from runstore_sql.opening import open_sql  # noqa: PLC0415 - one fixture

    with open_sql(f"sqlite:///{tmp_path_factory.mktemp('big')}/runs.db?synchronous=OFF", OpenOptions()) as store:
        experiment_id = store.get_or_create_experiment("experiment")
        for number in range(1_500):
            run_id = store.ensure_run(experiment_id, name=f"run {number}", tags={"owner": f"owner {number % 7}"})
            store.log_config(run_id, {"seed": number, "model": f"resnet{number % 5}"})
            log(store, run_id, 0, number / 1_500)
            store.finalize(run_id, "completed")
        yield store


def steps_of(store: SqlStore, ask: Callable[[], object]) -> int:
    """How many steps of SQLite's machine a question takes, in hundreds."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    def watch(handler: Any) -> None:
        def on(connection: sa.Connection) -> None:
            driver: Any = connection.connection.dbapi_connection
            driver.set_progress_handler(handler, 100)

        store.database.read(on)

    watch(step)
    ask()
    watch(None)
    return count * 100


def log(store: Store, run_id: str, step: int, value: float, *, name: str = "loss") -> None:
    store.log_metrics(run_id, [MetricPoint(name=name, value=value, step=step, dataset_type="train")])


def names(store: Store, filter_text: str | None, **asked: Any) -> list[str]:
    return [each.id for each in store.search_runs(filter_text, **asked).items]


def settled(store: SqlStore) -> list[str]:
    query = sa.select(run.c.id).where(store.database.dialect.is_settled(run)).order_by(run.c.id)
    return list(store.database.read(lambda connection: connection.execute(query).scalars()))
