r"""How the commands lay text out: tables for people, JSON for programs.

Text from a store may be anyone's, so it reaches the terminal as plain text: whatever would steer it (escape sequences,
characters that turn the direction of writing) is shown as its escape, such as ``\u202e``, and so is what the terminal's
encoding cannot show. Passwords in URLs are hidden.
"""

import json
import math
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TextIO

import click
import msgspec

from runstore.secrets import redact

LEAST_WIDTH = 40
"""Of a terminal, in characters: for a narrower one nothing is laid out."""

_GAP = "  "
_LONGEST_CUT = 40
"""Of a cell that may be cut: one long name must not move all columns."""

_SHORT_CUT = 16
_LEAST_CUT = 8
_BESIDE_ASCII = re.compile(r"[^\n\x20-\x7e]")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")


class Column(NamedTuple):
    """How a column behaves where there is too little room.

    Attributes:
        title: stands above it, in one line or two.
        may_be_cut: its cells are cut, with a mark, rather than go past the edge.
        goes: when it is left out altogether: the greatest number first, 0 never.
        is_number: its cells stand at the right.
        cuts_others: cells of others are cut as short as may be before it is left out.
    """

    title: str
    may_be_cut: bool = False
    goes: int = 0
    is_number: bool = False
    cuts_others: bool = False


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table with a line a row, as wide as the terminal; in a pipe or a file as wide as it needs to be.

    Returns:
        The titles of the columns for which there was no room.
    """
    cells = [[_one_line(cell) for cell in row] for row in rows]
    titles = [[_one_line(line) for line in column.title.split("\n")] for column in columns]
    height = max(map(len, titles))
    heads = [[title[line] if line < len(title) else "" for title in titles] for line in range(height)]
    widths = [
        min(
            max(map(display_width, (line[index] for line in [*heads, *cells]))),
            _LONGEST_CUT if column.may_be_cut else sys.maxsize,
        )
        for index, column in enumerate(columns)
    ]
    kept = list(range(len(columns)))
    room = terminal_width()
    if room:
        kept, widths = _fitted(columns, widths, room)
    heads = [head for head in heads if any(head[index] for index in kept)]
    for line in [*heads, ["-" * width for width in widths], *cells]:
        shown = [_padded(line[index], widths[index], at_right=columns[index].is_number) for index in kept]
        click.echo(_GAP.join(shown).rstrip())
    return [" ".join(titles[index]) for index in range(len(columns)) if index not in kept]


def _fitted(columns: Sequence[Column], widths: Sequence[int], room: int) -> tuple[list[int], list[int]]:
    """Which columns stay and how wide each is: first cells are cut, then columns go, then cells are cut further."""
    kept, fitted = list(range(len(columns))), list(widths)

    def excess() -> int:
        return sum(fitted[index] for index in kept) + len(_GAP) * (len(kept) - 1) - room

    def cut(least: int) -> None:
        for index in kept:
            if columns[index].may_be_cut:
                fitted[index] = max(min(fitted[index], least), fitted[index] - max(excess(), 0))

    cut(_SHORT_CUT)
    for index in sorted(kept, key=lambda index: -columns[index].goes):
        if columns[index].goes == 1 or columns[index].cuts_others:
            cut(_LEAST_CUT)
        if excess() > 0 and columns[index].goes:
            kept.remove(index)
    cut(_LEAST_CUT)
    for index in kept:  # what the last one to go has left free is for those that were cut
        if columns[index].may_be_cut:
            fitted[index] = min(widths[index], fitted[index] - min(excess(), 0))
    return kept, fitted


def print_facts(facts: Iterable[Sequence[str]], *, indent: int = 0) -> None:
    """Lines of a name and a value; a value is broken at blanks only, so that a path or an id stays whole."""
    shown = [(_one_line(name), plain_text(value)) for name, value in facts]
    width = max((display_width(name) for name, _ in shown), default=0)
    room = max(terminal_width() - indent - width - len(_GAP), LEAST_WIDTH // 2) if terminal_width() else 0
    for name, value in shown:
        first, *others = [line for part in value.split("\n") for line in _broken(part, room)]
        click.echo(f"{' ' * indent}{_padded(name, width)}{_GAP}{first}".rstrip())
        for line in others:
            click.echo(f"{' ' * (indent + width)}{_GAP}{line}".rstrip())


def print_line(text: str, *, err: bool = False, **style: Any) -> None:
    """A line of plain text, with click's styles where there is a terminal."""
    click.secho(plain_text(text, sys.stderr if err else sys.stdout), err=err, **style)


def print_json(value: Any) -> None:
    """JSON without NaN, which JSON lacks: non-finite numbers are the texts "nan", "inf" and "-inf"."""
    text = json.dumps(_shown(msgspec.to_builtins(value)), indent=2, ensure_ascii=False)
    click.echo(_escaped(text, sys.stdout))


def plain_text(text: str, stream: TextIO | None = None) -> str:
    """The text with everything unprintable but line ends as JSON's escapes, and without passwords of URLs."""
    return _escaped(redact(text), stream or sys.stdout)


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


def _escaped(text: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"

    def shown(found: re.Match[str]) -> str:
        character = found[0]
        return character if character.isprintable() and _can_write(character, encoding) else _escape(character)

    return _BESIDE_ASCII.sub(shown, text)


def _can_write(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()  # JSON counts in these
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _one_line(text: str) -> str:
    return plain_text(text).replace("\n", "\\n")


def _padded(text: str, width: int, *, at_right: bool = False) -> str:
    text = _cut(text, width)
    blanks = " " * (width - display_width(text))
    return blanks + text if at_right else text + blanks


def _cut(text: str, width: int) -> str:
    """The text, at most so many columns wide, with a mark where it was cut."""
    if display_width(text) <= width:
        return text
    mark = _escaped("…", sys.stdout)
    mark = mark if len(mark) == 1 else "..."
    taken, used = "", display_width(mark)
    for each in text:
        used += display_width(each)
        if used > width:
            break
        taken += each
    return f"{taken}{mark}"


def _broken(text: str, room: int) -> list[str]:
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


def _shown(value: Any) -> Any:
    """The value as JSON can hold it and as it may be shown."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, (list, tuple)) else value
