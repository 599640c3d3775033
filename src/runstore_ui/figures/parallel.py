"""Parallel coordinates: an axis a column, a line a run."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from runstore_ui.figures.axes import Scale, label, line
from runstore_ui.figures.colours import Look, looks
from runstore_ui.figures.figure import Figure, make_figure
from runstore_ui.figures.svg import element, points, short, text

_GAP: Final = 150.0
_TOP: Final = 44.0
_BOTTOM: Final = 280.0
_SIDE: Final = 100.0
_MOST_TEXTS: Final = 12


class ParallelAxis(Struct, frozen=True, kw_only=True):
    """One column: a value for each run; a number, a text, or ``None`` where the run lacks it.

    Attributes:
        title: what it is.
        values: one for each run.
        is_log: whether equal ratios have equal lengths.
    """

    title: str
    values: Sequence[float | str | None]
    is_log: bool = False


def parallel_figure(
    names: Sequence[str],
    axes: Sequence[ParallelAxis],
    *,
    drawn_as: Sequence[Look] | None = None,
    title: str = "Parallel coordinates",
) -> Figure:
    """A line a run, from axis to axis; where a run lacks a value, or has NaN, its line has a gap."""
    drawn: list[str] = []
    written: list[str] = []
    places: list[list[float | None]] = []
    for number, axis in enumerate(axes):
        across = _SIDE + number * _GAP
        drawn += [
            line(across, _TOP, across, _BOTTOM, opacity=0.4),
            label(short(axis.title, most=20), across, 20, anchor="middle"),
        ]
        place, marks = _places(axis)
        places.append(place)
        for down, told in marks:
            written.append(label(short(told, most=14), across - 5, down + 4, anchor="end", has_ground=True))
    styles = drawn_as or looks(len(names))
    for run, (name, look) in enumerate(zip(names, styles, strict=True)):
        for stretch in _stretches([place[run] for place in places]):
            drawn.append(
                element(
                    "polyline",
                    element("title", text(name)),
                    points=points((_SIDE + number * _GAP, down) for number, down in stretch),
                    fill="none",
                    stroke=look.colour,
                    stroke_dasharray=look.dash,
                    stroke_width=1.5,
                    stroke_opacity=0.8,
                )
            )
    return make_figure(
        title=title,
        description=f"{len(names)} runs over {', '.join(axis.title for axis in axes)}",
        width=2 * _SIDE + _GAP * max(len(axes) - 1, 0),
        height=_BOTTOM + 16,
        content=[*drawn, *written],
        heads=("run", *(axis.title for axis in axes)),
        rows=[(name, *(_told(axis.values[run]) for axis in axes)) for run, name in enumerate(names)],
    )


def _places(axis: ParallelAxis) -> tuple[list[float | None], list[tuple[float, str]]]:
    """Where each value lies, and the marks along the axis. A column with a text in it is one of texts."""
    if any(isinstance(value, str) for value in axis.values):
        texts = sorted({_told(value) for value in axis.values if value is not None})
        gap = (_BOTTOM - _TOP) / max(len(texts), 1)
        at = {name: _BOTTOM - gap * (place + 0.5) for place, name in enumerate(texts)}
        every = max(1, -(-len(texts) // _MOST_TEXTS))
        marks = [(down, name) for place, (name, down) in enumerate(at.items()) if place % every == 0]
        return [None if value is None else at[_told(value)] for value in axis.values], marks
    numbers = [float(value) if value is not None else float("nan") for value in axis.values]
    scale = Scale.over(numbers, start=_BOTTOM, end=_TOP, is_log=axis.is_log)
    return [scale.at(value) if scale.holds(value) else None for value in numbers], [
        (scale.at(value), told) for value, told in scale.ticks()
    ]


def _stretches(places: list[float | None]) -> list[list[tuple[int, float]]]:
    found: list[list[tuple[int, float]]] = [[]]
    for number, down in enumerate(places):
        if down is None:
            found.append([])
        else:
            found[-1].append((number, down))
    return [stretch for stretch in found if len(stretch) > 1]


def _told(value: float | str | None) -> str:
    return "–" if value is None else value if isinstance(value, str) else f"{value:.6g}"
