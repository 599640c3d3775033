"""Which value of a metric tells how good a run was: the lowest, the highest, or the last.

A metric is known by the words of its name; of one that is not known, somebody must say it.
"""

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from runstore.model import SeriesSummary, StepValue

_LESS_IS_BETTER: Final = ("loss", "error", "perplexity", "nll", "mse", "mae", "rmse")
_MORE_IS_BETTER: Final = (
    "accuracy",
    "acc",
    "auroc",
    "auc",
    "auprc",
    "f1",
    "dice",
    "iou",
    "precision",
    "recall",
    "score",
    "r2",
)
_BEFORE: Final = ("validation", "test", "train", "other")
_NO_RESULTS: Final = (
    "epoch",
    "step",
    "lr",
    "learning_rate",
    "time",
    "duration",
    "system",
    "gpu",
    "cpu",
    "memory",
)
_BETWEEN_WORDS: Final = re.compile(r"[\s/_.-]+")


def words_of(name: str) -> list[str]:
    """The words of a metric's name."""
    return _BETWEEN_WORDS.split(name.lower())


def best_of(name: str) -> str:
    """Which statistic of a metric tells how good a run was, by the metric's name: ``min``, ``max``, or ``last``."""
    words = words_of(name)
    if any(word in words for word in _LESS_IS_BETTER):
        return "min"
    return "max" if any(word in words for word in _MORE_IS_BETTER) else "last"


def best_point(summary: SeriesSummary, stat: str) -> StepValue | None:
    """The best point of a series by this statistic; ``None`` for ``last``, which says nothing of better or worse."""
    return None if stat == "last" else summary.min if stat == "min" else summary.max


def leading_series(runs: Iterable[Collection[tuple[str, str]]], *, limit: int) -> list[tuple[str, str]]:
    """The series that a list of runs shows first: those that at least half of the runs with metrics have, results first.

    Args:
        runs: of each run the names and dataset types of its series.
        limit: at most so many.
    """
    counts: dict[tuple[str, str], int] = {}
    with_metrics = 0
    for series in runs:
        with_metrics += bool(series)
        for key in series:
            counts[key] = counts.get(key, 0) + 1

    def rank(key: tuple[str, str]) -> tuple[Any, ...]:
        name, kind = key
        words = words_of(name)
        is_result = not any(word in words for word in _NO_RESULTS) and name.lower() not in _NO_RESULTS
        is_rare = 2 * counts[key] < with_metrics
        return (is_rare, not is_result, best_of(name) == "last", _BEFORE.index(kind), -counts[key], name)

    return sorted(counts, key=rank)[:limit]
