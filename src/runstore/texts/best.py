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
_KIND_WORDS: Final = {
    "validation": ("validation", "valid", "val", "eval", "dev"),
    "test": ("test",),
    "train": ("train", "training"),
}
"""Words by which a name says of which data it is, where its dataset type does not: ``val_loss``."""
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


def leading_series(
    runs: Iterable[Collection[tuple[str, str]]], *, limit: int, each_once: bool = False
) -> list[tuple[str, str]]:
    """The series that a list of runs shows first: those that at least half of the runs with metrics have, results first.

    Of one metric, validation comes before test, test before train: what a run came to is its best value on data that it has
    not learnt from, and test data shall choose nothing. Each metric stands there once before any stands there again. What
    is the better the higher it is comes before losses.

    Args:
        runs: of each run the names and dataset types of its series.
        limit: at most so many.
        each_once: whether a metric's other dataset types are left out.
    """
    counts: dict[tuple[str, str], int] = {}
    with_metrics = 0
    for series in runs:
        with_metrics += bool(series)
        for key in series:
            counts[key] = counts.get(key, 0) + 1

    firsts: dict[str, tuple[Any, ...]] = {}
    for key, count in counts.items():
        place = (2 * count < with_metrics, _BEFORE.index(_kind_of(key)), key)
        firsts[_base(key[0])] = min(firsts.get(_base(key[0]), place), place)

    def rank(key: tuple[str, str]) -> tuple[Any, ...]:
        name, _ = key
        words = words_of(name)
        is_result = not any(word in words for word in _NO_RESULTS) and name.lower() not in _NO_RESULTS
        is_rare = 2 * counts[key] < with_metrics
        is_again = firsts[_base(name)][-1] != key
        stat = best_of(name)
        return (
            is_rare,
            not is_result,
            stat == "last",
            is_again,
            _BEFORE.index(_kind_of(key)),
            stat == "min",
            -counts[key],
            name,
        )

    found = [key for key in counts if not each_once or firsts[_base(key[0])][-1] == key]
    return sorted(found, key=rank)[:limit]


def _kind_of(key: tuple[str, str]) -> str:
    """Of which data a series is: its dataset type; where that says nothing, the words of its name."""
    name, kind = key
    if kind != "other":
        return kind
    words = words_of(name)
    return next((told for told, those in _KIND_WORDS.items() if any(word in words for word in those)), kind)


def _base(name: str) -> str:
    """The metric's name without the words that say of which data it is: ``val_loss`` and ``loss`` are one metric."""
    told = {word for those in _KIND_WORDS.values() for word in those}
    return " ".join(word for word in words_of(name) if word not in told) or name
