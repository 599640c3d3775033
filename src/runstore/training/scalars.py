"""One number, or one step, of whatever a program counts in."""

from typing import Any


def number_of(value: Any) -> float:
    """The value as a number: of Python, or of an array library, there also an array of one element.

    Raises:
        Exception: it is none; a stranger's ``__float__`` may raise anything.
    """
    if isinstance(value, (str, bytes)):
        raise TypeError("text is no number")
    item = getattr(value, "item", None)
    return float(value if item is None else item())  # of an array or a tensor of one element, with a gradient or not


def step_of(step: Any) -> Any:
    """The step, also where it was counted in floats or is a tensor; what is no whole number is left to the checks."""
    if type(step) is int:
        return step
    try:
        whole = int(step)
    except (TypeError, ValueError, OverflowError):
        return step
    return whole if whole == step else step
