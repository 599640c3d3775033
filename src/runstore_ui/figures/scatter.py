"""Any two columns of runs against each other."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from runstore_ui.figures.axes import Scale, frame
from runstore_ui.figures.colours import COLOURS
from runstore_ui.figures.figure import Figure, make_figure
from runstore_ui.figures.svg import element, text

_WIDTH: Final = 520.0
_HEIGHT: Final = 340.0


class Dot(Struct, frozen=True, kw_only=True):
    """One run: its name, where it lies, and whether it stands out."""

    name: str
    x: float
    y: float
    is_chosen: bool = False
    address: str | None = None


def scatter_figure(  # noqa: PLR0913 - what the axes are, keyword-only
    dots: Sequence[Dot],
    *,
    x_title: str,
    y_title: str,
    x_log: bool = False,
    y_log: bool = False,
    title: str | None = None,
) -> Figure:
    """A dot a run. Those without a place, as NaN has none, are counted in the description."""
    x = Scale.over((dot.x for dot in dots), start=64, end=_WIDTH - 12, is_log=x_log)
    y = Scale.over((dot.y for dot in dots), start=_HEIGHT - 48, end=12, is_log=y_log)
    placed = [dot for dot in dots if x.holds(dot.x) and y.holds(dot.y)]
    drawn = frame(x, y, x_title=x_title, y_title=y_title)
    for dot in sorted(placed, key=lambda dot: dot.is_chosen):
        mark = element(
            "circle",
            element("title", text(f"{dot.name}: {dot.x:.6g}, {dot.y:.6g}")),
            cx=x.at(dot.x),
            cy=y.at(dot.y),
            r=6 if dot.is_chosen else 4,
            fill=COLOURS[1] if dot.is_chosen else COLOURS[0],
            fill_opacity=0.75,
            stroke="currentColor" if dot.is_chosen else None,
        )
        drawn.append(element("a", mark, href=dot.address) if dot.address else mark)
    missing = len(dots) - len(placed)
    return make_figure(
        title=title or f"{y_title} over {x_title}",
        description=f"{len(placed)} run{'' if len(placed) == 1 else 's'}"
        + (f"; {missing} without a place on these axes" if missing else ""),
        width=_WIDTH,
        height=_HEIGHT,
        content=drawn,
        has_links=any(dot.address for dot in placed),
        heads=("run", x_title, y_title),
        rows=[(dot.name, f"{dot.x:.6g}", f"{dot.y:.6g}") for dot in dots],
    )
