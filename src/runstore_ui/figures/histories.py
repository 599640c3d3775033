"""Curves of training, for paper."""

import math
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from runstore_ui.figures.axes import Scale, frame, legend
from runstore_ui.figures.colours import Look, looks
from runstore_ui.figures.figure import Figure, make_figure
from runstore_ui.figures.svg import element, points

_WIDTH: Final = 640.0
_HEIGHT: Final = 320.0
_MOST_ROWS: Final = 500


class Line(Struct, frozen=True, kw_only=True):
    """One series, by ascending x.

    Attributes:
        name: as the legend has it.
        xs: steps, epochs or times.
        ys: the values; what is not finite is a gap, and a mark at the edge.
        look: how it is drawn; ``None`` for the next that is free.
    """

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    look: Look | None = None


def history_figure(  # noqa: PLR0913 - what the axes are, keyword-only
    lines: Sequence[Line],
    *,
    x_title: str,
    y_title: str,
    x_log: bool = False,
    y_log: bool = False,
    title: str | None = None,
) -> Figure:
    """Lines over steps. NaN and infinities are crosses at the lower edge, with a word to each in the table."""
    x = Scale.over((value for each in lines for value in each.xs), start=64, end=_WIDTH - 14, is_log=x_log)
    y = Scale.over((value for each in lines for value in each.ys), start=_HEIGHT - 48, end=12, is_log=y_log)
    drawn = frame(x, y, x_title=x_title, y_title=y_title)
    free = looks(len(lines))
    told = [each.look or free[place] for place, each in enumerate(lines)]
    for each, look in zip(lines, told, strict=True):
        drawn += _drawn(each, look, x, y)
    bottom = _HEIGHT + 14
    drawn += legend(
        [(each.name, look.colour, look.dash) for each, look in zip(lines, told, strict=True)], x=64, y=bottom
    )
    rows = [
        (each.name, f"{across:.10g}", f"{value:.6g}")
        for each in lines
        for across, value in zip(each.xs, each.ys, strict=True)
    ]
    every = max(1, -(-len(rows) // _MOST_ROWS))
    return make_figure(
        title=title or f"{y_title} over {x_title}",
        description=f"{len(lines)} series, {len(rows)} points: " + "; ".join(each.name for each in lines),
        width=_WIDTH,
        height=bottom + 18 * len(lines) - 6,
        content=drawn,
        heads=("series", x_title, y_title),
        rows=rows[::every],
        left_out=f"{len(rows[::every]):,} of {len(rows):,} points" if every > 1 else "",
    )


def _drawn(each: Line, look: Look, x: Scale, y: Scale) -> list[str]:
    drawn: list[str] = []
    stretch: list[tuple[float, float]] = []
    for across, value in [*zip(each.xs, each.ys, strict=True), (math.nan, math.nan)]:
        if x.holds(across) and y.holds(value):
            stretch.append((x.at(across), y.at(value)))
            continue
        if len(stretch) == 1:
            drawn.append(element("circle", cx=stretch[0][0], cy=stretch[0][1], r=2.5, fill=look.colour))
        elif stretch:
            drawn.append(
                element(
                    "polyline",
                    points=points(stretch),
                    fill="none",
                    stroke=look.colour,
                    stroke_width=1.75,
                    stroke_dasharray=look.dash,
                    stroke_linejoin="round",
                )
            )
        stretch = []
        if x.holds(across):  # the value alone has no place
            place = x.at(across)
            drawn.append(
                element(
                    "path",
                    d=f"M{place - 3:.2f} {y.start - 6:.2f}l6 6m0 -6l-6 6",
                    stroke=look.colour,
                    stroke_width=1.5,
                    fill="none",
                )
            )
    return drawn
