"""What is logged: the same for every contestant, made from a fixed seed. Standard library only, as are all workers."""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

START_US = 1_700_000_000_000_000
SECOND_US = 1_000_000
ARCHITECTURES = tuple(f"architecture-{number}" for number in range(10))
SEARCHED_ARCHITECTURE = ARCHITECTURES[3]
ORDERED_METRIC = "metric0"


class Point(NamedTuple):
    """One number: ``series`` is an index of the metrics of the workload."""

    series: int
    step: int
    value: float
    at_us: int


class RunData(NamedTuple):
    """A run as it is listed: its config, and the last value of each metric."""

    name: str
    config: dict[str, Any]
    metrics: dict[str, float]


def metric_names(count: int) -> list[str]:
    """Names as people write them."""
    return [f"metric{number}" for number in range(count)]


def batches(points: int, *, size: int, series: int) -> Iterator[list[Point]]:
    """A run's points in the order of training: at each step one value of each metric, ``size`` points a call.

    The values have random mantissas, so that no database can compress them better than real ones.
    """
    source = random.Random(points)
    batch: list[Point] = []
    for number in range(points):
        step, metric = divmod(number, series)
        batch.append(Point(metric, step, source.gauss(0.0, 1.0), START_US + step * SECOND_US + source.randrange(1000)))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


ORIGINALS = 1_000
"""Runs beyond are copies of these: see :mod:`benchmarks.copies`."""

COPY_LATER_US = 1_000_000 * SECOND_US
_GOLDEN = 0.6180339887498949
"""Multiples of it, without their whole part, lie evenly and never meet."""


def originals_of(count: int) -> int:
    """How many runs of so many are no copies."""
    return ORIGINALS if count % ORIGINALS == 0 else count


def copy_suffix(number: int) -> str:
    """What a copy has at the end of its id and its name."""
    return f"-{number}"


def copy_turn(number: int) -> float:
    """How far the metrics of a copy are turned within 0 to 1."""
    return number * _GOLDEN % 1


def turned(value: float, number: int) -> float:
    """A metric of a copy; float64 arithmetic, which gives the same in every database."""
    moved = value + copy_turn(number)
    return moved - 1 if moved >= 1 else moved


def copied(run: RunData, number: int) -> RunData:
    """A copy of a run: the same config, a name and metrics of its own."""
    return RunData(
        run.name + copy_suffix(number), run.config, {name: turned(value, number) for name, value in run.metrics.items()}
    )


def search_runs(count: int, *, originals: int | None = None) -> list[RunData]:
    """Runs of 8 config keys and 5 metrics, copies after the originals; a tenth has the searched architecture."""
    runs = list(_originals(originals or originals_of(count)))
    return [copied(run, number) if number else run for number in range(count // len(runs)) for run in runs]


def _originals(count: int) -> Iterator[RunData]:
    source = random.Random(count)
    for number in range(count):
        config = {
            "architecture": source.choice(ARCHITECTURES),
            "learning_rate": 10 ** source.uniform(-5, -1),
            "batch_size": 2 ** source.randrange(3, 9),
            "depth": source.randrange(2, 50),
            "optimizer": source.choice(("adam", "sgd", "lamb")),
            "augment": bool(source.randrange(2)),
            "seed": number,
            "data": f"fold-{source.randrange(5)}",
        }
        yield RunData(f"run-{number:06d}", config, {name: source.random() for name in metric_names(5)})


def wide_runs(count: int, *, keys: int) -> Iterator[RunData]:
    """Runs of many config keys and as many metrics."""
    source = random.Random(count)
    for number in range(count):
        config = {f"key{key}": source.randrange(1000) if key % 2 else f"value-{source.random()}" for key in range(keys)}
        yield RunData(f"run-{number:06d}", config, {name: source.random() for name in metric_names(keys)})


def best_runs(count: int, limit: int) -> list[str]:
    """The right answer of the search: the names of the runs of the searched architecture, best metric first."""
    found = [run for run in search_runs(count) if run.config["architecture"] == SEARCHED_ARCHITECTURE]
    return [run.name for run in sorted(found, key=lambda run: -run.metrics[ORDERED_METRIC])[:limit]]
