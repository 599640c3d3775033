"""Waiting for what must happen, with an end."""

import time
from collections.abc import Callable

_PATIENCE_S = 180.0


def wait_until(
    is_so: Callable[[], object], what: str, *, pause_s: float = 0.05, at_most_s: float = _PATIENCE_S
) -> None:
    """Returns once something is so; three minutes are too long for a machine however busy.

    Args:
        is_so: asked again and again, and once more when the time is over.
        what: is waited for, for the error.
        pause_s: between two questions.
        at_most_s: how long.

    Raises:
        AssertionError: it has not come; says what.
    """
    deadline = time.monotonic() + at_most_s
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {at_most_s:g} s in vain for {what}")
        time.sleep(pause_s)
