"""Cases from the highest score to the lowest, and what lies above each threshold."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import itemgetter, neg
from typing import TypeVar

from msgspec import Struct

from runstore_ui.evaluation.cases import Cases

Item = TypeVar("Item", int, float)


class Ranking(Struct, frozen=True, kw_only=True):
    """Cases by descending score. Cases of one score are one step, since no threshold parts them.

    Attributes:
        cases: the cases, as they were.
        order: their indices, by descending score.
        thresholds: the scores that occur, descending.
        ends: for each of them, how many cases have it or more.
        true_positives: for each, the weight of the positive cases that have it or more.
        false_positives: for each, that of the others.
    """

    cases: Cases
    order: "array[int]"
    thresholds: "array[float]"
    ends: "array[int]"
    true_positives: "array[float]"
    false_positives: "array[float]"

    @property
    def positives(self) -> float:
        """The weight of all positive cases."""
        return self.true_positives[-1] if self.true_positives else 0.0

    @property
    def negatives(self) -> float:
        """The weight of all others."""
        return self.false_positives[-1] if self.false_positives else 0.0

    def groups_in_order(self) -> tuple[int, ...]:
        """The group of each case, by descending score; each its own where there are none."""
        groups = self.cases.groups
        return tuple(self.order) if groups is None else _taken(groups, self.order)

    def labels_in_order(self) -> bytes:
        """Whether each case is positive, by descending score."""
        return bytes(_taken(self.cases.are_positive, self.order))

    def step_of(self, threshold: float) -> int:
        """The index of the lowest score that is the threshold or more; -1 where there is none."""
        return bisect_right(self.thresholds, -threshold, key=neg) - 1


def rank(cases: Cases) -> Ranking:
    """The cases in their order. Cases of one score stay in theirs, so that the answer is always the same."""
    return _ranked(cases, array("i", sorted(range(len(cases)), key=cases.scores.__getitem__, reverse=True)))


def ranked_parts(ranking: Ranking, codes: "array[int]") -> dict[int, Ranking]:
    """The ranking of each part of the cases, without sorting again.

    Args:
        ranking: of all.
        codes: for each sample of the predictions the number of its part; those below 0 are of none.
    """
    rows = ranking.cases.rows
    parts: dict[int, array[int]] = {}
    for place in ranking.order:
        code = codes[rows[place]]
        if code >= 0:
            parts.setdefault(code, array("i")).append(place)
    return {code: _ranked(ranking.cases, order) for code, order in sorted(parts.items())}


def _ranked(cases: Cases, order: "array[int]") -> Ranking:
    if not order:
        nothing = array("d")
        return Ranking(
            cases=cases,
            order=order,
            thresholds=nothing,
            ends=array("i"),
            true_positives=nothing,
            false_positives=nothing,
        )
    scores, labels = _taken(cases.scores, order), _taken(cases.are_positive, order)
    lasts = [place for place, (this, after) in enumerate(pairwise(scores)) if this != after]
    lasts.append(len(order) - 1)
    positive: Sequence[float]
    negative: Sequence[float]
    if cases.weights is None:
        positive = list(accumulate(labels))
        negative = [place + 1 - above for place, above in enumerate(positive)]
    else:
        weights = _taken(cases.weights, order)
        positive = list(accumulate(weight if label else 0.0 for weight, label in zip(weights, labels, strict=True)))
        negative = list(accumulate(0.0 if label else weight for weight, label in zip(weights, labels, strict=True)))
    return Ranking(
        cases=cases,
        order=order,
        thresholds=array("d", [scores[last] for last in lasts]),
        ends=array("i", [last + 1 for last in lasts]),
        true_positives=array("d", [positive[last] for last in lasts]),
        false_positives=array("d", [negative[last] for last in lasts]),
    )


def _taken(column: Sequence[Item], order: "array[int]") -> tuple[Item, ...]:
    """The items of a column in an order; itemgetter takes all of them in one call."""
    if len(order) < 2:  # noqa: PLR2004 - of one it gives no tuple
        return tuple(column[place] for place in order)
    found: tuple[Item, ...] = itemgetter(*order)(column)
    return found
