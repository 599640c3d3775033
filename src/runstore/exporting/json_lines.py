"""The tables of an export as JSON, a line a row: for ``jq``, for JavaScript, and where pyarrow is not at hand."""

import math
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from runstore.exporting.tables import ROW_TABLES, Tables
from runstore.model import from_microseconds
from runstore.moving.layout import ENDINGS, NESTED, POINT_COLUMNS, POINTS
from runstore.series import Columns, Series

_POINTS_AT_ONCE: Final = 5_000
"""Lines that are joined before they are written."""


class JsonTables(Tables):
    """A file of JSON lines a table, in UTF-8."""

    def __init__(self, folder: Path) -> None:
        """Makes the files, in which nothing is yet."""
        super().__init__()
        self._files: dict[str, BinaryIO] = {}
        with ExitStack() as opened:
            for table in (*ROW_TABLES, POINTS):
                path = folder / f"{table}.{ENDINGS['json']}"
                self._files[table] = opened.enter_context(path.open("xb"))
            self._opened = opened.pop_all()
        self._encode = msgspec.json.Encoder().encode

    def add(self, table: str, row: dict[str, Any]) -> None:
        """Writes a line."""
        kinds = ROW_TABLES[table]
        shown = {name: _shown(row[name], name, kind) for name, kind in kinds.items()}
        self._files[table].write(self._encode(shown) + b"\n")

    def add_points(self, run_id: str, series: Series, piece: Columns) -> None:
        """Writes a line a point, with all digits."""
        keys = dict(zip(POINT_COLUMNS, (run_id, *series), strict=False))
        head = self._encode(keys)[:-1].decode()
        write = self._files[POINTS].write
        for begin in range(0, len(piece.steps), _POINTS_AT_ONCE):
            part = piece.part(begin, begin + _POINTS_AT_ONCE)
            lines = [
                f'{head},"step":{step},"value":{_number(value)},"logged_at":"{from_microseconds(at).isoformat()}"}}\n'
                for step, value, at in zip(part.steps, part.values, part.logged_at_us, strict=True)
            ]
            write("".join(lines).encode())

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Closes the files."""
        self._opened.close()


def _number(value: float) -> str:
    return repr(value) if value - value == 0.0 else f'"{value!r}"'


def _shown(value: Any, name: str, kind: str) -> Any:
    if value is None:
        return None
    if kind == "time":
        return from_microseconds(value).isoformat()
    if name in NESTED:
        return msgspec.Raw(value.encode())
    return str(value) if kind == "float" and not math.isfinite(value) else value
