"""Calibration: what share of the cases of a probability is positive."""

from typing import Final

from runstore_ui.evaluation import Reliability
from runstore_ui.figures.axes import Scale, frame, line
from runstore_ui.figures.colours import COLOURS
from runstore_ui.figures.figure import Figure, make_figure
from runstore_ui.figures.svg import element, points

_LEFT: Final = 52.0
_SIDE: Final = 270.0
_BARS: Final = 40.0


def reliability_figure(found: Reliability, *, title: str = "Calibration") -> Figure:
    """The share over the mean probability of each part, its interval, and below how many cases it has."""
    x = Scale(low=0, high=1, start=_LEFT, end=_LEFT + _SIDE)
    y = Scale(low=0, high=1, start=12 + _SIDE, end=12)
    drawn = frame(x, y, x_title="mean probability", y_title="share that is positive")
    drawn.append(line(x.at(0), y.at(0), x.at(1), y.at(1), opacity=0.5, dash="4 4"))
    for each in found.bins:
        if each.interval:
            place = x.at(each.mean_score)
            drawn.append(
                element(
                    "line",
                    x1=place,
                    x2=place,
                    y1=y.at(each.interval.low),
                    y2=y.at(each.interval.high),
                    stroke=COLOURS[0],
                )
            )
    path = [(x.at(each.mean_score), y.at(each.share)) for each in found.bins]
    drawn.append(element("polyline", points=points(path), fill="none", stroke=COLOURS[0], stroke_width=2))
    drawn += [element("circle", cx=across, cy=down, r=3.5, fill=COLOURS[0]) for across, down in path]
    bottom = y.start + 48 + _BARS
    most = max(each.count for each in found.bins)
    for each in found.bins:
        high = _BARS * each.count / most
        drawn.append(
            element(
                "rect",
                x=x.at(each.low) + 1,
                y=bottom - high,
                width=x.at(each.high) - x.at(each.low) - 2,
                height=high,
                fill="currentColor",
                fill_opacity=0.35,
            )
        )
    drawn.append(line(x.start, bottom, x.end, bottom, opacity=0.5))
    return make_figure(
        title=title,
        description=f"ECE {found.expected_error:.4f}, Brier score {found.brier:.4f}; bars below: cases of each part",
        width=_LEFT + _SIDE + 18,
        height=bottom + 6,
        content=drawn,
        heads=("probability", "cases", "mean probability", "share positive", "95 % interval"),
        rows=[
            (
                f"{each.low:.2f}–{each.high:.2f}",
                f"{each.count:g}",
                f"{each.mean_score:.4f}",
                f"{each.share:.4f}",
                "–" if each.interval is None else f"{each.interval.low:.4f}–{each.interval.high:.4f}",
            )
            for each in found.bins
        ],
    )
