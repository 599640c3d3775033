"""Progress bars on a terminal, nothing elsewhere."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

Track = Callable[[Iterable[Any]], Iterable[Any]]


def track(description: str, *, shown: bool, on_stderr: bool = False) -> Track:
    """What wraps an iterable in a progress bar of this description, or leaves it as it is."""
    if not shown:
        return iter
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import track as rich_track  # noqa: PLC0415 - slow to import

    return partial(rich_track, description=description, transient=on_stderr, console=Console(stderr=on_stderr))
