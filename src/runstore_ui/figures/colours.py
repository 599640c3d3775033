"""Colours that everybody can tell apart, and dashes for who sees none."""

import hashlib
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito's (2008), without black and yellow: all of them are seen on white and on black."""

DASHES: Final = (None, "6 3", "2 2", "8 3 2 3", "12 4", "12 3 2 3 2 3", "3 6")

MARKERS: Final = (
    "M-4 -4h8v8h-8z",
    "M0 -5l5 9h-10z",
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "M0 -6l5 6l-5 6l-5 -6z",
    "M0 5l5 -9h-10z",
    "M-4 -4l8 8m0 -8l-8 8",
    "M-5 0h10m-5 -5v10",
    "M-4 -4h8l-8 8h8z",
)
"""Shapes around a point of the line, as the path of SVG and of a canvas."""


class Look(Struct, frozen=True):
    """How a line is drawn.

    Attributes:
        colour: as SVG has it.
        dash: lengths of strokes and gaps; ``None`` for a whole line.
        marker: the path of a shape that stands on the line now and then; ``None`` for none.
    """

    colour: str
    dash: str | None
    marker: str | None = None


def looks(count: int) -> list[Look]:
    """So many looks: first all colours, then all of them dashed."""
    return [Look(COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % len(DASHES)]) for i in range(count)]


def look_of(run_id: str) -> Look:
    """The colour and the dash of a run: the same everywhere and always."""
    digest = hashlib.sha256(run_id.encode("utf-8", "surrogatepass")).digest()
    return Look(COLOURS[digest[0] % len(COLOURS)], DASHES[digest[1] % len(DASHES)])


def looks_of(run_ids: Sequence[str]) -> list[Look]:
    """The looks of runs that stand side by side, told apart.

    Colour and dash are those that each has everywhere. Of runs that have the same of both, the one with the lowest id has
    nothing more, and each other one has a marker of its own.
    """
    places: dict[Look, int] = {}
    found: dict[str, Look] = {}
    for run_id in sorted(set(run_ids)):
        look = look_of(run_id)
        place = places.get(look, 0)
        places[look] = place + 1
        marker = MARKERS[(place - 1) % len(MARKERS)] if place else None
        found[run_id] = Look(look.colour, look.dash, marker)
    return [found[run_id] for run_id in run_ids]
