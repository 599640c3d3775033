"""``runstore sql``."""

import sys
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click

from runstore.cli.options import Form, examples, form_options, store_option
from runstore.cli.output.programs import print_csv, print_json
from runstore.cli.output.tables import Column, print_facts, print_table
from runstore.cli.output.text import display_width, print_line, terminal_width
from runstore.opening import open_administration
from runstore.values.checks import check_text

_LIMIT = 1000
_LEAST = 16
"""Columns of a terminal that a text needs, cut as it may be."""
_GAP = 2


@click.command(
    "sql",
    epilog=examples(
        'runstore sql "SELECT status, count(*) FROM runs GROUP BY status"',
        'runstore sql "SELECT * FROM run_metrics" --limit 100000 --csv',
    ),
)
@click.argument("statement", metavar="STATEMENT")
@store_option
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=_LIMIT,
    show_default=True,
    help="How many rows at most.",
)
@form_options
def command(statement: str, *, store: str | None, limit: int, form: Form) -> None:
    """Ask a SQL database in its own language; it refuses whatever does not only read.

    STATEMENT is one SELECT, or - for what comes from stdin. For people the database has the views experiments, runs,
    run_configurations, run_metrics and run_artifacts.
    """
    with open_administration(store) as administration:
        text = (sys.stdin.read() if statement == "-" else statement).strip().removesuffix(";")
        found = administration.select(check_text(text, "STATEMENT", max_length=None), limit=limit)
    if form is Form.JSON:
        print_json([dict(zip(found.titles, map(_plain, row), strict=True)) for row in found.rows])
    elif form is Form.CSV:
        print_csv(found.titles, [[_plain(value) for value in row] for row in found.rows])
    elif not found.rows:
        print_line("No rows.")
    else:
        _print(found.titles, found.rows)
    if found.has_more:
        print_line(f"There are more rows; these are the first {len(found.rows):,}. --limit N gives more.", err=True)


def _print(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table, or where a terminal is too narrow for one, each row by itself."""
    cells = [["" if value is None else str(_plain(value)) for value in row] for row in rows]
    columns = [
        Column(
            title,
            may_be_cut="id" not in title and all(isinstance(row[index], (str, type(None))) for row in rows),
            is_number=all(isinstance(row[index], (int, float, Decimal, type(None))) for row in rows),
        )
        for index, title in enumerate(titles)
    ]
    least = sum(
        _LEAST if column.may_be_cut else max(display_width(text) for text in (column.title, *texts))
        for column, texts in zip(columns, zip(*cells, strict=True), strict=True)
    ) + _GAP * len(titles)
    if not terminal_width() or least <= terminal_width():
        print_table(columns, cells)
        return
    for number, row in enumerate(cells, start=1):
        print_line(f"row {number}", bold=True)
        print_facts(list(zip(titles, row, strict=True)), indent=2)


def _plain(value: Any) -> Any:
    """A driver's value as JSON and CSV have it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value if isinstance(value, (int, float, str, bool, type(None), list, dict)) else str(value)
