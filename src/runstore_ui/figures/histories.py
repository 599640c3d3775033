"""Curves of training, for paper."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from runstore_ui.figures.axes import Scale, frame, legend
from runstore_ui.figures.colours import Look, looks
from runstore_ui.figures.figure import Figure, make_figure
from runstore_ui.figures.svg import element, points

_WIDTH: Final = 640.0
_HEIGHT: Final = 320.0
_MOST_ROWS: Final = 500
_BETWEEN_MARKERS: Final = 80.0


class Line(Struct, frozen=True, kw_only=True):
    """One series, by ascending x.

    Attributes:
        name: as the legend has it.
        xs: steps, epochs or times.
        ys: the values; what is not finite is a gap, and a mark at the edge.
        look: how it is drawn; ``None`` for the next that is free.
        spread: of a mean, the standard deviation at each point, drawn as a band; ``None`` where one run alone counts.
        runs: of how many runs each point is the mean.
        is_faint: whether it is drawn thin, behind the others, and has no place in the legend.
    """

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    look: Look | None = None
    spread: Sequence[float | None] | None = None
    runs: Sequence[int] | None = None
    is_faint: bool = False


def history_figure(  # noqa: PLR0913 - what the axes are, keyword-only
    lines: Sequence[Line],
    *,
    x_title: str,
    y_title: str,
    x_log: bool = False,
    y_log: bool = False,
    title: str | None = None,
) -> Figure:
    """Lines over steps. NaN and infinities are crosses at the lower edge, with a word to each in the table.

    Means have a band of one standard deviation to either side.
    """
    x = Scale.over((value for each in lines for value in each.xs), start=64, end=_WIDTH - 14, is_log=x_log)
    y = Scale.over((value for each in lines for value in _reach(each)), start=_HEIGHT - 48, end=12, is_log=y_log)
    drawn = frame(x, y, x_title=x_title, y_title=y_title)
    free = looks(len(lines))
    told = [each.look or free[place] for place, each in enumerate(lines)]
    ordered = sorted(zip(lines, told, strict=True), key=lambda each: not each[0].is_faint)
    for each, look in ordered:
        drawn += [*_band(each, look, x, y), *_drawn(each, look, x, y)]
    for place, (each, look) in enumerate(ordered):
        drawn += _markers(each, look, x, y, place)
    bottom = _HEIGHT + 14
    named = [(each.name, look) for each, look in zip(lines, told, strict=True) if not each.is_faint]
    drawn += legend([(name, look.colour, look.dash) for name, look in named], x=64, y=bottom)
    drawn += [
        _marker(look, 75, bottom + 18 * place - 4) for place, (_, look) in enumerate(named) if look.marker is not None
    ]
    has_means = any(each.runs is not None for each in lines)
    rows = [
        (each.name, f"{across:.10g}", f"{value:.6g}", *(_told(each, place) if has_means else ()))
        for each in lines
        for place, (across, value) in enumerate(zip(each.xs, each.ys, strict=True))
    ]
    every = max(1, -(-len(rows) // _MOST_ROWS))
    return make_figure(
        title=title or f"{y_title} over {x_title}",
        description=f"{len(lines)} series, {len(rows)} points: " + "; ".join(each.name for each in lines),
        width=_WIDTH,
        height=bottom + 18 * len(named) - 6,
        content=drawn,
        heads=("series", x_title, y_title, *(("sd", "n") if has_means else ())),
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
                    stroke_width=0.75 if each.is_faint else 1.75,
                    stroke_opacity=0.6 if each.is_faint else None,
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


def _reach(each: Line) -> Iterator[float]:
    """All values that want a place: those of the line, and the edges of its band."""
    yield from each.ys
    for value, spread in zip(each.ys, each.spread or [None] * len(each.ys), strict=True):
        if spread is not None:
            yield value - spread
            yield value + spread


def _band(each: Line, look: Look, x: Scale, y: Scale) -> list[str]:
    """One standard deviation to either side of a mean, where there is one."""
    drawn: list[str] = []
    stretch: list[tuple[float, float, float]] = []
    if each.spread is None:
        return drawn
    for across, value, spread in [*zip(each.xs, each.ys, each.spread, strict=True), (0.0, 0.0, None)]:
        if spread is not None and x.holds(across) and y.holds(value + spread):
            low = value - spread
            stretch.append((x.at(across), y.at(value + spread), y.at(low) if y.holds(low) else y.start))
            continue
        if len(stretch) > 1:
            edge = [*((at, up) for at, up, _ in stretch), *((at, down) for at, _, down in reversed(stretch))]
            drawn.append(element("polygon", points=points(edge), fill=look.colour, fill_opacity=0.18))
        stretch = []
    return drawn


def _markers(each: Line, look: Look, x: Scale, y: Scale, place: int) -> list[str]:
    """The marker of a line now and then, at points of its own; lines side by side have theirs at other places."""
    if look.marker is None:
        return []
    drawn, least = [], x.start + place % 4 * _BETWEEN_MARKERS / 4
    for across, value in zip(each.xs, each.ys, strict=True):
        if x.holds(across) and y.holds(value) and x.at(across) >= least:
            drawn.append(_marker(look, x.at(across), y.at(value)))
            least = x.at(across) + _BETWEEN_MARKERS
    return drawn


def _marker(look: Look, across: float, down: float) -> str:
    return element(
        "path",
        d=look.marker,
        transform=f"translate({across:.2f} {down:.2f})",
        stroke=look.colour,
        stroke_width=1.5,
        fill=look.colour,
    )


def _told(each: Line, place: int) -> tuple[str, str]:
    """The spread and the number of runs of a point, as the table has them."""
    if each.runs is None or each.spread is None:
        return "", "1"
    spread = each.spread[place]
    return "" if spread is None else f"{spread:.3g}", str(each.runs[place])
