"""A file ``metrics.csv``: a row of what was logged together, a column a metric, most fields empty, and the step in ``step``."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from runstore.errors import SourceError
from runstore.importing.gathering import Point, Spans
from runstore.importing.report import RunFindings, Told
from runstore.importing.source import opened_plainly

STEP: Final = "step"
_WORDS: Final = {"True": 1.0, "False": 0.0}
_MOST_COLUMNS: Final = 100_000
_MOST_LINE: Final = 16 * 2**20


class CsvMetrics:
    """Looked through when it is made, each row of it.

    Attributes:
        spans: what the steps of each column span.
    """

    def __init__(self, path: Path, found: RunFindings, *, time_us: int) -> None:
        """Looks through a file.

        Args:
            path: where it lies.
            found: what is told of the run.
            time_us: the time of each point: the file has none.

        Raises:
            SourceError: it is no such file, or a row is none; names the line.
        """
        self._path = path
        self._time_us = time_us
        self.spans = Spans()
        self._no_numbers: Counter[str] = Counter()
        self._size: int | None = None
        size = 0
        with opened_plainly(path) as file:
            for line in _lines(file, path):
                size += len(line)
            is_whole = file.tell() == size
        self._size = size
        for _, steps in self._read(counts=self._no_numbers):
            for key, step in steps:
                self.spans.take(key, step)
        if not is_whole:
            found.tell(Told.LINE_CUT, f"{path}: the last line is not whole and left out")
        for key, times in self._no_numbers.items():
            found.tell(Told.NO_NUMBERS, f"{times} × a text, which is left out", key=key, count=times)

    def points(self) -> Iterator[Point]:
        """The points, as much of the file as there was when it was looked through."""
        for values, steps in self._read(counts=Counter()):
            for (key, step), value in zip(steps, values, strict=True):
                yield key, step, value, self._time_us

    def _read(self, *, counts: Counter[str]) -> Iterator[tuple[list[float], list[tuple[str, int | float]]]]:
        """The values of each row, and the key and the step of each of them; what is no number is counted."""
        with opened_plainly(self._path) as file:
            lines = (line.decode("utf-8", "backslashreplace") for line in _lines(file, self._path, self._size))
            rows = csv.reader(lines, strict=True)
            try:
                columns = header_of(next(rows, []), self._path)
                place = columns.index(STEP)
                for row in rows:
                    yield self._row(row, columns, place, rows.line_num, counts)
            except csv.Error as error:
                raise SourceError(f"{self._path}:{rows.line_num}: is no row of CSV: {error}") from error

    def _row(
        self, row: list[str], columns: list[str], place: int, line: int, counts: Counter[str]
    ) -> tuple[list[float], list[tuple[str, int | float]]]:
        if len(row) != len(columns):
            raise SourceError(f"{self._path}:{line}: has {len(row)} fields, where the first line names {len(columns)}")
        step = _step(row[place])
        if step is None:
            raise SourceError(f"{self._path}:{line}: the step is {row[place][:80]!r}, which is no number")
        values: list[float] = []
        steps: list[tuple[str, int | float]] = []
        for index, text in enumerate(row):
            if not text or index == place:
                continue
            try:
                value = float(text)
            except ValueError:
                if text not in _WORDS:
                    counts[columns[index]] += 1
                    continue
                value = _WORDS[text]
            values.append(value)
            steps.append((columns[index], step))
        return values, steps


def header_of(row: list[str], path: Path) -> list[str]:
    """The names of the columns.

    Raises:
        SourceError: there is no step, or a name comes twice.
    """
    if STEP not in row:
        raise SourceError(f"{path}:1: no column is called {STEP!r}, so it is no file of Lightning's CSVLogger")
    if len(set(row)) < len(row) or len(row) > _MOST_COLUMNS:
        raise SourceError(f"{path}:1: a column comes twice, or there are over {_MOST_COLUMNS}")
    return row


def _step(text: str) -> int | float | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        step = float(text)
        return int(step) if step.is_integer() else step if step - step == 0 else None
    except ValueError:
        return None


def _lines(file: BinaryIO, path: Path, size: int | None = None) -> Iterator[bytes]:
    """The whole lines, up to a size."""
    read = 0
    while (size is None or read < size) and (line := file.readline(_MOST_LINE)).endswith(b"\n"):
        read += len(line)
        yield line
    if size is None and len(line) == _MOST_LINE:
        raise SourceError(f"{path}: has a line of over {_MOST_LINE} bytes, at byte {read}")
