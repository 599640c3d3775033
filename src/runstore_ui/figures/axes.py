"""Where a value lies in a picture, and the lines and numbers around it."""

import math
from collections.abc import Iterable, Sequence
from typing import Final, Self

from msgspec import Struct

from runstore_ui.figures.svg import element, short, text

_GRID: Final = 0.15
_TICKS: Final = 6


class Scale(Struct, frozen=True, kw_only=True):
    """From values to pixels.

    Attributes:
        low: the value at ``start``.
        high: the value at ``end``.
        start: a pixel.
        end: a pixel.
        is_log: whether equal ratios have equal lengths.
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    @classmethod
    def over(cls, values: Iterable[float], *, start: float, end: float, is_log: bool = False) -> Self:
        """A scale for values, with room at both ends; what is not finite, or not above 0 on a log scale, is left out."""
        found = [value for value in values if math.isfinite(value) and (value > 0 or not is_log)]
        low, high = (min(found), max(found)) if found else (1.0, 10.0) if is_log else (0.0, 1.0)
        if is_log:
            room = (high / low) ** 0.04 if high > low else 2.0
            return cls(low=low / room, high=high * room, start=start, end=end, is_log=True)
        # Halves first: the distance of the two may be beyond what a float64 holds.
        room = (high / 2 - low / 2) * 0.08 or abs(high) * 0.1 or 0.5
        largest = math.nextafter(math.inf, 0)
        return cls(low=max(low - room, -largest), high=min(high + room, largest), start=start, end=end)

    def holds(self, value: float) -> bool:
        """Whether it has a place."""
        return math.isfinite(value) and (value > 0 or not self.is_log)

    def at(self, value: float) -> float:
        """The pixel of a value."""
        if self.is_log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        """Round values along the scale, with their texts."""
        if self.is_log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            step = max(1, math.ceil((last - first + 1) / _TICKS))
            found = [10.0**power for power in range(first, last + 1, step)]
            return [(value, f"{value:g}") for value in found or (self.low, self.high)]
        gap = _round_step((self.high / 2 - self.low / 2) / _TICKS * 2)
        first, last = math.ceil(self.low / gap), math.floor(self.high / gap)
        digits = max(0, -math.floor(math.log10(gap)))
        return [(place * gap, _told(place * gap, digits)) for place in range(first, last + 1)]


def frame(
    x: Scale, y: Scale, *, x_title: str, y_title: str, x_ticks: Sequence[tuple[float, str]] | None = None
) -> list[str]:
    """The grid, its numbers, and what the axes are."""
    left, right, bottom, top = x.start, x.end, y.start, y.end
    drawn = []
    for value, told in x.ticks() if x_ticks is None else x_ticks:
        place = x.at(value)
        drawn += [line(place, bottom, place, top, opacity=_GRID), label(told, place, bottom + 16, anchor="middle")]
    for value, told in y.ticks():
        place = y.at(value)
        drawn += [line(left, place, right, place, opacity=_GRID), label(told, left - 6, place + 4, anchor="end")]
    drawn.append(label(short(x_title, most=60), (left + right) / 2, bottom + 34, anchor="middle"))
    middle = (bottom + top) / 2
    drawn.append(label(short(y_title, most=40), 13, middle, anchor="middle", transform=f"rotate(-90 13 {middle:g})"))
    return drawn


def line(  # noqa: PLR0913 - two points and how it is drawn
    x1: float, y1: float, x2: float, y2: float, *, opacity: float = 1, dash: str | None = None
) -> str:
    """A straight line in the colour of the text."""
    return element(
        "line",
        x1=x1,
        y1=y1,
        x2=x2,
        y2=y2,
        stroke="currentColor",
        stroke_opacity=None if opacity == 1 else opacity,
        stroke_dasharray=dash,
    )


def label(  # noqa: PLR0913 - a text and where it stands
    words: str,
    x: float,
    y: float,
    *,
    anchor: str | None = None,
    transform: str | None = None,
    fill: str | None = None,
    weight: str | None = None,
    has_ground: bool = False,
) -> str:
    """A text. Its digits are all of one width."""
    return element(
        "text",
        text(words),
        x=x,
        y=y,
        text_anchor=anchor,
        transform=transform,
        fill=fill,
        font_weight=weight,
        # Lines behind a text stop before it: the ground's own colour lies around the letters.
        stroke="Canvas" if has_ground else None,
        stroke_width=3 if has_ground else None,
        paint_order="stroke" if has_ground else None,
        font_variant="tabular-nums",
    )


def legend(names: Sequence[tuple[str, str, str | None]], *, x: float, y: float) -> list[str]:
    """What each colour is, one below the other: name, colour, dash."""
    drawn = []
    for place, (name, colour, dash) in enumerate(names):
        height = y + 18 * place
        drawn.append(
            element(
                "line",
                x1=x,
                y1=height - 4,
                x2=x + 22,
                y2=height - 4,
                stroke=colour,
                stroke_width=2,
                stroke_dasharray=dash,
            )
        )
        drawn.append(label(short(name, most=48), x + 28, height))
    return drawn


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    return next((factor * power for factor in (1, 2, 5) if factor * power >= rough), 10 * power)


def _told(value: float, digits: int) -> str:
    if abs(value) >= 100_000 or digits > 5:  # noqa: PLR2004 - what a label has room for
        return f"{value:.3g}"
    return f"{value:.{digits}f}"
