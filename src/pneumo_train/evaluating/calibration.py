"""Probabilities that mean what they say: one temperature for all logits, fitted on the validation part."""

import math

import numpy as np

from pneumo_train.evaluating.figures import Floats, Labels

_LOWEST, _HIGHEST = 0.1, 10.0
"""A temperature beyond these is none that the data speak for."""

_STEPS = 80
_GOLDEN = (math.sqrt(5) - 1) / 2


def sigmoid(logits: Floats) -> Floats:
    """Probabilities of logits, without overflow."""
    small = np.exp(-np.abs(logits))
    result: Floats = np.where(logits >= 0, 1 / (1 + small), small / (1 + small))
    return result


def fit_temperature(logits: Floats, targets: Labels) -> tuple[float, tuple[str, ...]]:
    """The temperature with the least cross-entropy, and what a person should know of it.

    Where the classes are told apart without a mistake, the least cross-entropy lies at a temperature of 0, which makes
    every probability 0 or 1: then, and where the best one is below 0.1 or above 10, it stays 1.
    """
    positive, negative = logits[targets == 1], logits[targets == 0]
    if len(positive) == 0 or len(negative) == 0:
        return 1.0, ("the temperature stays 1: only one class was there",)
    if positive.min() > negative.max():
        return 1.0, ("the temperature stays 1: no mistake was made, so that nothing says how sure to be",)
    low, high = math.log(_LOWEST), math.log(_HIGHEST)
    left, right = low, high
    for _ in range(_STEPS):  # the cross-entropy is convex in 1 / temperature: it has one valley
        inner_left, inner_right = right - _GOLDEN * (right - left), left + _GOLDEN * (right - left)
        if cross_entropy(logits / math.exp(inner_left), targets) <= cross_entropy(
            logits / math.exp(inner_right), targets
        ):
            right = inner_right
        else:
            left = inner_left
    found = (left + right) / 2
    if min(found - low, high - found) < 1e-3:  # noqa: PLR2004 - the edge of what was searched
        return 1.0, (f"the temperature stays 1: the best one is not between {_LOWEST:g} and {_HIGHEST:g}",)
    return math.exp(found), ()


def cross_entropy(logits: Floats, targets: Labels) -> float:
    """The mean cross-entropy in nats."""
    return float(np.mean(np.logaddexp(0, np.where(targets == 1, -logits, logits))))
