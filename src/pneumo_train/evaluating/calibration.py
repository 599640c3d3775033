"""Probabilities that mean what they say: one temperature and one shift for all logits, fitted on the validation part."""

import math

import numpy as np

from pneumo_train.evaluating.figures import Floats, Labels

_LOWEST, _HIGHEST = 0.1, 10.0
"""A temperature beyond these is none that the data speak for."""

_STEPS = 80
_NEWTON_STEPS = 30
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


def fit_shifted(logits: Floats, targets: Labels) -> tuple[float, float, tuple[str, ...]]:
    """The temperature and the shift of ``logits / temperature + shift`` with the least cross-entropy, and notes.

    Platt's scaling: targets are as much less certain as their number says, so that there is a least one always. Where the
    temperature alone stays 1 for want of data, so does this, without a shift; where no temperature from 0.1 to 10 is best,
    only the temperature is fitted.
    """
    temperature, notes = fit_temperature(logits, targets)
    if notes:
        return temperature, 0.0, notes
    positives, negatives = int((targets == 1).sum()), int((targets == 0).sum())
    wanted = np.where(targets == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    columns = np.stack([logits, np.ones_like(logits)])
    found = np.array([1 / temperature, 0.0])
    for _ in range(_NEWTON_STEPS):  # the loss is convex in both; steps are halved until they make it less
        probabilities = sigmoid(found @ columns)
        gradient = columns @ (probabilities - wanted)
        curvature = (columns * (probabilities * (1 - probabilities))) @ columns.T + 1e-9 * np.eye(2)
        step, before = np.linalg.solve(curvature, gradient), _loss(found @ columns, wanted)
        while _loss((found - step) @ columns, wanted) > before and np.abs(step).max() > 1e-9:  # noqa: PLR2004 - nothing is left to gain
            step = step / 2
        found = found - step
    slope, shift = float(found[0]), float(found[1])
    if not 1 / _HIGHEST <= slope <= 1 / _LOWEST:
        return (
            temperature,
            0.0,
            (f"no shift: with one, the best temperature is not between {_LOWEST:g} and {_HIGHEST:g}",),
        )
    return 1 / slope, shift, ()


def _loss(logits: Floats, wanted: Floats) -> float:
    return float(np.mean(np.logaddexp(0, logits) - wanted * logits))


def cross_entropy(logits: Floats, targets: Labels) -> float:
    """The mean cross-entropy in nats."""
    return float(np.mean(np.logaddexp(0, np.where(targets == 1, -logits, logits))))
