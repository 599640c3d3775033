"""How sure a figure is: intervals that hold the truth in 95 of 100 studies, and that know which samples belong together."""

import math
from collections import Counter
from operator import mul
from statistics import NormalDist
from typing import Final

from msgspec import Struct

from runstore_ui.evaluation.ranking import Ranking

LEVEL: Final = 0.95
_Z: Final = NormalDist().inv_cdf((1 + LEVEL) / 2)


class Interval(Struct, frozen=True):
    """From where to where."""

    low: float
    high: float


class Area(Struct, frozen=True, kw_only=True):
    """An area under a ROC curve.

    Attributes:
        value: ``None`` where cases of one of the two kinds are missing.
        interval: ``None`` where there is none: too few cases, all of them parted without a mistake, or weighted.
    """

    value: float | None
    interval: Interval | None


def wilson(hits: float, count: float) -> Interval | None:
    """Wilson's interval of a proportion (Wilson 1927, without a correction for continuity); ``None`` of nothing.

    Args:
        hits: how many of them; need not be whole where ``count`` is an effective number.
        count: of how many.
    """
    if count <= 0:
        return None
    share = hits / count
    middle = share + _Z * _Z / (2 * count)
    half = _Z * math.sqrt(max(share * (1 - share), 0.0) / count + _Z * _Z / (4 * count * count))
    whole = 1 + _Z * _Z / count
    # What rounding puts beyond the bounds or the share itself is put back.
    return Interval(max(0.0, min(share, (middle - half) / whole)), min(1.0, max(share, (middle + half) / whole)))


def clustered_wilson(hits: Counter[int], counts: Counter[int]) -> Interval | None:
    """Wilson's interval of a proportion of samples that belong together in groups.

    The number of samples is divided by the design effect, the factor by which the groups widen the variance of the share
    (Rao and Scott 1992); it is 1 at least. Where all or none are hits nothing is known of it, and each group counts as one.

    Args:
        hits: by group, how many of its samples.
        counts: by group, how many samples it has.
    """
    count, total = sum(counts.values()), sum(hits.values())
    groups = len(counts)
    if not count:
        return None
    share = total / count
    if groups == count:
        return wilson(total, count)
    if groups == 1 or not 0 < share < 1:
        return wilson(share * groups, groups)
    # The squares of (hits - share * count), summed by group; the three sums are of whole numbers, and exact.
    of_hits = sum(map(mul, hits.values(), hits.values()))
    of_both = sum(map(mul, hits.values(), map(counts.__getitem__, hits)))
    of_counts = sum(map(mul, counts.values(), counts.values()))
    spread = max(0.0, of_hits - 2 * share * of_both + share * share * of_counts)
    variance = groups / (groups - 1) * spread / (count * count)
    effect = max(1.0, variance * count / (share * (1 - share)))
    return wilson(total / effect, count / effect)


def area_under_roc(ranking: Ranking) -> Area:
    """The area under the ROC curve, and its interval by DeLong (1988).

    Of samples that belong together in groups it is Obuchowski's (1997), which is the same where each stands alone. The
    interval is made on the scale of log-odds, so that it stays between 0 and 1.
    """
    positives, negatives = ranking.positives, ranking.negatives
    if not positives or not negatives:
        return Area(value=None, interval=None)
    area, positive_before, negative_before = 0.0, 0.0, 0.0
    for positive, negative in zip(ranking.true_positives, ranking.false_positives, strict=True):
        area += (negative - negative_before) * (positive + positive_before)
        positive_before, negative_before = positive, negative
    value = area / (2 * positives * negatives)
    if ranking.cases.weights is not None:
        return Area(value=value, interval=None)
    variance = _variance(ranking, value)
    if variance is None or variance <= 0 or not 0 < value < 1:
        return Area(value=value, interval=None)
    odds = math.log(value / (1 - value))
    half = _Z * math.sqrt(variance) / (value * (1 - value))
    return Area(value=value, interval=Interval(_share(odds - half), _share(odds + half)))


def _share(odds: float) -> float:
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0  # noqa: PLR2004 - where exp ends


def _variance(ranking: Ranking, area: float) -> float | None:
    """The variance of the area; ``None`` where there is one case, or one group, of a kind."""
    cases, order = ranking.cases, ranking.order
    groups = cases.groups
    by_positive: dict[int, float] = {}
    by_negative: dict[int, float] = {}
    start, positive_above, negative_above = 0, 0.0, 0.0
    for end, positive, negative in zip(ranking.ends, ranking.true_positives, ranking.false_positives, strict=True):
        # Of a positive case: the share of negatives below it; of a negative one: the share of positives above it.
        below = 1 - (negative_above + negative) / (2 * ranking.negatives) - area
        above = (positive_above + positive) / (2 * ranking.positives) - area
        for place in order[start:end]:
            group = place if groups is None else groups[place]
            if cases.are_positive[place]:
                by_positive[group] = by_positive.get(group, 0.0) + below
            else:
                by_negative[group] = by_negative.get(group, 0.0) + above
        start, positive_above, negative_above = end, positive, negative
    with_positive, with_negative = len(by_positive), len(by_negative)
    if with_positive == 1 or with_negative == 1:
        return None
    both = by_positive.keys() & by_negative.keys()
    every = len(by_positive.keys() | by_negative.keys())
    of_positive = math.fsum(each * each for each in by_positive.values()) * with_positive / (with_positive - 1)
    of_negative = math.fsum(each * each for each in by_negative.values()) * with_negative / (with_negative - 1)
    together = math.fsum(by_positive[group] * by_negative[group] for group in sorted(both)) * every / (every - 1)
    return (
        of_positive / ranking.positives**2
        + of_negative / ranking.negatives**2
        + 2 * together / (ranking.positives * ranking.negatives)
    )
