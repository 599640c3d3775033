"""The measures, each for many weightings of the same images at once: row by row of an array of weights."""

import dataclasses

import numpy as np

from pneumo_train.evaluating.figures import Floats, Labels

BINS = 10
"""Of equal width, for the calibration error and the reliability diagram; a bin has its lower end, the last one has 1 too."""

RATIOS = ("sensitivity", "specificity", "ppv", "npv")
"""Shares of images: the exact interval stands in where the bootstrap has none, at 0 and at 1."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """Weights of the four kinds of decision, of shape (draws,)."""

    true_positives: Floats
    false_positives: Floats
    true_negatives: Floats
    false_negatives: Floats


class Measured:
    """The measures of one set of predictions; what does not depend on weights is done once.

    Args:
        targets: 0 or 1, of shape (images,).
        probabilities: of shape (images,).
        threshold: from which probability on an image counts as positive.
    """

    def __init__(self, targets: Labels, probabilities: Floats, threshold: float) -> None:
        self._order = np.argsort(-probabilities, kind="stable")
        ordered = probabilities[self._order]
        self._starts = (
            np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, np.intp)
        )
        self._targets = targets.astype(np.float64)
        self._probabilities = probabilities
        self._decided = (probabilities >= threshold).astype(np.float64)
        place = bin_of(probabilities)
        self._in_bin = (place[:, None] == np.arange(BINS)).astype(np.float64)

    def all(self, weights: Floats) -> dict[str, Floats]:
        """Every measure by name, each of shape (draws,); NaN where a draw gives it no value.

        Args:
            weights: of shape (draws, images), not negative.
        """
        counts = self.counts(weights)
        tp, fp = counts.true_positives, counts.false_positives
        tn, fn = counts.true_negatives, counts.false_negatives
        sensitivity, specificity = _share(tp, tp + fn), _share(tn, tn + fp)
        total = weights.sum(axis=1)
        error = (self._probabilities - self._targets) ** 2
        gaps = np.abs((weights * (self._probabilities - self._targets)) @ self._in_bin).sum(axis=1)
        return {
            **self._of_order(weights),
            "sensitivity": sensitivity,
            "specificity": specificity,
            "ppv": _share(tp, tp + fp),
            "npv": _share(tn, tn + fn),
            "f1": _share(2 * tp, 2 * tp + fp + fn),
            "balanced_accuracy": (sensitivity + specificity) / 2,
            "accuracy": _share(tp + tn, total),
            "brier": _share(weights @ error, total),
            "ece": _share(gaps, total),
        }

    def counts(self, weights: Floats) -> Counts:
        """The four kinds of decision."""
        positive, negative = weights * self._targets, weights * (1 - self._targets)
        tp, fp = positive @ self._decided, negative @ self._decided
        return Counts(
            true_positives=tp,
            false_positives=fp,
            true_negatives=negative.sum(axis=1) - fp,
            false_negatives=positive.sum(axis=1) - tp,
        )

    def _of_order(self, weights: Floats) -> dict[str, Floats]:
        """What depends on the order alone; images of one probability are one step of the curve."""
        if len(self._starts) == 0:
            nothing = np.full(len(weights), np.nan)
            return {"auroc": nothing, "auprc": nothing}
        ordered, targets = weights[:, self._order], self._targets[self._order]
        positive = np.add.reduceat(ordered * targets, self._starts, axis=1)
        negative = np.add.reduceat(ordered * (1 - targets), self._starts, axis=1)
        positives, negatives = positive.cumsum(axis=1), negative.cumsum(axis=1)
        all_positives, all_negatives = positives[:, -1], negatives[:, -1]
        # A positive is above all negatives that come after its step, and above half of those in it.
        above = (positive * (all_negatives[:, None] - negatives + negative / 2)).sum(axis=1)
        precision = np.divide(positives, positives + negatives, out=np.zeros_like(positives), where=positives > 0)
        return {
            "auroc": _share(above, all_positives * all_negatives),
            "auprc": _share((positive * precision).sum(axis=1), all_positives),
        }


def bin_of(probabilities: Floats) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """The number of the bin of each probability, from 0."""
    return np.minimum((probabilities * BINS).astype(np.intp), BINS - 1)


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full_like(whole, np.nan, dtype=np.float64), where=whole > 0)
