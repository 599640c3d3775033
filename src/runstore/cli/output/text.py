r"""Text for a terminal.

Text from a store may be anyone's, so it reaches the terminal as plain text: whatever would steer it (escape sequences,
characters that turn the direction of writing) is shown as its escape, such as ``\u202e``, and so is what the terminal's
encoding cannot show. Passwords in URLs are hidden.
"""

import os
import re
import shutil
import sys
import unicodedata
from typing import Any, TextIO

import click

from runstore.secrets import redact

LEAST_WIDTH = 40
"""Of a terminal, in characters: for a narrower one nothing is laid out."""

_BESIDE_ASCII = re.compile(r"[^\n\x20-\x7e]")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")


def print_line(text: str, *, err: bool = False, **style: Any) -> None:
    """A line of plain text, with click's styles where there is a terminal."""
    shown = plain_text(text, sys.stderr if err else sys.stdout)
    click.echo(click.style(shown, **style) if style else shown, err=err)


def plain_text(text: str, stream: TextIO | None = None) -> str:
    """The text with everything unprintable but line ends as JSON's escapes, and without passwords of URLs."""
    return escaped(redact(text), stream or sys.stdout)


def first_line(text: str) -> str:
    """The first line of a text that says something, without the codes that colour it."""
    lines = [line.strip() for line in without_colours(text).splitlines() if line.strip()]
    return lines[0] if lines else ""


def without_colours(text: str) -> str:
    """The text without terminal codes."""
    return _COLOURS.sub("", text)


def display_width(text: str) -> int:
    """How many columns of a terminal a text takes: Chinese characters two, accents that join a letter none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def terminal_width() -> int:
    """The terminal's, or what ``COLUMNS`` says; 0, which is no bound, in a pipe or a file."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 0
    return max(shutil.get_terminal_size().columns, LEAST_WIDTH)


def escaped(text: str, stream: TextIO) -> str:
    """The text with everything that a stream cannot show, or that would steer a terminal, as JSON's escapes."""
    encoding = stream.encoding or "utf-8"

    def shown(found: re.Match[str]) -> str:
        character = found[0]
        return character if character.isprintable() and can_write(character, encoding) else _escape(character)

    return _BESIDE_ASCII.sub(shown, text)


def can_show(text: str) -> bool:
    """Whether standard output has all characters of a text."""
    return can_write(text, sys.stdout.encoding or "utf-8")


def can_write(text: str, encoding: str) -> bool:
    """Whether an encoding has all characters of a text."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()  # JSON counts in these
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def one_line(text: str) -> str:
    """The plain text, with its line ends as escapes."""
    return plain_text(text).replace("\n", "\\n")


def padded(text: str, width: int, *, at_right: bool = False) -> str:
    """The text cut or filled up to so many columns."""
    text = cut(text, width)
    blanks = " " * (width - display_width(text))
    return blanks + text if at_right else text + blanks


def cut(text: str, width: int) -> str:
    """The text, at most so many columns wide, with a mark where it was cut."""
    if display_width(text) <= width:
        return text
    mark = escaped("…", sys.stdout)
    mark = mark if len(mark) == 1 else "..."
    taken, used = "", display_width(mark)
    for each in text:
        used += display_width(each)
        if used > width:
            break
        taken += each
    return f"{taken}{mark}"


def broken(text: str, room: int) -> list[str]:
    """The text in lines of at most ``room`` columns, broken at blanks; a longer word has a line of its own."""
    if not room or display_width(text) <= room:
        return [text]
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and display_width(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
