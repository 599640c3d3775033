"""What programs read: JSON and CSV."""

import csv
import io
import json
import math
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import click
import msgspec

from runstore.cli.output.text import escaped, plain_text
from runstore.secrets import redact

_CHUNK = 1 << 16
"""Characters of CSV that are gathered before they are written."""


def print_json(value: Any) -> None:
    """JSON without NaN, which JSON lacks: non-finite numbers are the texts "nan", "inf" and "-inf"."""
    click.echo(escaped(_indented(_shown(msgspec.to_builtins(value))), sys.stdout))


def print_csv(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """CSV with a line of titles.

    Numbers have all their digits, times are ISO 8601 in UTC, what is missing is empty. A text is as a terminal may show it:
    only what would steer one is escaped.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(map(_cell, titles))
    for row in rows:
        writer.writerow(map(_cell, row))
        if lines.tell() > _CHUNK:
            click.echo(lines.getvalue(), nl=False)
            lines.seek(0)
            lines.truncate()
    click.echo(lines.getvalue(), nl=False)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, datetime):
        return value.isoformat()
    text = value if isinstance(value, str) else json.dumps(_shown(value), separators=(",", ":"))
    return _plain_cell(text, sys.stdout.encoding)


@lru_cache(maxsize=4096)
def _plain_cell(text: str, encoding: str) -> str:  # noqa: ARG001 - what is plain depends on it
    """The text made plain, once for all rows that have it."""
    return plain_text(text, sys.stdout)


_redacted = lru_cache(maxsize=4096)(redact)
"""What many runs have alike is looked through once."""


_AS_IT_IS = frozenset({int, bool, type(None)})
"""Types whose values need no look, which saves a call for each."""


def _shown(value: Any) -> Any:
    """The value as JSON can hold it and as it may be shown."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _redacted(value)
    if isinstance(value, dict):
        return {key: item if type(item) in _AS_IT_IS else _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, (list, tuple)) else value


def _indented(value: Any) -> str:
    """As ``json.dumps(value, indent=2)``, in a third of the time: with an indent that goes without its C code."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        return msgspec.json.format(text, indent=2)
    except (
        UnicodeEncodeError
    ):  # a text with half a character, as an undecodable file name has; msgspec takes UTF-8 alone
        return json.dumps(value, indent=2, ensure_ascii=False)
