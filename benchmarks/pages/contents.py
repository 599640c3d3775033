"""What is in each store, made from a fixed seed: many runs of 20 columns, a few of long curves, and many names."""

import random
from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple

from benchmarks.data import RunData

TABLE, CURVES, NAMES = "table", "curves", "names"
"""The experiments."""
COLUMNS: Final = 10
"""Settings of a run of the table, and metrics: 20 columns."""
CURVE_RUNS: Final = 20
NAMED_RUNS: Final = 100
CURVE: Final = "loss"
ARCHITECTURE: Final = "architecture-3"
LEAST: Final = 0.95
"""The question to the table: runs of this architecture whose ``metric0`` is higher. Of 200 runs one matches."""
WANTED: Final = "norm_577"
"""A part of a name that is looked for among many."""


class Sizes(NamedTuple):
    """How large the stores are; what is 0 is left out."""

    runs: int
    many_runs: int
    curve_points: int
    keys: int


def originals(count: int) -> list[RunData]:
    """The runs of which a table is made."""
    source = random.Random(7)
    return [RunData(f"run-{number:06d}", *_columns(source, number)) for number in range(count)]


def _columns(source: random.Random, number: int) -> tuple[dict[str, object], dict[str, float]]:
    config: dict[str, object] = {
        "architecture": f"architecture-{source.randrange(10)}",
        "learning_rate": 10 ** source.uniform(-5, -1),
        "batch_size": 2 ** source.randrange(3, 9),
        "depth": source.randrange(2, 50),
        "optimizer": source.choice(("adam", "sgd", "lamb")),
        "augment": bool(source.randrange(2)),
        "seed": number,
        "fold": source.randrange(5),
        "dropout": round(source.random(), 2),
        "image_size": 32 * source.randrange(2, 9),
    }
    return config, {f"metric{index}": source.random() for index in range(COLUMNS)}


def matching(runs: list[RunData]) -> list[str]:
    """The names of the runs that answer the question, the newest first; the last of ``runs`` is the newest."""
    return [
        run.name
        for run in reversed(runs)
        if run.config["architecture"] == ARCHITECTURE and run.metrics["metric0"] > LEAST
    ]


def curve(number: int, points: int) -> "array[float]":
    """The values of a long curve, by step."""
    source = random.Random(number)
    return array("d", [1 / (1 + step / 1e4) + source.gauss(0, 0.05) for step in range(points)])


def named(keys: int) -> Iterator[RunData]:
    """Runs that have a part of so many names each: half are settings, half metrics."""
    source = random.Random(3)
    each = keys // 2 // NAMED_RUNS
    for number in range(NAMED_RUNS):
        of_run = range(number * each, number * each + each)
        yield RunData(
            f"named-{number:03d}",
            {f"group{key % 40}.setting{key}": source.randrange(100) for key in of_run},
            {f"block{key % 40}/grad_norm_{key}": source.random() for key in of_run},
        )
