"""From which probability on an image counts as positive: the rules, and the table of everything that could be chosen."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from pneumo_train.evaluating.drawing import bound_of_all, interval, weights_by_patient
from pneumo_train.evaluating.figures import Floats, Labels, OperatingPoint

Rule = Literal["sensitivity_bound", "sensitivity", "youden", "f1", "fixed"]

_MOST_POINTS = 1000
"""Of the table that is kept; the rules look at all thresholds."""


class Thresholds:
    """All thresholds that tell the images of a part apart, and what each gives.

    A threshold lies halfway between two neighbouring probabilities: the decisions on the part are the same wherever
    between them it lies, and those on other films have the same margin on both sides.
    """

    def __init__(
        self, targets: Labels, probabilities: Floats, patients: Sequence[str], *, draws: int, seed: int = 0
    ) -> None:
        """Counts what each threshold gives.

        Args:
            targets: 0 or 1, of shape (images,).
            probabilities: in [0, 1], of the same shape.
            patients: whose images they are.
            draws: of the bootstrap by patient, for the bounds of the sensitivity; 0 for no bounds.
            seed: of the draws.
        """
        levels = np.unique(probabilities)[::-1]
        below = np.r_[levels[1:], 0.0]
        halves = (levels + below) / 2
        self._values = np.where(halves > below, halves, levels)
        self._targets, self._probabilities = targets, probabilities
        self._patients, self._draws, self._seed = patients, draws, seed
        self._sick = [patient for patient, target in zip(patients, targets, strict=True) if target == 1]
        of_positives, of_negatives = np.sort(probabilities[targets == 1]), np.sort(probabilities[targets == 0])
        self._tp = len(of_positives) - np.searchsorted(of_positives, self._values, side="left")
        self._fp = len(of_negatives) - np.searchsorted(of_negatives, self._values, side="left")
        self._positives, self._negatives = len(of_positives), len(of_negatives)
        self._weights: Floats | None = None
        self._bounds: dict[int, float] = {}

    def choose(self, rule: Rule, *, sensitivity: float, fixed: float) -> tuple[float, Rule, tuple[str, ...]]:
        """The threshold, the rule that gave it, and what a person should know of it.

        Args:
            rule: ``sensitivity_bound``: the highest threshold at which the lower end of the 95 % interval of the
                sensitivity is at least ``sensitivity``; ``sensitivity``: the highest at which the sensitivity itself is;
                ``youden``: the greatest sum of sensitivity and specificity; ``f1``: the greatest F1; of equally good ones
                the highest; ``fixed``: the given one. A rule that no threshold keeps gives way to ``youden``.
            sensitivity: of the first two rules.
            fixed: of the last one.
        """
        if rule == "fixed":
            return fixed, rule, ()
        if not self._positives or not self._negatives:
            return fixed, "fixed", (f"{rule}: only one class was there; {fixed:g} was taken instead",)
        sensitivities, specificities = self._tp / self._positives, 1 - self._fp / self._negatives
        if rule == "f1":
            return self._at(int(np.argmax(2 * self._tp / (self._tp + self._fp + self._positives)))), rule, ()
        if rule == "sensitivity":
            return self._at(int(np.argmax(sensitivities >= sensitivity))), rule, ()
        notes: tuple[str, ...] = ()
        if rule == "sensitivity_bound":
            found = self._first_bound_of(sensitivity)
            if found is not None:
                return self._at(found), rule, ()
            needed = math.ceil(math.log(0.025) / math.log(sensitivity))
            note = (
                f"no threshold has a lower bound of the sensitivity of {sensitivity:g}: {len(set(self._sick))} patients with "
                f"pneumonia in the validation part are too few (at least {needed:,} are needed, more if any is missed); youden was taken instead"
            )
            notes = (note,)
        return self._at(int(np.argmax(sensitivities + specificities))), "youden", notes

    def table(self, chosen: float) -> tuple[OperatingPoint, ...]:
        """What the thresholds give, by falling threshold: at most 1,000 of them, and the chosen one."""
        count = len(self._values)
        indexes = np.unique(np.linspace(0, max(0, count - 1), min(count, _MOST_POINTS)).round().astype(int))
        values = {float(self._values[index]): int(index) for index in indexes}
        return tuple(self._point(value, values.get(value)) for value in sorted({*values, chosen}, reverse=True))

    def _at(self, index: int) -> float:
        return float(self._values[index])

    def _first_bound_of(self, wanted: float) -> int | None:
        """The highest threshold that keeps the bound: no draw's sensitivity falls when the threshold does."""
        low, high = 0, len(self._values) - 1
        if not self._draws or self._bound(self._at(high)) < wanted:
            return None
        while low < high:
            middle = (low + high) // 2
            if self._bound(self._at(middle)) >= wanted:
                high = middle
            else:
                low = middle + 1
        return low

    def _bound(self, threshold: float) -> float:
        """The lower end of the 95 % interval of the sensitivity."""
        if not self._draws or not self._sick:
            return math.nan
        of_positives = self._probabilities[self._targets == 1]
        decided = of_positives >= threshold
        if decided.all():
            return bound_of_all(len(set(self._sick)))
        if self._weights is None:
            ones = np.ones(len(self._sick), np.int8)
            some = weights_by_patient(self._sick, ones, draws=self._draws, seed=self._seed)
            self._weights = np.concatenate(list(some)).astype(np.float32)
        totals = self._weights.sum(axis=1)
        # Whole numbers, so both sums are exact; their quotient in 32 bits would be less than the 0.9 that it is.
        kept = (self._weights @ decided.astype(np.float32)).astype(np.float64)
        return interval(kept / totals.astype(np.float64))[0]

    def _point(self, value: float, index: int | None) -> OperatingPoint:
        if index is None:
            decided = self._probabilities >= value
            tp, fp = int((decided & (self._targets == 1)).sum()), int((decided & (self._targets == 0)).sum())
        else:
            tp, fp = int(self._tp[index]), int(self._fp[index])
        fn, tn = self._positives - tp, self._negatives - fp
        sensitivity, specificity = _share(tp, tp + fn), _share(tn, tn + fp)
        return OperatingPoint(
            threshold=value,
            true_positives=tp,
            false_positives=fp,
            true_negatives=tn,
            false_negatives=fn,
            sensitivity=sensitivity,
            specificity=specificity,
            ppv=_share(tp, tp + fp),
            npv=_share(tn, tn + fn),
            f1=_share(2 * tp, 2 * tp + fp + fn),
            balanced_accuracy=(sensitivity + specificity) / 2,
            sensitivity_low=self._bound(value),
        )


def rule_in_words(rule: Rule, *, sensitivity: float, fixed: float) -> str:
    """What a rule says, for people."""
    return {
        "sensitivity_bound": f"the highest whose lower 95 % bound of the sensitivity, by patient, is {sensitivity:g} or more",
        "sensitivity": f"the highest whose sensitivity is {sensitivity:g} or more",
        "youden": "the greatest sum of sensitivity and specificity (Youden)",
        "f1": "the greatest F1",
        "fixed": f"fixed at {fixed:g}",
    }[rule]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
