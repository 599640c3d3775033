"""Standard output and error that no command dies of, whatever terminal, pipe or disk is behind them."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_READER_LEFT = frozenset({errno.EPIPE, errno.ESHUTDOWN, errno.EBADF})


class Output:
    """What became of what a command printed.

    Attributes:
        trouble: why something that somebody waits for could not be written (a full disk), or ``None``. That the reader
            has left (``| head``) or that there is none (``>&-``) is no trouble.
    """

    def __init__(self) -> None:
        self.trouble: OSError | None = None


@contextmanager
def lasting_output() -> Iterator[Output]:
    r"""Standard output and error that never raise, as long as the block lasts.

    A character that the terminal cannot show is written as ``\u2022``. What cannot be written at all is left out: a
    command goes on to its end when the reader of its output has left, the terminal is gone or the disk is full, and may
    look at :attr:`Output.trouble` at the end. A stream that is closed from the start swallows what it is given.
    """
    output = Output()
    before = sys.stdout, sys.stderr
    errors = [getattr(stream, "errors", None) for stream in before]
    sys.stdout, sys.stderr = (_lasting(stream, output) for stream in before)
    try:
        yield output
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before
        for stream, how in zip(before, errors, strict=True):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors=how)


def _lasting(stream: TextIO | None, output: Output) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8", errors="backslashreplace")  # noqa: PTH123 - it takes the number that was closed
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.reconfigure(errors="backslashreplace")
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if not isinstance(raw, io.FileIO):
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_LastingFile(raw, output)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


class _LastingFile(io.RawIOBase):
    """A file that takes everything, and closes nothing."""

    def __init__(self, raw: io.FileIO, output: Output) -> None:
        super().__init__()
        self._raw = raw
        self._output = output

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def isatty(self) -> bool:
        return self._raw.isatty()

    def write(self, data: Any, /) -> int | None:
        try:
            return self._raw.write(data)
        except OSError as error:
            if error.errno not in _READER_LEFT:
                self._output.trouble = self._output.trouble or error
            return memoryview(data).nbytes
