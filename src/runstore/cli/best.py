"""Which value of a metric tells how good a run was: the lowest, the highest, or the last.

A metric is known by the words of its name; of one that is not known, somebody must say it.
"""

import re
from typing import Final

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
