"""Tables for people: as wide as the terminal, and no id is ever cut."""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import click

from runstore.cli.output.text import (
    LEAST_WIDTH,
    broken,
    display_width,
    one_line,
    padded,
    plain_text,
    print_line,
    terminal_width,
)

_GAP = "  "
_LONGEST_CUT = 40
"""Of a cell that may be cut: one long name must not move all columns."""

_SHORT_CUT = 16
_LEAST_CUT = 8


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


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, advice: str = "widen the window") -> None:
    """A table as :func:`lay_out` prints it; that there was no room for a column is said on stderr, with what to do."""
    say_left_out(lay_out(columns, rows), advice=advice)


def say_left_out(titles: Iterable[str], *, advice: str = "widen the window") -> None:
    """Says on stderr for which columns there was no room, each once, and what to do."""
    named = ", ".join(dict.fromkeys(titles))
    if named:
        print_line(f"No room for {named}: {advice}.", err=True)


def lay_out(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table with a line a row, as wide as the terminal; in a pipe or a file as wide as it needs to be.

    Returns:
        The titles of the columns for which there was no room, but for those that are empty.
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    titles = [[one_line(line) for line in column.title.split("\n")] for column in columns]
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
        shown = [padded(line[index], widths[index], at_right=columns[index].is_number) for index in kept]
        click.echo(_GAP.join(shown).rstrip())
    left_out = [index for index in range(len(columns)) if index not in kept]
    return [" ".join(titles[index]) for index in left_out if any(row[index] for row in cells)]


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
    shown = [(one_line(name), plain_text(value)) for name, value in facts]
    width = max((display_width(name) for name, _ in shown), default=0)
    room = max(terminal_width() - indent - width - len(_GAP), LEAST_WIDTH // 2) if terminal_width() else 0
    for name, value in shown:
        first, *others = [line for part in value.split("\n") for line in broken(part, room)]
        click.echo(f"{' ' * indent}{padded(name, width)}{_GAP}{first}".rstrip())
        for line in others:
            click.echo(f"{' ' * (indent + width)}{_GAP}{line}".rstrip())
