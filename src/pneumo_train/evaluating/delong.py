"""Whether one of two models, or of two ways to train one, orders the same images better: DeLong's test, and the bootstrap by patient."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from pneumo_train.evaluating.drawing import interval, weights_by_patient
from pneumo_train.evaluating.figures import Floats, Labels
from pneumo_train.evaluating.measures import Measured


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The AUROC of two models on the same images; of a model that was trained several times, the mean of its AUROCs.

    Attributes:
        auroc: of the first.
        other: of the second.
        difference: the first less the second.
        low: the lower end of DeLong's 95 % interval of the difference.
        high: the upper end.
        z: the difference in standard errors; NaN when the two are told apart by nothing.
        p: two-sided; 1 when there is no difference at all, NaN when there is one without any variance (a model that makes no
            mistake, or tells nothing apart): the test says nothing then.
        low_by_patient: the lower end of the 95 % interval of the bootstrap by patient.
        high_by_patient: the upper end.
        images: how many there are.
        patients: how many patients they are of. DeLong's test takes images as independent: with several of a patient,
            the interval by patient is the one to trust.
    """

    auroc: float
    other: float
    difference: float
    low: float
    high: float
    z: float
    p: float
    low_by_patient: float
    high_by_patient: float
    images: int
    patients: int


def compare(  # noqa: PLR0913 - two models on one set
    targets: Labels, first: Floats, second: Floats, patients: Sequence[str], *, draws: int, seed: int = 0
) -> Comparison:
    """DeLong's test for two models on the same images (DeLong 1988, by the ranks of Sun and Xu 2014).

    Of models that were trained several times the means of their AUROCs are compared, by the covariance of all of them. It says what
    other images would have changed, given these trainings; not what other trainings would.

    Args:
        targets: 0 or 1, of shape (images,), both at least twice.
        first: scores of one model, of the same shape; of one that was trained several times, of shape (trainings, images).
        second: of the other.
        patients: whose images they are.
        draws: of the bootstrap by patient.
        seed: of the draws.

    Raises:
        ValueError: a class is there fewer than two times.
    """
    one, two = np.atleast_2d(first), np.atleast_2d(second)
    aurocs, covariance = delong(targets, np.concatenate([one, two]))
    shares = np.r_[np.full(len(one), 1 / len(one)), np.full(len(two), -1 / len(two))]
    difference = float(shares @ aurocs)
    variance = float(shares @ covariance @ shares)
    error = math.sqrt(max(variance, 0.0))
    z = difference / error if error > 1e-12 else math.nan  # noqa: PLR2004 - what rounding leaves of nothing
    none = 1.0 if abs(difference) < 1e-12 else math.nan  # noqa: PLR2004 - as above
    p = math.erfc(abs(z) / math.sqrt(2)) if math.isfinite(z) else none
    measured = [Measured(targets, scores, 0.5) for scores in (*one, *two)]
    drawn = [
        shares @ np.stack([each.all(weights)["auroc"] for each in measured])
        for weights in weights_by_patient(patients, targets, draws=draws, seed=seed)
    ]
    low, high = interval(np.concatenate(drawn)) if drawn else (math.nan, math.nan)
    return Comparison(
        auroc=float(aurocs[: len(one)].mean()),
        other=float(aurocs[len(one) :].mean()),
        difference=difference,
        low=difference - 1.959964 * error,
        high=difference + 1.959964 * error,
        z=z,
        p=p,
        low_by_patient=low,
        high_by_patient=high,
        images=len(targets),
        patients=len(set(patients)),
    )


def delong(targets: Labels, scores: Floats) -> tuple[Floats, Floats]:
    """The AUROC of each model, of shape (models,), and their covariance, of shape (models, models).

    Args:
        targets: 0 or 1, of shape (images,).
        scores: of shape (models, images).

    Raises:
        ValueError: a class is there fewer than two times.
    """
    positive, negative = scores[:, targets == 1], scores[:, targets == 0]
    m, n = positive.shape[1], negative.shape[1]
    if min(m, n) < 2:  # noqa: PLR2004 - one has no variance
        raise ValueError(f"DeLong's test: {m} positive and {n} negative images; wanted two or more of each")
    of_positive = np.stack([_midranks(row) for row in positive])
    of_negative = np.stack([_midranks(row) for row in negative])
    of_all = np.stack([_midranks(row) for row in np.concatenate([positive, negative], axis=1)])
    by_positive = (of_all[:, :m] - of_positive) / n
    by_negative = 1 - (of_all[:, m:] - of_negative) / m
    covariance = np.atleast_2d(np.cov(by_positive)) / m + np.atleast_2d(np.cov(by_negative)) / n
    return by_positive.mean(axis=1), covariance


def _midranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    ranks: Floats = (ends - (counts - 1) / 2)[index]
    return ranks
