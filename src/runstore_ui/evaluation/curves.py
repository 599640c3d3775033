"""ROC and precision-recall curves, and what lies under the latter."""

from collections.abc import Sequence

from msgspec import Struct

from runstore_ui.evaluation.ranking import Ranking


class CurvePoint(Struct, frozen=True):
    """A point of a curve.

    Attributes:
        x: the false positive rate, or the recall.
        y: the true positive rate, or the precision.
        threshold: the least score that counts as positive there; ``None`` where none does.
    """

    x: float
    y: float
    threshold: float | None


def roc_points(ranking: Ranking) -> list[CurvePoint]:
    """The ROC curve from (0, 0) to (1, 1); nothing where cases of one of the two kinds are missing."""
    positives, negatives = ranking.positives, ranking.negatives
    if not positives or not negatives:
        return []
    steps = zip(ranking.false_positives, ranking.true_positives, ranking.thresholds, strict=True)
    return [
        CurvePoint(0.0, 0.0, None),
        *(CurvePoint(false / negatives, true / positives, threshold) for false, true, threshold in steps),
    ]


def precision_points(ranking: Ranking) -> list[CurvePoint]:
    """The precision at each recall, from the highest threshold on; nothing where there is no positive case."""
    if not ranking.positives:
        return []
    steps = zip(ranking.false_positives, ranking.true_positives, ranking.thresholds, strict=True)
    return [
        CurvePoint(true / ranking.positives, true / (true + false), threshold)
        for false, true, threshold in steps
        if true + false > 0
    ]


def average_precision(ranking: Ranking) -> float | None:
    """The mean of the precisions, each for the recall that it adds; nothing is interpolated. As scikit-learn has it."""
    if not ranking.positives:
        return None
    total, before = 0.0, 0.0
    for true, false in zip(ranking.true_positives, ranking.false_positives, strict=True):
        if true > before:
            total += (true - before) * true / (true + false)
            before = true
    return total / ranking.positives


def thinned(points: Sequence[CurvePoint], *, parts: int = 400) -> list[CurvePoint]:
    """A curve as a picture shows it: of each stretch that falls into one cell of a fine grid the first and the last point.

    What is drawn differs by less than half a cell; both ends stay.
    """
    if len(points) <= parts:
        return list(points)
    kept: list[CurvePoint] = []
    cell: tuple[int, int] | None = None
    for place, point in enumerate(points):
        here = (round(point.x * parts), round(point.y * parts))
        if here != cell:
            if place and kept[-1] is not points[place - 1]:
                kept.append(points[place - 1])
            kept.append(point)
            cell = here
    if kept[-1] is not points[-1]:
        kept.append(points[-1])
    return kept
