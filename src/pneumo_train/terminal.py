"""What a terminal shows while a command works: progress bars, and no notes of the libraries below."""

import logging
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


def quiet_lightning() -> None:
    """Lightning's notes about devices and its advertisements are not shown, its warnings are; matplotlib's are not.

    Lightning sets the level of its uppermost logger when it is imported, which may come later; those below keep theirs.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # a home that is missing or full is no matter of the user's
    for name in ("pytorch_lightning", "pytorch_lightning.utilities.rank_zero", "lightning_fabric.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.WARNING)
