"""ROC and precision-recall curves."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from runstore_ui.evaluation import CurvePoint
from runstore_ui.figures.axes import Scale, frame, legend, line
from runstore_ui.figures.colours import looks
from runstore_ui.figures.figure import Figure, make_figure
from runstore_ui.figures.svg import element, points

_SIZE: Final = 340.0
_LEFT: Final = 52.0
_TOP: Final = 12.0
_MOST_ROWS: Final = 100


class Curve(Struct, frozen=True, kw_only=True):
    """A curve with its name, and where on it a threshold lies.

    Attributes:
        name: as the legend has it, with the area.
        points: from left to right.
        mark: the point of the threshold; ``None`` for none.
    """

    name: str
    points: Sequence[CurvePoint]
    mark: tuple[float, float] | None = None


def roc_figure(curves: Sequence[Curve], *, title: str = "ROC curve") -> Figure:
    """The true positive rate over the false positive rate; the diagonal is what chance does."""
    return _figure(curves, title, x_title="1 \u2212 specificity", y_title="sensitivity", is_roc=True, chance=None)


def precision_figure(
    curves: Sequence[Curve], *, prevalence: float | None, title: str = "Precision and recall"
) -> Figure:
    """The precision over the recall; the dashed line is what chance does."""
    return _figure(curves, title, x_title="recall", y_title="precision", is_roc=False, chance=prevalence)


def _figure(  # noqa: PLR0913 - one for both kinds
    curves: Sequence[Curve], title: str, *, x_title: str, y_title: str, is_roc: bool, chance: float | None
) -> Figure:
    x = Scale(low=0, high=1, start=_LEFT, end=_LEFT + _SIZE - 70)
    y = Scale(low=0, high=1, start=_TOP + _SIZE - 70, end=_TOP)
    drawn = frame(x, y, x_title=x_title, y_title=y_title)
    if is_roc:
        drawn.append(line(x.at(0), y.at(0), x.at(1), y.at(1), opacity=0.5, dash="4 4"))
    elif chance is not None:
        drawn.append(line(x.at(0), y.at(chance), x.at(1), y.at(chance), opacity=0.5, dash="4 4"))
    told = looks(len(curves))
    for curve, look in zip(curves, told, strict=True):
        path = points((x.at(point.x), y.at(point.y)) for point in curve.points)
        drawn.append(
            element(
                "polyline", points=path, fill="none", stroke=look.colour, stroke_width=2, stroke_dasharray=look.dash
            )
        )
        if curve.mark:
            drawn.append(
                element(
                    "circle",
                    cx=x.at(curve.mark[0]),
                    cy=y.at(curve.mark[1]),
                    r=5,
                    fill=look.colour,
                    stroke="currentColor",
                )
            )
    bottom = y.start + 56
    drawn += legend(
        [(curve.name, look.colour, look.dash) for curve, look in zip(curves, told, strict=True)], x=_LEFT, y=bottom
    )
    return make_figure(
        title=title,
        description=f"{y_title} over {x_title}: " + ("; ".join(curve.name for curve in curves) or "no cases"),
        width=_SIZE,
        height=bottom + 18 * len(curves) - 6,
        content=drawn,
        heads=("curve", x_title, y_title, "threshold"),
        rows=[row for curve in curves for row in _rows(curve)],
        left_out="; ".join(
            f"{_MOST_ROWS} of {len(curve.points):,} points" for curve in curves if len(curve.points) > _MOST_ROWS
        ),
    )


def _rows(curve: Curve) -> list[tuple[str, str, str, str]]:
    """As many points as one reads: evenly taken, with both ends."""
    count = len(curve.points)
    taken = min(count, _MOST_ROWS)
    places = [round(place * (count - 1) / max(taken - 1, 1)) for place in range(taken)]
    return [
        (
            curve.name,
            f"{point.x:.4f}",
            f"{point.y:.4f}",
            "–" if point.threshold is None else f"{point.threshold:.4g}",
        )
        for point in map(curve.points.__getitem__, places)
    ]
