"""One number, or one step, of whatever a program counts in."""

from typing import Any


def number_of(value: Any) -> float:
    """The value as a number.

    Raises:
        Exception: it is none; a stranger's ``__float__`` may raise anything.
    """
    if isinstance(value, (str, bytes)):
        raise TypeError("text is no number")
    return float(value)


def step_of(step: Any) -> Any:
    """The step, also where it was counted in floats or is a tensor; what is no whole number is left to the checks."""
    if type(step) is int:
        return step
    try:
        whole = int(step)
    except (TypeError, ValueError, OverflowError):
        return step
    return whole if whole == step else step
