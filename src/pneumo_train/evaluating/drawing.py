"""Patients drawn again and again: how much each image weighs in each draw of the bootstrap."""

from collections.abc import Iterator, Sequence

import numpy as np

from pneumo_train.evaluating.figures import Floats, Labels

_WEIGHTS_AT_ONCE = 4_000_000
"""32 MB: so many images times draws are looked at together."""


def patient_indexes(patients: Sequence[str]) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """For each image the number of its patient, from 0."""
    return np.unique(np.asarray(patients, dtype=str), return_inverse=True)[1].reshape(-1)


def weights_by_patient(patients: Sequence[str], targets: Labels, *, draws: int, seed: int) -> Iterator[Floats]:
    """How often each image is drawn, for some draws at a time: arrays of shape (some draws, images).

    Patients with a positive image and those without are drawn apart, each as many as there are, with replacement: a draw
    has the classes that the part has, and all images of a patient come together. The same seed gives the same draws.
    """
    index = patient_indexes(patients)
    count = int(index.max(initial=-1)) + 1
    is_positive = np.zeros(count, bool)
    is_positive[index[targets == 1]] = True
    strata = [np.flatnonzero(is_positive), np.flatnonzero(~is_positive)]
    rng = np.random.default_rng(seed)
    at_once = max(1, _WEIGHTS_AT_ONCE // max(1, len(index)))
    for start in range(0, draws, at_once):
        some = min(at_once, draws - start)
        times = np.zeros((some, count))
        for stratum in strata:
            if len(stratum):
                times[:, stratum] = rng.multinomial(len(stratum), np.full(len(stratum), 1 / len(stratum)), size=some)
        yield times[:, index]


def interval(drawn: Floats) -> tuple[float, float]:
    """The 2.5th and the 97.5th percentile of what the draws gave; draws in which there was no value do not count."""
    finite = drawn[np.isfinite(drawn)]
    if len(finite) == 0:
        return float("nan"), float("nan")
    low, high = np.percentile(finite, [2.5, 97.5])
    return float(low), float(high)


def bound_of_all(patients: int) -> float:
    """The lower end of the exact 95 % interval of a share that is 1 among so many patients (Clopper and Pearson).

    Drawing again from what is all right always gives 1, which says nothing of how few were looked at.
    """
    return float(0.025 ** (1 / patients)) if patients else float("nan")
