"""All that can be said of predictions before a threshold is chosen."""

from msgspec import Struct

from runstore.errors import InvalidValueError
from runstore.predictions import Levels, Predictions
from runstore_ui.evaluation import (
    Area,
    Cases,
    ClassMatrix,
    CurvePoint,
    OperatingPoint,
    Pooling,
    Ranking,
    Reliability,
    Subgroup,
    all_cases,
    area_under_roc,
    average_precision,
    class_matrix,
    decide,
    operating_points,
    pooled,
    precision_points,
    rank,
    reliability,
    roc_points,
    subgroups,
    thinned,
)

_PAIR = 2


class Choice(Struct, frozen=True, kw_only=True):
    """Which cases are judged, and as what.

    Attributes:
        positive: the class that counts as positive; ``None`` for the last one.
        only: names of divisions, each with the one value that is kept.
        pooling: what one case is.
    """

    positive: str | None = None
    only: tuple[tuple[str, str], ...] = ()
    pooling: Pooling = Pooling.NONE


class Judged(Struct, frozen=True, kw_only=True):
    """What is known of the cases of a choice.

    Attributes:
        predictions: all samples.
        positive: the class that counts as positive.
        ranking: the cases by their scores.
        area: under the ROC curve.
        average_precision: ``None`` where no case is positive.
        roc: the ROC curve, as a picture shows it.
        precision: that of precision and recall.
        reliability: ``None`` where scores are no probabilities, and of no cases.
        points: thresholds with a name: those that were kept, and those that these cases would choose.
        subgroups: the parts of the divisions; none where cases are groups, which a division may part.
        matrix: of more than two classes, which is taken for which.
    """

    predictions: Predictions
    positive: str
    ranking: Ranking
    area: Area
    average_precision: float | None
    roc: list[CurvePoint]
    precision: list[CurvePoint]
    reliability: Reliability | None
    points: list[OperatingPoint]
    subgroups: list[Subgroup]
    matrix: ClassMatrix | None

    @property
    def usual_threshold(self) -> float:
        """The threshold that is meant to be used: the first that was kept, else 0.5, else the best of these cases."""
        if self.predictions.thresholds and self.positive == self.predictions.classes[-1]:
            return self.predictions.thresholds[0].value
        if self.predictions.is_probability or not self.points:
            return 0.5
        return self.points[0].decision.threshold


def judge(predictions: Predictions, choice: Choice) -> Judged:
    """Judges the cases of a choice.

    Raises:
        InvalidValueError: there is no such class or division.
    """
    classes = predictions.classes
    positive = choice.positive or classes[-1]
    if positive not in classes:
        raise InvalidValueError(f"there is no class {positive!r}; give one of {', '.join(map(repr, classes))}")
    if unknown := [name for name, _ in choice.only if name not in predictions.divisions]:
        known = ", ".join(map(repr, predictions.divisions)) or "none"
        raise InvalidValueError(f"there is no column {unknown[0]!r} to divide by; there are: {known}")
    samples = all_cases(predictions, positive=classes.index(positive), keep=dict(choice.only))
    cases = pooled(samples, choice.pooling)
    ranking = rank(cases)
    is_pooled = cases is not samples
    return Judged(
        predictions=predictions,
        positive=positive,
        ranking=ranking,
        area=area_under_roc(ranking),
        average_precision=average_precision(ranking),
        roc=thinned(roc_points(ranking)),
        precision=thinned(precision_points(ranking)),
        reliability=reliability(ranking) if predictions.is_probability else None,
        points=[*_kept_points(predictions, ranking, positive), *operating_points(ranking)],
        subgroups=[] if is_pooled else subgroups(ranking, _open_divisions(predictions, cases, choice)),
        matrix=class_matrix(predictions, samples.rows) if len(classes) > _PAIR else None,
    )


def _kept_points(predictions: Predictions, ranking: Ranking, positive: str) -> list[OperatingPoint]:
    if positive != predictions.classes[-1]:
        return []
    return [
        OperatingPoint(
            name=threshold.name,
            origin=f"chosen on {threshold.chosen_on}" + (f": {threshold.rule}" if threshold.rule else ""),
            decision=decide(ranking, threshold.value),
        )
        for threshold in predictions.thresholds
    ]


def _open_divisions(predictions: Predictions, cases: Cases, choice: Choice) -> dict[str, Levels]:
    """The divisions that still divide these cases."""
    kept = dict(choice.only)
    return {
        name: levels
        for name, levels in predictions.divisions.items()
        if name not in kept and len({levels.codes[row] for row in cases.rows}) > 1
    }
