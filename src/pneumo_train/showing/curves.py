"""The curves of all thresholds: ROC, and precision over recall. The band holds what patients drawn again would give."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pneumo_train.evaluating.figures import Evaluation, Floats, Labels, Score
from pneumo_train.showing.style import BLUE, GREY, ORANGE, new_plot, unit_square

_DRAWS = 500
_SEED = 0
_GRID = np.linspace(0, 1, 101)


def plot_roc(evaluation: Evaluation, *, draws: int = _DRAWS) -> Figure:
    """Sensitivity over 1 - specificity, with its band of 95 % at each specificity, and the point of the threshold."""
    evaluated, scores = evaluation.evaluated, evaluation.scores
    figure, axes = new_plot(f"ROC · {evaluated.part}")
    axes.plot([0, 1], [0, 1], ":", color=GREY, lw=1)
    if 0 < scores.positives < scores.images:
        if draws:
            low, high = _roc_band(evaluated.targets, evaluated.probabilities, evaluated.patients, draws)
            axes.fill_between(_GRID, low, high, color=BLUE, alpha=0.15, lw=0, label="95 %, patients drawn again")
        across, up = _roc(evaluated.targets, evaluated.probabilities, np.ones(len(evaluated)))
        axes.plot(across, up, color=BLUE, lw=2, label=f"AUROC {_spelled(scores.by_name['auroc'])}")
        axes.plot(
            scores.false_positives / (scores.images - scores.positives),
            scores.true_positives / scores.positives,
            "o",
            ms=9,
            color=ORANGE,
            label=f"threshold {scores.threshold:.3f}\n"
            f"sensitivity {_spelled(scores.by_name['sensitivity'])}\n"
            f"specificity {_spelled(scores.by_name['specificity'])}",
        )
        axes.legend(frameon=False, loc="lower right")
    else:
        _say_one_class(axes)
    unit_square(axes, across="1 - specificity", up="sensitivity")
    return figure


def plot_precision_recall(evaluation: Evaluation) -> Figure:
    """Precision over recall, with the share of positives as the line of guessing, and the point of the threshold."""
    evaluated, scores = evaluation.evaluated, evaluation.scores
    figure, axes = new_plot(f"Precision and recall · {evaluated.part}")
    if 0 < scores.positives < scores.images:
        share = scores.positives / scores.images
        axes.axhline(share, ls=":", color=GREY, lw=1, label=f"guessing: share of positives {share:.3f}")
        recall, precision = _precision_recall(evaluated.targets, evaluated.probabilities)
        axes.plot(recall, precision, color=BLUE, lw=2, label=f"AUPRC {_spelled(scores.by_name['auprc'])}")
        called = scores.true_positives + scores.false_positives
        if called:
            axes.plot(
                scores.true_positives / scores.positives,
                scores.true_positives / called,
                "o",
                ms=9,
                color=ORANGE,
                label=f"threshold {scores.threshold:.3f}\n"
                f"recall {_spelled(scores.by_name['sensitivity'])}\n"
                f"precision {_spelled(scores.by_name['ppv'])}",
            )
        axes.legend(frameon=False, loc="lower left")
    else:
        _say_one_class(axes)
    unit_square(axes, across="recall (sensitivity)", up="precision (PPV)")
    return figure


def _spelled(score: Score) -> str:
    """``0.981 (0.972-0.989)``, without the interval where there is none."""
    if not (np.isfinite(score.low) and np.isfinite(score.high)):
        return f"{score.value:.3f}"
    return f"{score.value:.3f} ({score.low:.3f}-{score.high:.3f})"


def _say_one_class(axes: Axes) -> None:
    axes.text(0.5, 0.5, "one class only: there is no curve", ha="center", va="center", color=GREY)


def _roc(targets: Labels, probabilities: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """The false and the true positive rate at each threshold, both rising from 0 to 1; equal probabilities are one step."""
    order = np.argsort(-probabilities, kind="stable")
    is_last = np.append(np.diff(probabilities[order]) != 0, True)  # of equal ones, the last
    true = np.cumsum((targets * weights)[order])[is_last]
    false = np.cumsum(((1 - targets) * weights)[order])[is_last]
    return np.append(0.0, false / false[-1]), np.append(0.0, true / true[-1])


def _precision_recall(targets: Labels, probabilities: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(-probabilities, kind="stable")
    is_last = np.append(np.diff(probabilities[order]) != 0, True)  # of equal ones, the last
    true = np.cumsum(targets[order].astype(float))[is_last]
    called = np.flatnonzero(is_last) + 1
    precision = true / called
    return np.append(0.0, true / true[-1]), np.append(precision[0], precision)


def _roc_band(targets: Labels, probabilities: Floats, patients: tuple[str, ...], draws: int) -> tuple[Floats, Floats]:
    """The 2.5th and the 97.5th percentile of the sensitivity at each false positive rate of the grid."""
    rng, whose = np.random.default_rng(_SEED), np.unique(np.asarray(patients), return_inverse=True)[1]
    count = int(whose.max()) + 1
    ups = []
    for _ in range(draws):
        weights = np.bincount(rng.integers(count, size=count), minlength=count)[whose].astype(float)
        if 0 < weights[targets == 1].sum() < weights.sum():  # a draw of one class has no curve
            ups.append(np.interp(_GRID, *_roc(targets, probabilities, weights)))
    if not ups:
        return np.zeros_like(_GRID), np.ones_like(_GRID)
    low, high = np.percentile(ups, [2.5, 97.5], axis=0)
    return low, high
