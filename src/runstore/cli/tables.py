r"""How the commands lay text out: tables for people, JSON for programs.

Text from a store may be anyone's, so it reaches the terminal as plain text: whatever would steer it (escape sequences,
characters that turn the direction of writing) is shown as its escape, such as ``\u202e``.
"""

import json
import math
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec
import texttable

_LEAST_WIDTH = 40
"""Of a table, in characters: in a narrower window its lines wrap, for columns of a character or two tell nothing."""

_BESIDE_ASCII = re.compile(r"[^\n\x20-\x7e]")


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table whose wide cells are folded to the terminal's width; where there is no terminal, nothing is folded."""
    table = texttable.Texttable(max_width=_width())
    table.set_deco(texttable.Texttable.HEADER)
    table.set_header_align(["l"] * len(titles))
    table.set_cols_dtype(["t"] * len(titles))  # text as it is: the library would write numbers its own way
    table.header([plain_text(title) for title in titles])
    for row in rows:
        table.add_row([plain_text(cell) for cell in row])
    for line in table.draw().split("\n"):
        click.echo(line.rstrip())


def print_line(text: str, **style: Any) -> None:
    """A line of plain text, with click's styles where there is a terminal."""
    click.secho(plain_text(text), **style)


def print_json(value: Any) -> None:
    """JSON without NaN, which JSON lacks: non-finite numbers are the texts "nan", "inf" and "-inf"."""
    click.echo(plain_text(json.dumps(_finite(msgspec.to_builtins(value)), indent=2, ensure_ascii=False)))


def plain_text(text: str) -> str:
    """The text with everything unprintable but line ends as JSON's escapes, which keeps JSON valid and equal."""
    return _BESIDE_ASCII.sub(lambda found: found[0] if found[0].isprintable() else _escape(found[0]), text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()  # JSON counts in these
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _width() -> int:
    """The terminal's, or what ``COLUMNS`` says; 0, which is no bound, in a pipe or a file, where ids stay whole."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 0
    return max(shutil.get_terminal_size().columns, _LEAST_WIDTH)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value
