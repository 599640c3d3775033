"""Rounds of a federation by clients: shaded by a value, drop-outs as words."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from runstore_ui.figures.axes import label
from runstore_ui.figures.colours import COLOURS
from runstore_ui.figures.figure import Figure, make_figure
from runstore_ui.figures.svg import element, short, text

_LEFT: Final = 150.0
_TOP: Final = 34.0
_WIDE: Final = 58.0
_HIGH: Final = 28.0
_LARGE: Final = 100

Cell = float | str
"""A value, or a word such as ``"late"``."""


def rounds_figure(
    numbers: Sequence[int],
    clients: Sequence[str],
    cells: Mapping[tuple[str, int], Cell],
    *,
    metric: str,
    title: str = "Rounds × clients",
) -> Figure:
    """A column a round, a row a client. A client that was not asked in a round has no cell there.

    Args:
        numbers: of the rounds, ascending.
        clients: their names.
        cells: by client and number.
        metric: what the values are.
        title: of the figure.
    """
    values = [cell for cell in cells.values() if isinstance(cell, float) and math.isfinite(cell)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    drawn = [
        label(str(number), _x(place) + _WIDE / 2, _TOP - 8, anchor="middle") for place, number in enumerate(numbers)
    ]
    rows = []
    for down, client in enumerate(clients):
        top = _TOP + down * _HIGH
        drawn.append(label(short(client, most=20), _LEFT - 8, top + 18, anchor="end"))
        told = [client]
        for place, number in enumerate(numbers):
            cell = cells.get((client, number))
            told.append("–" if cell is None else cell if isinstance(cell, str) else f"{cell:.6g}")
            if cell is not None:
                drawn += _drawn(cell, _x(place), top, low, high, f"{client}, round {number}: {told[-1]}")
        rows.append(told)
    out = sum(isinstance(cell, str) for cell in cells.values())
    return make_figure(
        title=title,
        description=f"{metric} of {len(clients)} clients in {len(numbers)} rounds, from {low:.4g} to {high:.4g}; {out} drop-outs",
        width=_LEFT + _WIDE * len(numbers) + 8,
        height=_TOP + _HIGH * len(clients) + 8,
        content=drawn,
        heads=("client", *(f"round {number}" for number in numbers)),
        rows=rows,
    )


def _x(place: int) -> float:
    return _LEFT + place * _WIDE


def _drawn(cell: Cell, left: float, top: float, low: float, high: float, told: str) -> list[str]:  # noqa: PLR0913, PLR0917 - a cell and where it lies
    middle = left + _WIDE / 2
    if isinstance(cell, str):
        box = element(
            "rect",
            element("title", text(told)),
            x=left + 1,
            y=top + 1,
            width=_WIDE - 2,
            height=_HIGH - 2,
            fill="none",
            stroke="currentColor",
            stroke_opacity=0.3,
            stroke_dasharray="3 3",
        )
        return [box, label(cell, middle, top + 18, anchor="middle")]
    share = (cell - low) / (high - low) if math.isfinite(cell) and high > low else 0.5
    box = element(
        "rect",
        element("title", text(told)),
        x=left + 1,
        y=top + 1,
        width=_WIDE - 2,
        height=_HIGH - 2,
        fill=COLOURS[0],
        fill_opacity=round(0.06 + 0.44 * share, 3) if math.isfinite(cell) else 0,
    )
    # As many decimals in each cell of usual figures, so that a row reads like a column of numbers.
    is_usual = max(abs(low), abs(high)) < _LARGE and math.isfinite(cell)
    return [box, label(f"{cell:.3f}" if is_usual else f"{cell:.4g}", middle, top + 18, anchor="middle")]
