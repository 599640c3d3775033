"""How every picture of the trainer looks: light, two colours that a colour-blind reader can tell apart, grey for the rest."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#2b6ca3", "#c8553d", "#7a7a7a"
"""Of Okabe and Ito's kind: the two differ in lightness as well."""

_DPI = 110


def new_figure(*, width: float, height: float) -> Figure:
    """A figure of this size in inches, without pyplot: no global state and no window, in any thread."""
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def new_plot(title: str, *, width: float = 7.2, height: float = 5.4) -> tuple[Figure, Axes]:
    """A figure of one plot; about 800 pixels wide unless told otherwise."""
    figure = new_figure(width=width, height=height)
    axes: Axes = figure.subplots()
    entitle(figure, title)
    plain(axes)
    return figure, axes


def entitle(figure: Figure, title: str) -> None:
    """The title; names of parts and runs may hold a dollar sign, which is no formula."""
    figure.suptitle(title, fontsize=12, parse_math=False)


def plain(axes: Axes) -> None:
    """A thin grid, and no lines above and to the right."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def unit_square(axes: Axes, *, across: str, up: str) -> None:
    """Both axes from 0 to 1, of the same scale."""
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel=across, ylabel=up, aspect="equal")


def save(figure: Figure, path: Path) -> Path:
    """Writes the figure as PNG, its folder made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path
