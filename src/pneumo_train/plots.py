"""The plot that goes with a run."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

_TRAIN, _VALIDATION, _BEST = "#4878a8", "#c8553d", "#7a7a7a"


def plot_training(history: Sequence[dict[str, float]], path: Path, *, title: str, best_epoch: int) -> Path:
    """Draws loss and AUROC over the epochs, for training and validation, into a PNG; the best epoch is marked.

    The figure is drawn without pyplot: no global state and no window, in any thread.
    """
    figure = Figure(figsize=(10, 4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, metric, label in zip(figure.subplots(1, 2), ("loss", "auroc"), ("loss", "AUROC"), strict=True):
        for prefix, name, colour in (("train", "training", _TRAIN), ("val", "validation", _VALIDATION)):
            points = [(row["epoch"], row[f"{prefix}_{metric}"]) for row in history if f"{prefix}_{metric}" in row]
            if points:
                axes.plot(*zip(*points, strict=True), "o-", ms=4, color=colour, label=name)
        axes.axvline(best_epoch, color=_BEST, ls=":", lw=1.2, label=f"best checkpoint (epoch {best_epoch})")
        axes.set(xlabel="epoch", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.suptitle(title, fontsize=11, parse_math=False)  # an experiment's name may hold a dollar sign
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path
