"""``--watch``: a screen that is drawn again when what it shows has changed, until Ctrl-C."""

import io
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from typing import Final

import click

from runstore.cli.output.text import broken, plain_text
from runstore.errors import StoreUnavailableError
from runstore.texts import time_text, time_zone

WATCH_S: Final = 2.0
"""Seconds between two looks."""

_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_CLEAR: Final = "\x1b[2J"


class _Screen(io.StringIO):
    """What is printed, kept until it is whole; as wide and in the characters of the terminal behind it."""

    def __init__(self) -> None:
        super().__init__()
        self._behind = sys.stdout

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._behind.encoding or "utf-8"

    def isatty(self) -> bool:
        return self._behind.isatty()


def watch(draw: Callable[[], None]) -> None:
    """Draws again and again; ends by Ctrl-C, which is no failure.

    On a terminal the screen is overwritten in place. In a pipe or a file, what changed is printed below what was there.

    Args:
        draw: prints the whole of what is shown; each call reads the store once more. What it says on stderr stands below.
    """
    shown = ""
    is_drawn = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    try:
        while True:
            text = _drawn(draw)
            if is_drawn:
                _overwrite(text, is_first=not shown)
            elif text != shown:
                click.echo(f"\n{text}" if shown else text, nl=False)
                sys.stdout.flush()
            shown = text
            time.sleep(WATCH_S)
    except KeyboardInterrupt:
        if is_drawn:
            click.echo("")


def _drawn(draw: Callable[[], None]) -> str:
    screen = _Screen()
    with redirect_stdout(screen), redirect_stderr(screen):
        try:
            draw()
        except StoreUnavailableError as error:  # it may come back, and then the screen does
            click.echo(plain_text(f"{' '.join(str(error).splitlines())}; trying again every {WATCH_S:g} s"))
    return screen.getvalue()


def _overwrite(text: str, *, is_first: bool) -> None:
    """The text from the top of the terminal, no longer than it is: what a window shows must not scroll away."""
    width, height = shutil.get_terminal_size()
    head = f"{time_text(datetime.now(UTC))} {time_zone()}, every {WATCH_S:g} s; Ctrl-C ends"
    lines = [part for line in (head, *text.splitlines()) for part in broken(line, width)]
    if len(lines) >= height:
        lines = [*lines[: height - 2], f"({len(lines) - height + 2} more lines: make the window higher)"]
    start = f"{_HOME}{_CLEAR}" if is_first else _HOME
    click.echo(start + "".join(f"{line}{_REST_OF_LINE}\n" for line in lines) + _REST_OF_SCREEN, nl=False)
    sys.stdout.flush()
