"""Cases for the tests of figures: made by chance that is always the same, and judged by the definitions, pair by pair."""

import math
import random
from collections.abc import Sequence
from typing import Any

from runstore.predictions import Predictions, new_predictions


def predictions_of(scores: Sequence[float], targets: Sequence[int], **more: Any) -> Predictions:
    return new_predictions(
        ids=[str(row) for row in range(len(scores))], classes=["no", "yes"], targets=targets, scores=scores, **more
    )


def drawn(seed: int, count: int, *, digits: int = 2) -> tuple[list[float], list[int]]:
    """Scores, many of them equal, and what is true."""
    chance = random.Random(seed)
    targets = [0, 1, *(int(chance.random() < 0.4) for _ in range(count - 2))]
    scores = [min(1.0, max(0.0, round(chance.gauss(0.6 if target else 0.4, 0.2), digits))) for target in targets]
    return scores, targets


def wins(scores: Sequence[float], targets: Sequence[int]) -> list[list[float]]:
    """For each positive a row: 1 for each negative below it, a half for an equal one."""
    above = [score for score, target in zip(scores, targets, strict=True) if target]
    below = [score for score, target in zip(scores, targets, strict=True) if not target]
    return [[1.0 if high > low else 0.5 if high == low else 0.0 for low in below] for high in above]


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def variance(values: Sequence[float]) -> float:
    middle = mean(values)
    return math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1)
