"""Colours that everybody can tell apart, and dashes for who sees none."""

import hashlib
from typing import Final

from msgspec import Struct

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito's (2008), without black and yellow: all of them are seen on white and on black."""

DASHES: Final = (None, "6 3", "2 2", "8 3 2 3", "12 4")


class Look(Struct, frozen=True):
    """How a line is drawn.

    Attributes:
        colour: as SVG has it.
        dash: lengths of strokes and gaps; ``None`` for a whole line.
    """

    colour: str
    dash: str | None


def looks(count: int) -> list[Look]:
    """So many looks: first all colours, then all of them dashed."""
    return [Look(COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % len(DASHES)]) for i in range(count)]


def look_of(run_id: str) -> Look:
    """The look of a run: the same everywhere and always."""
    digest = hashlib.sha256(run_id.encode("utf-8", "surrogatepass")).digest()
    return Look(COLOURS[digest[0] % len(COLOURS)], DASHES[digest[1] % len(DASHES)])
