"""What MLflow's own client said of runs, in the terms of a store: an oracle that calls nothing of what it judges."""

from collections.abc import Callable
from typing import Any

Points = list[tuple[int, str, int]]
"""Step, the value's repr, and microseconds."""

SPLIT = {"train/loss": ("loss", "train"), "val_auroc": ("auroc", "validation")}

_LARGEST = "1.7976931348623157e+308"
_INFINITE = {_LARGEST: "inf", f"-{_LARGEST}": "-inf"}


def series_of(told: dict[str, Any]) -> dict[tuple[str, str], Points]:
    """Each series of a run that was told, with its points as they belong into a store."""
    return {SPLIT.get(key, (key, "other")): _points(rows) for key, rows in told["metrics"].items()}


def _points(rows: list[list[Any]]) -> Points:
    steps = {step for step, _, _ in rows}
    by_time = sorted(rows, key=lambda row: (row[0], row[2]))
    if len(rows) > 1 and len(steps) == 1:
        numbered = [(index, value, time) for index, (_, value, time) in enumerate(by_time)]
    else:
        shift = -min(0, *steps, 0)
        last = {step + shift: (value, time) for step, value, time in by_time}
        numbered = [(step, value, time) for step, (value, time) in sorted(last.items())]
    return [(step, _INFINITE.get(value, value), time * 1000) for step, value, time in numbered]


def config_of(told: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the maker, typed by hand."""
    typed: dict[str, Callable[[str], Any]] = {
        "lr": float,
        "epochs": int,
        "amp": lambda text: text == "True",
        "nothing": lambda _: None,
    }
    return {key: typed.get(key, str)(text) for key, text in told["params"].items()}
