"""A float64 as the pair that every database keeps: a finite number or NULL, and a small integer, its special.

MySQL refuses NaN and infinities and loses the sign of -0.0; SQLite turns NaN into NULL (clause MET.3). NULL in the
number is exactly "not finite", which is also what filters and orders ask.
"""

import math
from typing import Final

FINITE: Final = 0
POSITIVE_INFINITY: Final = 1
NEGATIVE_INFINITY: Final = -1
NOT_A_NUMBER: Final = 2
NEGATIVE_ZERO: Final = 3

_BY_SPECIAL: Final = {
    POSITIVE_INFINITY: math.inf,
    NEGATIVE_INFINITY: -math.inf,
    NOT_A_NUMBER: math.nan,
    NEGATIVE_ZERO: -0.0,
}


def to_pair(value: float) -> tuple[float | None, int]:
    """The number (``None`` unless finite) and the special."""
    if value - value == 0.0:  # finite, and quicker than math.isfinite here
        return (0.0, NEGATIVE_ZERO) if value == 0.0 and math.copysign(1.0, value) < 0 else (value, FINITE)
    if value != value:  # noqa: PLR0124 - NaN is what differs from itself
        return None, NOT_A_NUMBER
    return None, POSITIVE_INFINITY if value > 0 else NEGATIVE_INFINITY


def from_pair(number: float | None, special: int | None) -> float:
    """The float64 that a pair stands for."""
    if special:
        return _BY_SPECIAL[special]
    if number is None:
        message = f"no number and the special {special!r}: the row was not written by runstore"
        raise ValueError(message)
    return float(number)
