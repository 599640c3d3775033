"""The commands as their users meet them: in a process of their own, in a pipe or on a terminal."""

import fcntl
import inspect
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryDirectory

from click.testing import CliRunner, Result

from runstore.cli import app

RUNSTORE = [sys.executable, "-c", "import sys; from runstore.cli import main; sys.argv[0] = 'runstore'; main()"]


@cache
def _bytecode() -> "TemporaryDirectory[str]":
    """Where commands keep what they compile, if it must not lie beside the sources: to compile it each time takes longest."""
    return TemporaryDirectory(prefix="runstore-test-bytecode-")


def environment(*, columns: int | None = None, **more: str) -> dict[str, str]:
    """This process's environment for a command, as wide as said."""
    values = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | more
    if values.pop("PYTHONDONTWRITEBYTECODE", ""):
        values.setdefault("PYTHONPYCACHEPREFIX", _bytecode().name)
    return values if columns is None else values | {"COLUMNS": str(columns)}


def runstore(*arguments: str, columns: int | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """The command in a pipe."""
    return subprocess.run(
        [*RUNSTORE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment(columns=columns, **more),
        encoding="utf-8",
    )


@contextmanager
def terminal(*, columns: int, lines: int = 24) -> Iterator[tuple[int, int]]:
    """Our end of a terminal, and the end that a command writes to, which is closed once the command has it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def runstore_here(*arguments: str, text: str | None = None, columns: int | None = None) -> Result:
    """The command in this process, for many short tests; what it raises is the result's ``exception``.

    Args:
        arguments: the command's.
        text: what comes from stdin.
        columns: how wide the terminal is; by default there is none, and a table takes what it needs.
    """
    is_mixed = "mix_stderr" in inspect.signature(CliRunner).parameters  # of older releases, unless told otherwise
    runner = CliRunner(mix_stderr=False) if is_mixed else CliRunner()  # type: ignore[call-arg,unused-ignore]
    # A worker of the tests may have inherited a width.
    return runner.invoke(app, arguments, input=text, env={"COLUMNS": None if columns is None else str(columns)})


def runstore_on_a_terminal(*arguments: str, columns: int, **more: str) -> str:
    """What the command writes to a terminal of so many columns, its messages included."""
    with (
        terminal(columns=columns) as (ours, theirs),
        subprocess.Popen(
            [*RUNSTORE, *arguments], stdout=theirs, stderr=theirs, env=environment(columns=None, **more)
        ) as running,
    ):
        os.close(theirs)
        written = bytearray()
        while chunk := _read(ours):
            written += chunk
        assert running.wait() == 0, written
    return written.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 2**16)
    except OSError:  # so a terminal tells that nobody writes any more
        return b""
