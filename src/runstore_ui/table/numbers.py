"""Numbers of one column: as many digits as tell the rows apart, and how long the bar behind each is."""

import math
from collections.abc import Callable, Sequence
from typing import Final

_MOST_DECIMALS: Final = 6
_PLAIN: Final = (1e-3, 1e6)
"""Sizes of numbers that are written without an exponent."""
_LEAST_BAR: Final = 8
_TOLD_APART: Final = 0.9
"""Of different numbers: the last pair that is nearly equal must not cost all others their ease of reading."""


def number_texts(values: Sequence[float], *, least: int = 2) -> Callable[[float], str]:
    """How numbers of a column are written: all with the same decimals, and with no more than tell nearly all apart.

    Args:
        values: the column's.
        least: decimals that there are in any case.
    """
    finite = [value for value in values if math.isfinite(value)]
    sizes = [abs(value) for value in finite if value]
    if all(value == int(value) for value in finite) and all(size < _PLAIN[1] for size in sizes):
        return lambda value: f"{value:,.0f}" if math.isfinite(value) else _special(value)
    if sizes and (max(sizes) >= _PLAIN[1] or max(sizes) < _PLAIN[0] or min(sizes) < max(sizes) * _PLAIN[0]):
        return lambda value: f"{value:.4g}" if math.isfinite(value) else _special(value)
    told_apart = {float(f"{value:.{_MOST_DECIMALS}f}") for value in finite}
    decimals = next(
        (
            count
            for count in range(least, _MOST_DECIMALS)
            if len({f"{value:.{count}f}" for value in told_apart}) >= _TOLD_APART * len(told_apart)
        ),
        _MOST_DECIMALS,
    )
    return lambda value: f"{value:.{decimals}f}" if math.isfinite(value) else _special(value)


def bars(values: Sequence[float | None]) -> list[int | None]:
    """How long the bar behind each value is, from 8 to 100: the lowest of the column is short, the highest long."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if len(finite) < 2 or min(finite) == max(finite):  # noqa: PLR2004 - one value is no chart
        return [None] * len(values)
    low, high = min(finite), max(finite)
    span = high / 2 - low / 2  # halves: the difference of two finite numbers may be infinite
    return [
        None
        if value is None or not math.isfinite(value)
        else _LEAST_BAR + round((100 - _LEAST_BAR) * ((value / 2 - low / 2) / span))
        for value in values
    ]


def _special(value: float) -> str:
    return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
