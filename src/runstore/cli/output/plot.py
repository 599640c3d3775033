"""A curve in the characters of a terminal: braille, eight dots in each, or stars where there is no braille."""

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from runstore.cli.output.text import can_show, display_width

_BRAILLE: Final = 0x2800
_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of a dot, by its row and column in a character."""

_STAR: Final = "*"
_LEAST_WIDTH: Final = 10


class _Canvas:
    """Dots, some of them set; the dot of row 0 stands at the bottom."""

    def __init__(self, *, width: int, height: int) -> None:
        """Takes the size in characters."""
        self._is_fine = can_show(chr(_BRAILLE + 0xFF) + "│└─")
        self._across, self._up = (2, 4) if self._is_fine else (1, 1)
        self._cells = [[0] * width for _ in range(height)]
        self.columns, self.rows = width * self._across, height * self._up

    def set(self, column: int, row: int) -> None:
        """Sets a dot."""
        from_top = self.rows - 1 - row
        bit = _DOTS[from_top % self._up][column % self._across] if self._is_fine else 1
        self._cells[from_top // self._up][column // self._across] |= bit

    def line(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Sets the dots between two of them, and both."""
        (left, low), (right, high) = start, end
        steps = max(abs(right - left), abs(high - low), 1)
        for step in range(steps + 1):
            self.set(round(left + (right - left) * step / steps), round(low + (high - low) * step / steps))

    def lines(self) -> list[str]:
        """The characters, from the top."""
        if self._is_fine:
            return ["".join(chr(_BRAILLE + bits) if bits else " " for bits in row) for row in self._cells]
        return ["".join(_STAR if bits else " " for bits in row) for row in self._cells]

    @property
    def axes(self) -> tuple[str, str, str]:
        """What the axes are drawn with: upright, corner, across."""
        return ("│", "└", "─") if self._is_fine else ("|", "+", "-")


class _Scale(NamedTuple):
    """Which dot a number is at."""

    least: float
    greatest: float
    dots: int

    def dot(self, value: float) -> int:
        share = (value / 2 - self.least / 2) / (
            self.greatest / 2 - self.least / 2
        )  # halves: their difference is finite
        return round(min(max(share, 0.0), 1.0) * (self.dots - 1))


def plotted(steps: Sequence[int], values: Sequence[float], *, width: int, height: int) -> list[str]:
    """The lines of a picture of the curve, the numbers at its axes included; empty where no value is finite.

    Args:
        steps: ascending.
        values: one for each step; the curve has a gap where one is not finite.
        width: of the picture, in columns.
        height: of the curve, in lines; the axis of steps takes two more.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return []
    least, greatest = min(finite), max(finite)
    texts = [f"{greatest:.4g}", f"{least:.4g}"]
    beside = max(map(display_width, texts)) + 1
    canvas = _Canvas(width=max(width - beside - 1, _LEAST_WIDTH), height=height)
    upright, corner, across = canvas.axes
    x_scale = _Scale(steps[0], steps[-1] if len(steps) > 1 else steps[0] + 1, canvas.columns)
    pad = 0.0 if least < greatest else abs(least) / 2 or 1.0  # a flat curve lies in the middle
    y_scale = _Scale(least - pad, greatest + pad, canvas.rows)
    for run in _unbroken(steps, values):
        dots = [(x_scale.dot(step), y_scale.dot(value)) for step, value in run]
        for start, end in zip(dots, dots[1:] or dots, strict=False):
            canvas.line(start, end)
    lines = canvas.lines()
    labels = {0: texts[0], height - 1: texts[1]} if least < greatest else {(height - 1) // 2: texts[0]}
    shown = [f"{labels.get(row, ''):>{beside - 1}} {upright}{line}".rstrip() for row, line in enumerate(lines)]
    room = len(lines[0])
    first, last = str(steps[0]), str(steps[-1])
    axis = f"{first}{last:>{room - len(first)}}" if len(steps) > 1 and len(first) + len(last) < room else first
    return [*shown, f"{'':>{beside}}{corner}{across * room}", f"{'':>{beside + 1}}{axis}"]


def _unbroken(steps: Sequence[int], values: Sequence[float]) -> Iterator[list[tuple[int, float]]]:
    """The points between those whose value is not finite."""
    run: list[tuple[int, float]] = []
    for step, value in zip(steps, values, strict=True):
        if math.isfinite(value):
            run.append((step, value))
        elif run:
            yield run
            run = []
    if run:
        yield run
