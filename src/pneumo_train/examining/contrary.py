"""A test part of the films that were taken as those of the other class are: what a model has learnt of machines fails there first.

Exposure, sharpness and borders say nothing of lungs. Where they tell the classes apart all the same, a validation part that is drawn by
chance rewards a model for looking at them, and the films of another year or hospital do not.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from pneumo_train.errors import DataError
from pneumo_train.evaluating.calibration import sigmoid
from pneumo_train.evaluating.figures import Floats, Labels
from pneumo_train.evaluating.measures import Measured
from pneumo_train.images.films import Films
from pneumo_train.samples import Sample, Split

_FOLDS = 5
_STEPS = 30
_QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
_DARK, _BRIGHT = 0.05, 0.97
_BORDER = 0.05
"""Of the side: what counts as a border."""

_LEAST_PATIENTS = 2 * _FOLDS


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Contrary:
    """A split whose test part is contrary.

    Attributes:
        split: of all films; the test part has those that speak for the other class, training and validation keep the others.
        auroc: of how the films were taken, for the label, over all films; 0.5 where it says nothing.
        auroc_of_test: the same in the test part, where it says the contrary.
    """

    split: Split
    auroc: float
    auroc_of_test: float


def contrary_split(split: Split, films: Films, share: float) -> Contrary:
    """Moves the patients of both classes whose films speak most for the other class into the test part.

    How much a film speaks for pneumonia is told by a logistic regression on its greys, sharpness and borders, which has
    learnt from other patients.

    Args:
        split: of the films; without a test part.
        films: its films for training, then those for validation.
        share: of the patients of each class.

    Raises:
        DataError: there are too few patients of a class, or a part would have one class only, or there is a test part already.
    """
    if split.test:
        raise DataError(
            f"the split has a test part of {len(split.test):,} images already; leave out what gives or draws it"
        )
    patients = [sample.patient for sample in films.samples]
    targets = np.array([sample.target for sample in films.samples])
    labels = _labels(films.samples)
    folds = _folds(labels)
    scores = _scores(_taken(films), targets, np.array([folds[patient] for patient in patients]))
    chosen = _most_contrary(labels, patients, scores, share)
    is_test = np.array([patient in chosen for patient in patients])
    divided = Split(
        train=tuple(sample for sample in split.train if sample.patient not in chosen),
        validation=tuple(sample for sample in split.validation if sample.patient not in chosen),
        test=tuple(sample for sample in films.samples if sample.patient in chosen),
    )
    for name, part in divided.parts().items():
        if len({sample.target for sample in part}) == 1:
            raise DataError(
                f"held out {share:g} of the patients, and the {name} part has one class only; hold out fewer, or "
                "give a larger data.validation_fraction"
            )
    return Contrary(
        split=divided,
        auroc=_auroc(targets, scores),
        auroc_of_test=_auroc(targets[is_test], scores[is_test]),
    )


def _taken(films: Films) -> Floats:
    """How each film was taken, shape (films, 16): greys, contrast, sharpness, dark borders, what is burnt out."""
    return np.array([_of_film(films[index].astype(np.float64) / 255) for index in range(len(films))])


def _of_film(x: Floats) -> list[float]:
    inner = x[1:-1, 1:-1]
    edges = np.abs(4 * inner - x[:-2, 1:-1] - x[2:, 1:-1] - x[1:-1, :-2] - x[1:-1, 2:]).mean()
    width = max(1, round(_BORDER * len(x)))
    borders = (x[:width], x[-width:], x[:, :width], x[:, -width:])
    return [
        x.mean(),
        x.std(),
        *np.quantile(x, _QUANTILES),
        edges,
        edges / max(x.std(), 1e-3),
        *((border < _DARK).mean() for border in borders),
        (x > _BRIGHT).mean(),
    ]


def _labels(samples: Sequence[Sample]) -> dict[str, int]:
    """Of each patient: 1 where any film is positive.

    Raises:
        DataError: a class has too few patients.
    """
    labels: dict[str, int] = {}
    for sample in samples:
        labels[sample.patient] = max(sample.target, labels.get(sample.patient, 0))
    for label, called in ((0, "without"), (1, "with")):
        if (count := list(labels.values()).count(label)) < _LEAST_PATIENTS:
            raise DataError(
                f"{count} patients {called} pneumonia: to tell how films of a class are taken needs {_LEAST_PATIENTS} of each; "
                "use more films"
            )
    return labels


def _folds(labels: Mapping[str, int]) -> dict[str, int]:
    """The fold of each patient: those of each label are dealt out in the order of their names."""
    return {
        patient: place % _FOLDS
        for label in (0, 1)
        for place, patient in enumerate(sorted(patient for patient, each in labels.items() if each == label))
    }


def _scores(features: Floats, targets: Labels, folds: Labels) -> Floats:
    """The log odds of pneumonia for each film, by a regression that has learnt from the other folds."""
    scores = np.zeros(len(targets))
    for fold in range(_FOLDS):
        held_out = folds == fold
        seen = features[~held_out]
        mean, spread = seen.mean(axis=0), seen.std(axis=0) + 1e-6
        weights = _fitted(_with_one((seen - mean) / spread), targets[~held_out])
        scores[held_out] = _with_one((features[held_out] - mean) / spread) @ weights
    return scores


def _fitted(columns: Floats, targets: Labels) -> Floats:
    """Logistic regression by Newton's method; the little ridge keeps it finite where the classes do not overlap."""
    ridge = 0.1 * np.eye(columns.shape[1])
    weights: Floats = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        probabilities = sigmoid(columns @ weights)
        gradient = columns.T @ (probabilities - targets) + ridge @ weights
        curvature = (columns.T * (probabilities * (1 - probabilities))) @ columns + ridge
        weights = weights - np.linalg.solve(curvature, gradient)
    return weights


def _with_one(features: Floats) -> Floats:
    return np.hstack([features, np.ones((len(features), 1))])


def _most_contrary(labels: Mapping[str, int], patients: Sequence[str], scores: Floats, share: float) -> set[str]:
    """That share of the patients of each label, at least one, whose films speak most for the other one, on average."""
    sums: dict[str, list[float]] = {patient: [] for patient in labels}
    for patient, score in zip(patients, scores.tolist(), strict=True):
        sums[patient].append(score)
    means = {patient: float(np.mean(found)) for patient, found in sums.items()}
    chosen: set[str] = set()
    for label, sign in ((0, -1), (1, 1)):
        mine = sorted(
            (patient for patient in labels if labels[patient] == label), key=lambda each: (sign * means[each], each)
        )
        chosen.update(mine[: max(1, round(share * len(mine)))])
    return chosen


def _auroc(targets: Labels, scores: Floats) -> float:
    return float(Measured(targets, sigmoid(scores), 0.5).all(np.ones((1, len(targets))))["auroc"][0])
