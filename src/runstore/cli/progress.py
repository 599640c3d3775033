"""How far something is that takes long: a bar on a terminal, and nothing anywhere else."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from runstore.moving import Outcome, Trouble


class Bar:
    """Counts what is done; shows it on a terminal."""

    def __init__(self, bar: "click._termui_impl.ProgressBar[int] | None", label: str) -> None:
        self._bar = bar
        self._label = label
        self._points = 0

    def sent(self, *, points: int = 0, files: int = 0, size: int = 0) -> None:
        """Shows how many points are in the store: one run may have very many."""
        del files, size
        self._points += points
        if self._bar is not None and points:
            self._bar.label = f"{self._label} ({self._points:,} points)"
            self._bar.update(0)
            self._bar.render_progress()

    def done(self, run_id: str, outcome: Outcome | None = None) -> None:
        """One run more is done."""
        del run_id, outcome
        if self._bar is not None:
            self._bar.update(1)

    def failed(self, trouble: Trouble) -> None:
        """Is told at the end, below the bar."""


@contextmanager
def progress(label: str, count: int) -> Iterator[Bar]:
    """A bar on stderr, if that is a terminal.

    Args:
        label: what is done.
        count: how many runs there are.
    """
    if not (sys.stderr.isatty() and count):
        yield Bar(None, label)
        return
    with click.progressbar(length=count, label=label, show_pos=True, file=sys.stderr) as bar:
        yield Bar(bar, label)
