"""What a command owes the terminal or pipe that it writes to: quiet when nobody reads on, escapes for what it cannot show."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

STOPPED_READING = 1
"""The exit status when nobody reads what is written, as Python's documentation has it and as click does."""


@contextmanager
def polite_output() -> Iterator[None]:
    """Around a command: what an encoding cannot show is escaped, and a reader that went away ends it without a word.

    Raises:
        SystemExit: nobody reads what is written; with status 1.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # replaced by a program's own object
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        try:
            yield
        finally:
            flush(sys.stdout.flush)
    except BrokenPipeError:
        _write_to_nobody()
        raise SystemExit(STOPPED_READING) from None


def flush(write_out: Callable[[], None]) -> None:
    """Writes out what waits; where the stream is closed there is nothing to write to."""
    with suppress(ValueError, AttributeError):
        write_out()


def _write_to_nobody() -> None:
    """What the interpreter still flushes at its end goes nowhere, for it would complain."""
    nobody = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(nobody, stream.fileno())
