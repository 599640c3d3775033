"""The table of runs as values: which columns there are, what each cell says, and what stands below what."""

from runstore_ui.table.columns import (
    Column,
    Facts,
    Value,
    asked_columns,
    best_column,
    default_columns,
    field_of,
    settings_of,
    value_of,
)
from runstore_ui.table.completing import Completion, Offer, complete
from runstore_ui.table.csv import csv_lines
from runstore_ui.table.misreading import Misreading, misreading
from runstore_ui.table.numbers import number_texts
from runstore_ui.table.rows import SHAPES, WORDS, Cell, Head, Row, Table, tabulate
from runstore_ui.table.runs import PAGE, Found, configs_of, experiment_of, find_runs

__all__ = [
    "PAGE",
    "SHAPES",
    "WORDS",
    "Cell",
    "Column",
    "Completion",
    "Facts",
    "Found",
    "Head",
    "Misreading",
    "Offer",
    "Row",
    "Table",
    "Value",
    "asked_columns",
    "best_column",
    "complete",
    "configs_of",
    "csv_lines",
    "default_columns",
    "experiment_of",
    "field_of",
    "find_runs",
    "misreading",
    "number_texts",
    "settings_of",
    "tabulate",
    "value_of",
]
