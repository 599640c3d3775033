"""What the threshold makes of the films, counted; and whether probabilities mean what they say."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from pneumo_train.evaluating.figures import Evaluation, Floats
from pneumo_train.showing.style import BLUE, GREY, ORANGE, entitle, new_figure, new_plot, plain

_SHADES = LinearSegmentedColormap.from_list("blues", ["#ffffff", BLUE])
_DARK = 0.55
"""From this share of its row on, a cell is too dark for dark letters."""


def plot_confusion(evaluation: Evaluation) -> Figure:
    """Four counts, each with its share of the row: what is true stands on the left, what was said below."""
    scores = evaluation.scores
    counts = np.array(
        [[scores.true_negatives, scores.false_positives], [scores.false_negatives, scores.true_positives]]
    )
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros((2, 2)), where=totals > 0)
    figure, axes = new_plot(f"{evaluation.evaluated.part} · threshold {scores.threshold:.3f}", width=6.4)
    axes.imshow(shares, cmap=_SHADES, vmin=0, vmax=1)
    words = (("true negatives", "false positives"), ("false negatives", "true positives"))
    for row, column in np.ndindex(2, 2):
        colour = "white" if shares[row, column] > _DARK else "#222222"
        axes.text(column, row - 0.1, f"{counts[row, column]:,}", ha="center", va="center", fontsize=24, color=colour)
        of_row = f"{shares[row, column]:.1%}" if totals[row, 0] else "none"
        axes.text(column, row + 0.16, f"{of_row}\n{words[row][column]}", ha="center", va="center", color=colour)
    axes.set(xticks=[0, 1], yticks=[0, 1], xlabel="said", ylabel="true")
    axes.set_xticklabels(["no pneumonia", "pneumonia"])
    axes.set_yticklabels(["no pneumonia", "pneumonia"], rotation=90, va="center")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def plot_reliability(evaluation: Evaluation) -> Figure:
    """The share of positives over the probability, bin by bin, above how many films each bin holds."""
    scores, bins = evaluation.scores, [found for found in evaluation.bins if found.images]
    figure = new_figure(width=7.2, height=6.4)
    entitle(figure, f"Reliability · {evaluation.evaluated.part}")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    upper.plot([0, 1], [0, 1], ":", color=GREY, lw=1, label="as said")
    said = [found.mean_probability for found in bins]
    true = [found.positive_share for found in bins]
    errors = _errors(np.array(true), np.array([found.images for found in bins], float))
    upper.errorbar(
        said, true, yerr=errors, fmt="o-", ms=6, color=BLUE, capsize=3, lw=1.5, label="bins, with 95 % of Wilson"
    )
    ece, brier = scores.by_name["ece"].value, scores.by_name["brier"].value
    upper.set(ylabel="share with pneumonia", xlim=(-0.01, 1.01), ylim=(-0.03, 1.03))
    upper.legend(frameon=False, loc="upper left", title=f"ECE {ece:.3f} · Brier {brier:.3f}", alignment="left")
    _histogram(lower, evaluation)
    for axes in (upper, lower):
        plain(axes)
    return figure


def _histogram(axes: Axes, evaluation: Evaluation) -> None:
    evaluated = evaluation.evaluated
    by_class = [evaluated.probabilities[evaluated.targets == target] for target in (0, 1)]
    axes.hist(
        by_class, bins=20, range=(0, 1), stacked=True, color=[GREY, ORANGE], label=["no pneumonia", "pneumonia"], lw=0
    )
    axes.axvline(evaluation.scores.threshold, color="#222222", lw=1.2, ls="--", label="threshold")
    axes.set(xlabel="probability of pneumonia", ylabel="images")
    axes.legend(frameon=False, fontsize=8, loc="upper center", ncols=3)


def _errors(shares: Floats, counts: Floats) -> Floats:
    """How far Wilson's interval of 95 % reaches below and above each share; shape (2, bins)."""
    z = 1.96
    middle = (shares + z * z / (2 * counts)) / (1 + z * z / counts)
    half = z / (1 + z * z / counts) * np.sqrt(shares * (1 - shares) / counts + z * z / (4 * counts**2))
    reach: Floats = np.clip(np.stack([shares - (middle - half), middle + half - shares]), 0, None)
    return reach
