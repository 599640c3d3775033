"""Options that several commands have, each word for word the same, and the examples below them.

It is imported with every command, so it imports nothing slow.
"""

from collections.abc import Callable
from enum import Enum
from functools import wraps
from typing import Any

import click

_Command = Callable[..., Any]


class Form(Enum):
    """How a list is printed."""

    TABLE = "table"
    """For people: as wide as the terminal, and as much as a person reads."""
    JSON = "json"
    CSV = "csv"


def examples(*commands: str) -> str:
    """The end of a command's help: commands that can be typed as they stand."""
    return "\n".join(["\b", "Examples:", *(f"  {command}" for command in commands)])


def store_option(command: _Command) -> _Command:
    """``--store URL``, the argument ``store``."""
    text = "The store's URL; by default RUNSTORE_URL, runstore.toml or pyproject.toml."
    return click.option("--store", metavar="URL", help=text)(command)


def json_option(command: _Command) -> _Command:
    """``--json``, the argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def form_options(command: _Command) -> _Command:
    """``--json`` and ``--csv``, together the argument ``form``."""

    @wraps(command)
    def formed(*, as_json: bool, as_csv: bool, **given: Any) -> Any:
        if as_json and as_csv:
            raise click.UsageError("--json and --csv exclude each other")
        return command(**given, form=Form.JSON if as_json else Form.CSV if as_csv else Form.TABLE)

    csv_option = click.option("--csv", "as_csv", is_flag=True, help="Print CSV for spreadsheets and programs.")
    return json_option(csv_option(formed))
