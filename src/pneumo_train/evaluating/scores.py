"""Scores with their intervals, the bins of the reliability diagram, and the rows of the subgroups."""

import math
from collections.abc import Sequence

import numpy as np

from pneumo_train.evaluating.drawing import bound_of_all, interval, weights_by_patient
from pneumo_train.evaluating.figures import CalibrationBin, Evaluated, Floats, Labels, Score, Scores, SubgroupRow
from pneumo_train.evaluating.measures import BINS, RATIOS, Measured, bin_of

FEW_PATIENTS = 30
"""Below so many patients of either class a subgroup's scores say little, and are said to."""

NOT_KNOWN = "not known"


def score(  # noqa: PLR0913 - keyword-only but for what there is one of an image
    targets: Labels,
    probabilities: Floats,
    patients: Sequence[str],
    *,
    threshold: float,
    draws: int,
    seed: int = 0,
) -> Scores:
    """The scores of some images at a threshold, with 95 % intervals from a bootstrap by patient.

    A share that is 0 or 1 in the part, which every draw repeats, has the exact interval for as many patients instead.

    Args:
        targets: 0 or 1, of shape (images,).
        probabilities: in [0, 1], of the same shape.
        patients: whose images they are.
        threshold: from which probability on an image counts as positive.
        draws: how many times patients are drawn; 0 for no intervals.
        seed: of the draws.
    """
    measured = Measured(targets, probabilities, threshold)
    once = np.ones((1, len(targets)))
    values = {name: float(value[0]) for name, value in measured.all(once).items()}
    drawn: dict[str, list[Floats]] = {name: [] for name in values}
    for weights in weights_by_patient(patients, targets, draws=draws, seed=seed) if len(targets) else ():
        for name, of_draws in measured.all(weights).items():
            drawn[name].append(of_draws)
    counts = measured.counts(once)
    decided = probabilities >= threshold
    behind = {"sensitivity": targets == 1, "specificity": targets == 0, "ppv": decided, "npv": ~decided}
    scores = {}
    for name, value in values.items():
        low, high = interval(np.concatenate(drawn[name])) if drawn[name] else (math.nan, math.nan)
        if draws and name in RATIOS and value in {0.0, 1.0}:
            bound = bound_of_all(_patients_of(patients, behind[name]))
            low, high = (bound, 1.0) if value else (0.0, 1 - bound)
        scores[name] = Score(value=value, low=low, high=high)
    return Scores(
        images=len(targets),
        patients=len(set(patients)),
        positives=int(targets.sum()),
        threshold=threshold,
        true_positives=int(counts.true_positives[0]),
        false_positives=int(counts.false_positives[0]),
        true_negatives=int(counts.true_negatives[0]),
        false_negatives=int(counts.false_negatives[0]),
        draws=draws,
        by_name=scores,
    )


def mean_scores(  # noqa: PLR0913 - as above
    targets: Labels,
    probabilities: Floats,
    patients: Sequence[str],
    *,
    thresholds: Sequence[float],
    draws: int,
    seed: int = 0,
) -> dict[str, Score]:
    """The means of the scores of several models on the same images, by name, with 95 % intervals from a bootstrap by patient.

    A draw of patients is the same for all models: the interval says what other patients would have changed, given these models.

    Args:
        targets: 0 or 1, of shape (images,).
        probabilities: in [0, 1], of shape (models, images).
        patients: whose images they are.
        thresholds: of each model, from which probability on an image counts as positive.
        draws: how many times patients are drawn; 0 for no intervals.
        seed: of the draws.
    """
    models = [Measured(targets, each, threshold) for each, threshold in zip(probabilities, thresholds, strict=True)]

    def means(weights: Floats) -> dict[str, Floats]:
        measures = [each.all(weights) for each in models]
        return {name: np.mean([each[name] for each in measures], axis=0) for name in measures[0]}

    values = means(np.ones((1, len(targets))))
    drawn = [means(weights) for weights in weights_by_patient(patients, targets, draws=draws, seed=seed)]
    found = {}
    for name, value in values.items():
        low, high = interval(np.concatenate([each[name] for each in drawn])) if drawn else (math.nan, math.nan)
        found[name] = Score(value=float(value[0]), low=low, high=high)
    return found


def calibration_bins(targets: Labels, probabilities: Floats) -> tuple[CalibrationBin, ...]:
    """The bins of the reliability diagram, of equal width."""
    place = bin_of(probabilities)
    return tuple(
        CalibrationBin(
            low=number / BINS,
            high=(number + 1) / BINS,
            images=int(chosen.sum()),
            mean_probability=float(probabilities[chosen].mean()) if chosen.any() else math.nan,
            positive_share=float(targets[chosen].mean()) if chosen.any() else math.nan,
        )
        for number in range(BINS)
        for chosen in (place == number,)
    )


def subgroup_rows(evaluated: Evaluated, *, threshold: float, draws: int, seed: int = 0) -> tuple[SubgroupRow, ...]:
    """The scores of each level of each division, at the same threshold; levels in order, those not known last."""
    rows = []
    for division, levels in evaluated.divisions.items():
        known = sorted({level for level in levels if level is not None}, key=_natural)
        for level in [*known, *([None] if None in levels else [])]:
            chosen = np.array([each == level for each in levels])
            patients = [patient for patient, is_in in zip(evaluated.patients, chosen, strict=True) if is_in]
            targets = evaluated.targets[chosen]
            scores = score(
                targets, evaluated.probabilities[chosen], patients, threshold=threshold, draws=draws, seed=seed
            )
            note = _note(targets, patients)
            rows.append(
                SubgroupRow(division=division, level=NOT_KNOWN if level is None else level, scores=scores, note=note)
            )
    return tuple(rows)


def _patients_of(patients: Sequence[str], chosen: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> int:
    return len({patient for patient, is_in in zip(patients, chosen, strict=True) if is_in})


def _note(targets: Labels, patients: Sequence[str]) -> str:
    sick, well = _patients_of(patients, targets == 1), _patients_of(patients, targets == 0)
    if not sick or not well:
        return f"one class only: {sick or well} patients"
    if min(sick, well) < FEW_PATIENTS:
        return f"few: {sick} patients with pneumonia, {well} without"
    return ""


def _natural(level: str) -> tuple[float, str]:
    """Bands of ages in the order of their first number, all else by name."""
    digits = level.split("-", maxsplit=1)[0].rstrip("+")
    return (float(digits), level) if digits.isdigit() else (math.inf, level)
