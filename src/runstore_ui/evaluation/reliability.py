"""Whether probabilities mean what they say."""

from typing import Final

from msgspec import Struct

from runstore_ui.evaluation.intervals import Interval, wilson
from runstore_ui.evaluation.ranking import Ranking

BINS: Final = 10


class Bin(Struct, frozen=True, kw_only=True):
    """The cases whose probability lies in one part of the range.

    Attributes:
        low: where the part begins.
        high: where it ends; the highest part has its end, the others not.
        count: how many cases, or their weight.
        mean_score: the mean of their probabilities.
        share: the share of them that is positive.
        interval: Wilson's of the share; ``None`` where cases are weighted.
    """

    low: float
    high: float
    count: float
    mean_score: float
    share: float
    interval: Interval | None


class Reliability(Struct, frozen=True, kw_only=True):
    """Whether probabilities mean what they say.

    Attributes:
        bins: the parts that have cases.
        expected_error: the mean distance between probability and share, by the cases of a part (ECE).
        brier: the mean squared distance between probability and truth.
    """

    bins: tuple[Bin, ...]
    expected_error: float
    brier: float


def reliability(ranking: Ranking, *, bins: int = BINS) -> Reliability | None:
    """Calibration in equal parts of the range from 0 to 1; ``None`` of no cases.

    The cases must have probabilities.
    """
    cases = ranking.cases
    counts, sums, hits = [0.0] * bins, [0.0] * bins, [0.0] * bins
    squares = 0.0
    weights = cases.weights
    for case in ranking.order:
        score, is_positive = cases.scores[case], cases.are_positive[case]
        weight = 1.0 if weights is None else weights[case]
        place = min(int(score * bins), bins - 1)
        counts[place] += weight
        sums[place] += weight * score
        squares += weight * (score - is_positive) ** 2
        if is_positive:
            hits[place] += weight
    total = sum(counts)
    if not total:
        return None
    found = tuple(
        Bin(
            low=place / bins,
            high=(place + 1) / bins,
            count=counts[place],
            mean_score=sums[place] / counts[place],
            share=hits[place] / counts[place],
            interval=wilson(hits[place], counts[place]) if weights is None else None,
        )
        for place in range(bins)
        if counts[place]
    )
    return Reliability(
        bins=found,
        expected_error=sum(each.count * abs(each.mean_score - each.share) for each in found) / total,
        brier=squares / total,
    )
