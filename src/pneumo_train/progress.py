"""Progress bars on a terminal, nothing elsewhere."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from rich.progress import track as rich_track

Track = Callable[[Iterable[Any]], Iterable[Any]]


def track(description: str, *, shown: bool) -> Track:
    """What wraps an iterable in a progress bar of this description, or leaves it as it is."""
    return partial(rich_track, description=description, transient=False) if shown else iter
