"""The table of runs as values: which columns there are, what each cell says, and what stands below what."""

from runstore_ui.table.columns import Column, Value, asked_columns, default_columns, field_of
from runstore_ui.table.misreading import Misreading, misreading
from runstore_ui.table.rows import SHAPES, Cell, Head, Row, Table, tabulate
from runstore_ui.table.runs import Found, configs_of, experiment_of, find_runs

__all__ = [
    "SHAPES",
    "Cell",
    "Column",
    "Found",
    "Head",
    "Misreading",
    "Row",
    "Table",
    "Value",
    "asked_columns",
    "configs_of",
    "default_columns",
    "experiment_of",
    "field_of",
    "find_runs",
    "misreading",
    "tabulate",
]
