"""What each dialect keeps of a point, and what it costs to write."""

import math
import re
import sqlite3
import struct
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from runstore import MetricPoint, RunNotFoundError
from runstore.hookspecs import OpenOptions
from runstore.model import DATASET_TYPES, StepValue
from runstore.series import Columns, check_points
from runstore.series.summaries import merge_summaries, summarize
from runstore_sql.dialects.postgresql import ingest
from runstore_sql.metrics import rollups
from runstore_sql.metrics.summary_rows import fold, row_of, summary_of
from runstore_sql.opening import open_sql
from runstore_sql.store import SqlStore
from support.sampled import sampled_steps

ODD_VALUES = [math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, -5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1e22]


def bits(values: Sequence[float]) -> bytes:
    return struct.pack(f"{len(values)}d", *values)


def test_every_float64_reads_back_bit_for_bit(store: SqlStore, run_id: str) -> None:
    points = [MetricPoint(name="odd", value=value, step=step) for step, value in enumerate(ODD_VALUES)]

    store.log_metrics(run_id, points)

    assert bits(store.get_history(run_id, "odd", "other").values) == bits(ODD_VALUES)
    assert all(
        bits([store.get_history(run_id, "odd", "other", min_step=step, max_step=step).values[0]]) == bits([value])
        for step, value in enumerate(ODD_VALUES)
    )


def test_a_value_that_is_sent_one_by_one_reads_back_bit_for_bit(store: SqlStore, run_id: str) -> None:
    for step, value in enumerate(ODD_VALUES):
        store.log_metrics(run_id, [MetricPoint(name="odd", value=value, step=step)])

    assert bits(store.get_history(run_id, "odd", "other").values) == bits(ODD_VALUES)
    (summary,) = store.get_summaries(run_id)
    expected = summarize("odd", "other", range(len(ODD_VALUES)), ODD_VALUES)
    assert (summary.count, summary.min, summary.max) == (expected.count, expected.min, expected.max)
    assert summary.non_finite_count == 3


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1], [0, 3, 3, 1]])
def test_the_summary_is_that_of_the_points_whatever_their_order(store: SqlStore, run_id: str, order: list[int]) -> None:
    pieces = [
        [(0, 5.0), (1, math.nan)],
        [(1, -3.0), (2, -3.0), (7, math.inf)],
        [(2, 9.0), (3, 0.5), (5, 9.0)],
        [(0, 5.0), (9, -0.0)],
    ]
    held: dict[int, float] = {}
    for piece in order:
        store.log_metrics(run_id, [MetricPoint(name="m", value=value, step=step) for step, value in pieces[piece]])
        held.update(pieces[piece])

    (summary,) = store.get_summaries(run_id)

    steps = sorted(held)
    expected = summarize("m", "other", steps, [held[step] for step in steps])
    assert repr(summary) == repr(expected)


def test_a_call_takes_the_same_number_of_statements_whatever_it_carries(url: str) -> None:
    with open_sql(url, OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("experiment"))

        def cost(series: int, steps: range, value: float) -> int:
            points = [
                MetricPoint(name=f"{series}/{index}", value=value, step=step)
                for index in range(series)
                for step in steps
            ]
            with counted_statements(store) as statements:
                store.log_metrics(run_id, points)
            return len(statements)

        first = {cost(series, range(3), 0.5) for series in (2, 40, 300)}
        append = {cost(series, range(5, 5 + series), 0.5) for series in (2, 40, 300)}
        again = {cost(series, range(5, 7), 0.5) for series in (2, 40, 300)}
        overwrite = {cost(series, range(5, 7), 0.7) for series in (2, 40, 300)}

    # PostgreSQL tries its one statement before the steps of a call that makes series or reaches back.
    assert [len(counts) for counts in (first, append, again, overwrite)] == [1, 1, 1, 1]
    assert max(first | append | again | overwrite) <= 10


@pytest.mark.parametrize("series", [1, 12])
def test_a_call_that_fills_packs_takes_few_statements_however_many_series_it_has(
    store: SqlStore, run_id: str, monkeypatch: pytest.MonkeyPatch, series: int
) -> None:
    monkeypatch.setattr(rollups, "LEAST_POINTS", 100)
    monkeypatch.setattr(rollups, "level_for", lambda *_: 1)
    names = [f"m{index}" for index in range(series)]

    def log(steps: range) -> list[str]:
        with counted_statements(store) as statements:
            store.log_metrics(
                run_id, [MetricPoint(name=name, value=0.5, step=step) for step in steps for name in names]
            )
        return statements

    log(range(40))
    usual, filling = log(range(40, 80)), log(range(80, 120))

    expected = {
        # A transaction: the statement that appends, which gives how its series stand, and one with all that is rolled up.
        "postgresql": [1, 4],
        # To find the run and its series, and all the rest. A statement beyond these waits for no answer.
        "mysql": [2, 2],
        # There it reads how the series stand, writes packs, and says how far they go.
        "sqlite": [len(usual), len(usual) + 3],
    }
    assert [len(usual), len(filling)] == expected[store.database.dialect.name]
    assert store.database.read(lambda connection: connection.scalar(sa.text("SELECT count(*) FROM runstore_rollup")))


def test_the_driver_remembers_the_statement_that_appends() -> None:
    """It takes a longer one apart at each call, which costs as much as sending a hundred points."""
    assert len(ingest.APPEND) <= MAX_CACHED_STATEMENT_LENGTH


def test_a_point_behind_the_last_of_its_series_takes_one_round_trip(store: SqlStore, run_id: str) -> None:
    store.log_metrics(run_id, [MetricPoint(name="m", value=1.0, step=0)])

    with counted_statements(store) as seen:
        store.log_metrics(run_id, [MetricPoint(name="m", value=2.0, step=1)])

    # To SQLite there is no way to go: a transaction of two statements.
    assert len(seen) == (4 if store.database.dialect.name == "sqlite" else 1)


@pytest.mark.parametrize("names", [("loss",), ("loss", "auroc")])
def test_writers_of_one_run_do_not_wait_for_each_other(store: SqlStore, run_id: str, names: tuple[str, ...]) -> None:
    """Another writer, in the middle of a call, has what every writer needs of the run's row."""
    if store.database.dialect.name == "sqlite":
        return  # one writer at a time
    for step in range(2):
        store.log_metrics(run_id, [MetricPoint(name=name, value=0.5, step=step) for name in names])
    lock = "LOCK IN SHARE MODE" if store.database.dialect.name == "mysql" else "FOR KEY SHARE"
    held = sa.text(f"SELECT pk FROM runstore_run WHERE id = :id {lock}")

    def log_beside(connection: sa.Connection) -> None:
        connection.execute(held, {"id": run_id})
        store.log_metrics(run_id, [MetricPoint(name=name, value=0.25, step=2) for name in names])

    store.database.write(log_beside)

    assert [each.last.value for each in store.get_summaries(run_id)] == [0.25] * len(names)


@pytest.mark.parametrize("series", [2, 10])
def test_points_behind_the_last_of_many_series_take_two_statements_of_sqlite(sqlite_url: str, series: int) -> None:
    with open_sql(sqlite_url, OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("experiment"))
        store.log_metrics(run_id, [MetricPoint(name=f"m{index}", value=1.0, step=0) for index in range(series)])

        with counted_statements(store) as seen:
            store.log_metrics(run_id, [MetricPoint(name=f"m{index}", value=2.0, step=1) for index in range(series)])

    assert [text.split()[0] for text in seen] == ["BEGIN", "UPDATE", "INSERT", "COMMIT"]
    # One that undoes itself alone keeps what it changes in a temporary file: rolling back is the transaction's part.
    assert seen[2].startswith("INSERT OR FAIL")


def test_a_call_of_which_one_series_reaches_back_counts_every_point_once(store: SqlStore, run_id: str) -> None:
    store.log_metrics(run_id, [MetricPoint(name=name, value=1.0, step=5) for name in ("a", "b", "c")])

    for _ in range(2):
        points = [MetricPoint(name=name, value=2.0, step=step) for name, step in (("a", 6), ("b", 5), ("c", 6))]
        store.log_metrics(run_id, points)

    found = {summary.name: (summary.count, summary.last.value) for summary in store.get_summaries(run_id)}
    assert found == {"a": (2, 2.0), "b": (1, 2.0), "c": (2, 2.0)}


@pytest.mark.parametrize("step", [5, 4, 6])
def test_a_point_at_before_or_behind_the_last_is_stored_once_and_summed_up(
    store: SqlStore, run_id: str, step: int
) -> None:
    for last in (4, 5):
        store.log_metrics(run_id, [MetricPoint(name="m", value=1.0, step=last)])

    for value in (math.nan, -7.0):
        store.log_metrics(run_id, [MetricPoint(name="m", value=value, step=step)])

    history = store.get_history(run_id, "m", "other")
    (summary,) = store.get_summaries(run_id)
    assert list(history.steps) == sorted({4, 5, step})
    assert summary == summarize("m", "other", history.steps, history.values)
    assert summary.min == StepValue(step=step, value=-7.0)


@pytest.mark.parametrize("names", [("a",), ("a", "b")])
def test_keys_that_now_mean_another_run_are_not_written_to(sqlite_url: str, names: tuple[str, ...]) -> None:
    with open_sql(sqlite_url, OpenOptions()) as store:
        experiment = store.get_or_create_experiment("experiment")
        gone = store.ensure_run(experiment)
        store.log_metrics(gone, [MetricPoint(name=name, value=1.0, step=0) for name in names])
        store.database.write(lambda connection: connection.exec_driver_sql("DELETE FROM runstore_run"))
        other = store.ensure_run(experiment)  # SQLite gives it, and its series, the same keys
        with open_sql(sqlite_url, OpenOptions()) as another:
            another.log_metrics(other, [MetricPoint(name=name, value=1.0, step=1) for name in names])

        with pytest.raises(RunNotFoundError):
            store.log_metrics(gone, [MetricPoint(name=name, value=2.0, step=2) for name in names])

        assert [summary.count for summary in store.get_summaries(other)] == [1] * len(names)


@contextmanager
def counted_statements(store: SqlStore) -> Iterator[list[str]]:
    """The statements that the drivers send; a prepared one that SQLite runs row by row counts once."""
    seen: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        if store.database.dialect.name == "sqlite":

            def note(text: str) -> None:
                if not seen or seen[-1] != shape(text):
                    seen.append(shape(text))

            store.database.with_driver(lambda connection: connection.set_trace_callback(note))
        elif store.database.dialect.name == "postgresql":
            patch.setattr(psycopg.Cursor, "execute", recorded(psycopg.Cursor.execute, seen))
        else:
            patch.setattr(pymysql.connections.Connection, "query", recorded(pymysql.connections.Connection.query, seen))
        yield seen
        if store.database.dialect.name == "sqlite":
            store.database.with_driver(lambda connection: connection.set_trace_callback(None))


def shape(statement: str) -> str:
    return " ".join(re.sub(r"'[^']*'|[\d.e+-]+|NULL|Inf", "?", statement).split())


def recorded(original: Callable[..., Any], seen: list[str]) -> Callable[..., Any]:
    def execute(self: object, query: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(str(query))
        return original(self, query, *args, **kwargs)

    return execute


@pytest.mark.parametrize("odd", [{}, {3: math.nan, 500: math.inf}, dict.fromkeys(range(100, 300), math.nan)])
def test_a_sample_is_the_one_that_the_reference_keeps(store: SqlStore, run_id: str, odd: dict[int, float]) -> None:
    steps = [step * step for step in range(600)]
    values = [odd.get(index, math.sin(index * 0.7) * (index % 13)) for index in range(600)]
    store.log_metrics(
        run_id, [MetricPoint(name="m", value=value, step=step) for step, value in zip(steps, values, strict=True)]
    )

    sample = store.sample_history(run_id, "m", "other", max_points=50)

    kept = sampled_steps(dict(zip(steps, values, strict=True)), 50)
    assert list(sample.steps) == kept
    assert bits(sample.values) == bits([values[steps.index(step)] for step in kept])
    assert sample.represents == 600


def test_a_sample_of_steps_at_the_edge_of_64_bits_is_exact(store: SqlStore, run_id: str) -> None:
    steps = [0, 1, 2, 2**62, 2**62 + 1, 2**63 - 2, 2**63 - 1]
    store.log_metrics(
        run_id, [MetricPoint(name="m", value=float(index), step=step) for index, step in enumerate(steps)]
    )

    sample = store.sample_history(run_id, "m", "other", max_points=6)

    assert list(sample.steps) == sampled_steps({step: float(index) for index, step in enumerate(steps)}, 6)


POINTS = st.dictionaries(
    st.integers(0, 50), st.floats() | st.sampled_from([0.0, -0.0, 1.0, math.inf]), min_size=1, max_size=12
)


@given(POINTS, POINTS)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_folded_columns_are_the_merged_summaries(left: dict[int, float], right: dict[int, float]) -> None:
    right = {step + 51: value for step, value in right.items()}
    batches = [
        Columns(array("q", sorted(points)), array("d", [points[step] for step in sorted(points)]), array("q"))
        for points in (left, right)
    ]

    one, other = (row_of(batch) for batch in batches)

    expected = [summarize("m", "train", batch.steps, batch.values) for batch in batches]
    assert repr(summary_of("m", DATASET_TYPES["train"], *one)) == repr(expected[0])
    assert repr(summary_of("m", DATASET_TYPES["train"], *fold(one, other))) == repr(merge_summaries(*expected))
    assert repr(summary_of("m", DATASET_TYPES["train"], *fold(other, one))) == repr(merge_summaries(*expected))


def test_batches_are_in_order_and_the_last_write_of_a_step_wins() -> None:
    points = [
        MetricPoint(name="b", value=1.0, step=5),
        MetricPoint(name="a", value=2.0, step=9, dataset_type="train"),
        MetricPoint(name="b", value=3.0, step=2),
        MetricPoint(name="b", value=4.0, step=5),
    ]

    batches = check_points(iter(points), now_us=7).by_series()

    assert batches == {
        ("a", "train"): (array("q", [9]), array("d", [2.0]), array("q", [7])),
        ("b", "other"): (array("q", [2, 5]), array("d", [3.0, 4.0]), array("q", [7, 7])),
    }
    assert list(batches) == [("a", "train"), ("b", "other")]


def test_sqlite_keeps_a_point_in_at_most_40_bytes(sqlite_url: str) -> None:
    with open_sql(sqlite_url, OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("experiment"))
        for series in range(4):
            store.log_metrics(
                run_id, [MetricPoint(name=f"m{series}", value=math.sqrt(step), step=step) for step in range(10_000)]
            )

    connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    (size,) = connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()
    connection.close()

    assert size / 40_000 <= 40


@pytest.mark.server
def test_postgresql_keeps_a_point_in_at_most_120_bytes(postgresql_url: str) -> None:
    with open_sql(postgresql_url, OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("experiment"))
        for series in range(4):
            store.log_metrics(
                run_id, [MetricPoint(name=f"m{series}", value=math.sqrt(step), step=step) for step in range(10_000)]
            )

    with psycopg.connect(postgresql_url) as connection:
        row = connection.execute("SELECT pg_total_relation_size('runstore_point')").fetchone()

    assert row is not None
    assert row[0] / 40_000 <= 120
