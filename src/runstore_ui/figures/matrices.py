"""Which class is taken for which."""

from collections.abc import Sequence
from typing import Final

from runstore_ui.figures.axes import label
from runstore_ui.figures.colours import COLOURS
from runstore_ui.figures.figure import Figure, make_figure
from runstore_ui.figures.svg import element, short

_LEFT: Final = 120.0
_TOP: Final = 44.0
_CELL: Final = 84.0
_NARROW: Final = 52.0
_FEW: Final = 6
"""So many classes have wide cells; beyond, a dozen is to fit."""
_LOW: Final = 46.0
_NAMED: Final = 14


def matrix_figure(
    classes: Sequence[str], counts: Sequence[Sequence[float]], *, title: str = "Confusion matrix"
) -> Figure:
    """A row for what is true, a column for what it is taken for; shaded by the share of the row."""
    size = len(classes)
    cell, most = (_CELL, _NAMED) if size <= _FEW else (_NARROW, 6)
    drawn = [label("taken for", _LEFT + cell * size / 2, 14, anchor="middle"), label("true", 8, _TOP + 14)]
    rows = []
    for down, name in enumerate(classes):
        whole = sum(counts[down])
        top = _TOP + 8 + down * _LOW
        drawn.append(label(short(name, most=_NAMED), _LEFT - 8, top + _LOW / 2 + 4, anchor="end"))
        drawn.append(label(short(name, most=most), _LEFT + (down + 0.5) * cell, _TOP, anchor="middle"))
        for across, count in enumerate(counts[down]):
            share = count / whole if whole else 0.0
            left = _LEFT + across * cell
            drawn.append(
                element(
                    "rect",
                    x=left + 1,
                    y=top + 1,
                    width=cell - 2,
                    height=_LOW - 2,
                    fill=COLOURS[0] if across == down else COLOURS[1],
                    fill_opacity=round(0.05 + 0.4 * share, 3),
                )
            )
            middle = left + cell / 2
            weight = "bold" if across == down else None
            drawn.append(label(f"{count:,.10g}", middle, top + 20, anchor="middle", weight=weight))
            drawn.append(label(f"{share * 100:.1f} %", middle, top + 36, anchor="middle"))
            rows.append((name, classes[across], f"{count:.10g}", f"{share:.4f}"))
    right = sum(counts[place][place] for place in range(size))
    total = sum(map(sum, counts))
    return make_figure(
        title=title,
        description=f"{right:,.10g} of {total:,.10g} are taken for what they are",
        width=_LEFT + cell * size + 8,
        height=_TOP + 16 + _LOW * size,
        content=drawn,
        heads=("true", "taken for", "cases", "share of the true"),
        rows=rows,
    )
