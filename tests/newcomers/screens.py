"""What a person sees of a mistake: the screen after a command, and the end of a traceback in Python."""

import gc
import io
import re
import shlex
import sys
from typing import Final, NamedTuple

import pytest

from runstore.cli import main

LINES: Final = 24
COLUMNS: Final = 80
"""Of the smallest terminal that anybody opens."""

_PYTHON: Final = re.compile(
    r"\w\(|\b(open_store|open_reader|start_run|resolve_run|search_runs|next_cursor|order_by|None|True|False)\b"
)


class Screen(NamedTuple):
    """What a command printed, and how it ended."""

    stdout: str
    stderr: str
    status: int


def typed(line: str) -> Screen:
    """What a command line says, typed in this process: ``runstore show @1``; a pipe is behind both streams."""
    words = shlex.split(line)
    assert words[0] == "runstore", line
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for name in ("stdout", "stderr")}
    garbage = gc.get_threshold()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", words)
        patch.setattr(sys, "stdin", io.StringIO())
        patch.setenv("COLUMNS", str(COLUMNS))
        for name, stream in streams.items():
            patch.setattr(sys, name, stream)
        try:
            main()
        except SystemExit as ended:
            status = ended.code or 0
        finally:
            gc.set_threshold(*garbage)
    assert isinstance(status, int)
    texts = []
    for stream in streams.values():
        stream.flush()
        buffer = stream.detach()
        assert isinstance(buffer, io.BytesIO)
        texts.append(buffer.getvalue().decode())
    return Screen(texts[0], texts[1], status)


def height(text: str) -> int:
    """How many lines of a terminal a text takes."""
    return sum(max(1, -(-len(line) // COLUMNS)) for line in text.splitlines())


def check_told(screen: Screen, *told: str, status: int) -> None:
    """What holds of every mistake on the command line: it is one screen, without a traceback, and speaks of commands."""
    assert screen.status == status, screen
    text = " ".join(screen.stderr.split())
    for each in told:
        assert each in text, screen.stderr
    assert "Traceback" not in screen.stderr
    assert height(screen.stderr) <= LINES, screen.stderr
    assert _PYTHON.search(_without_help(screen.stderr)) is None, screen.stderr


def _without_help(text: str) -> str:
    """What was said but for the usage of click, and the one call that helps anybody."""
    text = text.replace("urllib.parse.quote(password, safe='')", "")  # is a tool for people with Python at hand
    return "\n".join(
        line for line in text.splitlines() if not line.startswith(("Usage:", "Try ", "As in: runstore sql"))
    )
