"""Histories and samples of every shape, on every SQL database: the right points, bit for bit, however they are read."""

import math
import random
import signal
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from runstore import MetricPoint
from runstore.hookspecs import OpenOptions
from runstore_sql.dialects.mysql import history as history_mysql
from runstore_sql.dialects.postgresql import history as history_postgresql
from runstore_sql.opening import open_sql
from runstore_sql.store import SqlStore
from support.sampled import sampled_steps


def bits(values: Sequence[float]) -> bytes:
    return struct.pack(f"{len(values)}d", *values)


def log(store: SqlStore, run_id: str, steps: Sequence[int], values: Sequence[float]) -> None:
    points = [MetricPoint(name="m", value=value, step=step) for step, value in zip(steps, values, strict=True)]
    store.log_metrics(run_id, points)


def any_float(source: random.Random) -> float:
    """Any finite float64, or an infinity or NaN: each pattern of bits alike, but of NaN the usual one."""
    (value,) = struct.unpack("<d", source.randbytes(8))
    return float(value) if value == value else math.nan  # noqa: PLR0124 - NaN is what differs from itself


@pytest.mark.parametrize("stride", [1, 3], ids=["dense", "sparse"])
def test_a_history_of_any_floats_reads_back_bit_for_bit(store: SqlStore, run_id: str, stride: int) -> None:
    source = random.Random(stride)
    values = [any_float(source) for _ in range(3000)]
    values += [source.gauss(0.0, 1.0) for _ in range(2000)]
    values += [math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, -5e-324, 1.7976931348623157e308, 1e22, 1e15, 2.0**53]
    steps = [7 + stride * number for number in range(len(values))]
    log(store, run_id, steps, values)

    history = store.get_history(run_id, "m", "other")

    assert list(history.steps) == steps
    assert bits(history.values) == bits(values)


@pytest.mark.parametrize("stride", [1, 3], ids=["dense", "sparse"])
@pytest.mark.parametrize(("low", "high"), [(0, 10**6), (3, 40), (14, 14), (40, 3), (28, 2**63 - 1), (500, 600)])
def test_a_history_in_blocks_is_the_same(  # noqa: PLR0913, PLR0917 - one argument each
    store: SqlStore, run_id: str, stride: int, low: int, high: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (history_mysql, history_postgresql):
        monkeypatch.setattr(module, "_BLOCK", 7)
    steps = [stride * number for number in range(28)]
    log(store, run_id, steps, [step / 2 for step in steps])

    history = store.get_history(run_id, "m", "other", min_step=low, max_step=high)

    assert list(history.steps) == [step for step in steps if low <= step <= high]
    assert list(history.values) == [step / 2 for step in history.steps]


def test_points_that_somebody_took_out_by_hand_leave_the_others_at_their_steps(store: SqlStore, run_id: str) -> None:
    log(store, run_id, range(100), [step / 2 for step in range(100)])
    store.database.write(lambda connection: connection.exec_driver_sql("DELETE FROM runstore_point WHERE step = 50"))

    history = store.get_history(run_id, "m", "other")

    assert list(history.steps) == [step for step in range(100) if step != 50]
    assert list(history.values) == [step / 2 for step in history.steps]


@pytest.mark.parametrize(
    "choices",
    [
        [1.0],
        [0.0, -0.0],
        [1.0, 2.0, 2.0],
        [math.nan, math.inf, -math.inf, 3.0],
        [math.nan, math.inf],
    ],
    ids=["flat", "zeros", "few", "odd", "never finite"],
)
@pytest.mark.parametrize("stride", [1, 3], ids=["dense", "sparse"])
def test_a_sample_of_equal_values_keeps_the_earliest(
    store: SqlStore, run_id: str, choices: list[float], stride: int
) -> None:
    source = random.Random(0)
    steps = [5 + stride * number for number in range(4000)]
    values = [source.choice(choices) for _ in steps]
    log(store, run_id, steps, values)

    sample = store.sample_history(run_id, "m", "other", max_points=20)

    kept = sampled_steps(dict(zip(steps, values, strict=True)), 20)
    assert list(sample.steps) == kept
    assert bits(sample.values) == bits([values[steps.index(step)] for step in kept])


@pytest.mark.parametrize("shape", ["rises", "falls", "waves", "bursts"])
def test_a_sample_of_any_shape_is_the_one_that_the_reference_keeps(store: SqlStore, run_id: str, shape: str) -> None:
    source = random.Random(shape)
    steps = sorted(source.sample(range(50_000), 4000))
    if shape == "bursts":
        steps = sorted({*range(3000), *source.sample(range(10**12), 1000)})
    values = {
        "rises": [float(step) for step in steps],
        "falls": [1.0 / (1 + step) for step in steps],
        "waves": [math.sin(step / 500) for step in steps],
        "bursts": [source.gauss(0.0, 1.0) for _ in steps],
    }[shape]
    log(store, run_id, steps, values)

    sample = store.sample_history(run_id, "m", "other", max_points=20)

    kept = sampled_steps(dict(zip(steps, values, strict=True)), 20)
    assert list(sample.steps) == kept
    assert bits(sample.values) == bits([values[steps.index(step)] for step in kept])


def test_an_interrupt_while_sqlite_reads_a_history_is_an_interrupt(sqlite_url: str) -> None:
    with open_sql(sqlite_url, OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("experiment"))
        log(store, run_id, range(20_000), [0.5] * 20_000)

        def read_on() -> None:
            while True:
                store.get_history(run_id, "m", "other")

        with interrupted_after(0.05), pytest.raises(KeyboardInterrupt):
            read_on()

        assert store.connections_in_use() == 0
        assert len(store.get_history(run_id, "m", "other")) == 20_000


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
