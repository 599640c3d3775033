"""The tables of an export as CSV, for spreadsheets and for programs that read nothing else. They are not read back.

A spreadsheet takes a text that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and names come from whoever could write to the
store. Such a text has an apostrophe before it, as other programs write it for spreadsheets; a number has none.
"""

import csv
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from runstore.exporting.tables import ROW_TABLES, Tables
from runstore.model import from_microseconds
from runstore.moving.layout import POINT_COLUMNS, POINTS
from runstore.series import Columns, Series

_FORMULAS: Final = frozenset("=+-@＝＋－＠")  # noqa: RUF001 - the wide ones begin a formula where they are typed


class CsvTables(Tables):
    """A CSV file a table, in UTF-8, each with a line of names."""

    def __init__(self, folder: Path) -> None:
        """Makes the files, with the names of their columns."""
        super().__init__()
        self._writers: dict[str, Any] = {}
        with ExitStack() as opened:
            for table, columns in {**ROW_TABLES, POINTS: POINT_COLUMNS}.items():
                path = folder / f"{table}.csv"
                file = opened.enter_context(path.open("x", encoding="utf-8", newline=""))
                self._writers[table] = csv.writer(file)
                self._writers[table].writerow(columns)
            self._opened = opened.pop_all()

    def add(self, table: str, row: dict[str, Any]) -> None:
        """Writes a row; what is missing is empty, a time stands in ISO 8601, yes and no as JSON has them."""
        kinds = ROW_TABLES[table]
        self._writers[table].writerow(_text(row[name], kind) for name, kind in kinds.items())

    def add_points(self, run_id: str, series: Series, piece: Columns) -> None:
        """Writes a line a point, with all digits."""
        keys = [_plain(key) for key in (run_id, *series)]
        self._writers[POINTS].writerows(
            (*keys, step, value, from_microseconds(at).isoformat())
            for step, value, at in zip(piece.steps, piece.values, piece.logged_at_us, strict=True)
        )

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Closes the files."""
        self._opened.close()


def _text(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "time":
        return from_microseconds(value).isoformat()
    if kind == "text":
        return _plain(value)
    return str(value).lower() if kind == "flag" else value


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    if text.lstrip()[:1] not in _FORMULAS:
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
