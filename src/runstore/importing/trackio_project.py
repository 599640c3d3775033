"""One project of Trackio: a database of SQLite with a row of JSON for each call of ``log``."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec

from runstore.errors import SourceError
from runstore.importing.gathering import Point
from runstore.model import to_microseconds

_NEEDED: Final = frozenset({"id", "timestamp", "run_name", "step", "metrics"})
"""Columns of the table of metrics since the first release."""

_WORDS: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_OUTSIDE_US: Final = 2**62
"""A time that is none: it is told, and replaced, where the points are folded."""

_MOST_JSON: Final = 4 * 2**20
_MOST_DEPTH: Final = 32
_SYSTEM: Final = "system/"
_LEFT_OUT: Final = ("alerts", "traces", "run_artifact_links")


class Found(NamedTuple):
    """A run of a project.

    Attributes:
        id: its id; before Trackio 0.24 its name.
        name: its name.
        last_row: of the metrics; rows that are written later are read the next time.
    """

    id: str
    name: str
    last_row: int


class TrackioProject:
    """Reads one database, and writes nothing to it."""

    def __init__(self, path: Path) -> None:
        """Reads which columns there are.

        Raises:
            SourceError: the database cannot be read.
        """
        self.path = path
        self._tables: dict[str, set[str]] = {}
        with self._opened() as connection:
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                columns = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
                self._tables[table] = {name for (name,) in columns}

    @property
    def is_one(self) -> bool:
        """Whether the database is one of Trackio."""
        return self._tables.get("metrics", set()) >= _NEEDED

    def runs(self) -> list[Found]:
        """The runs, in the order in which they began."""
        key = self._key("metrics")
        with self._opened() as connection:
            rows = connection.execute(
                f"SELECT {key}, max(run_name), max(id), min(id) FROM metrics GROUP BY {key} ORDER BY 4"  # noqa: S608 - one of two names
            ).fetchall()
        return [Found(str(run), str(name), last) for run, name, last, _ in rows]

    def config(self, run: Found) -> dict[str, Any]:
        """What a run was given, with Trackio's own facts, which begin with ``_``."""
        if "configs" not in self._tables:
            return {}
        query = f"SELECT id, config FROM configs WHERE {self._key('configs')} = ? ORDER BY id"  # noqa: S608 - as above
        with self._opened() as connection:
            rows = connection.execute(query, (run.id,)).fetchall()
        return self._json(rows[-1][1], "configs", rows[-1][0]) if rows else {}

    def left_out(self, run: Found) -> dict[str, int]:
        """How many rows of a run stand in tables that are not brought."""
        counts = {}
        with self._opened() as connection:
            for table in _LEFT_OUT:
                if "run_id" in self._tables.get(table, ()):
                    query = f"SELECT count(*) FROM {table} WHERE run_id = ?"  # noqa: S608 - a name from above
                    (counts[table],) = connection.execute(query, (run.id,)).fetchone()
        return {table: count for table, count in counts.items() if count}

    def points(self, run: Found, no_numbers: "Counter[str]") -> Iterator[Point]:
        """The points of a run, by step; what is no number is counted by its key.

        Raises:
            SourceError: a row is none; names it.
        """
        query = (
            f"SELECT id, step, timestamp, CASE WHEN length(metrics) <= {_MOST_JSON} THEN metrics END "  # noqa: S608 - as above
            f"FROM metrics WHERE {self._key('metrics')} = ? AND id <= ? ORDER BY step, id"
        )
        with self._opened() as connection:
            for row, step, timestamp, text in connection.execute(query, (run.id, run.last_row)):
                if not isinstance(step, (int, float)) or step - step != 0:
                    raise SourceError(
                        f"{self.path}: table metrics, row {row}: the step is {step!r}, which is no number"
                    )
                at_us = _time_us(timestamp)
                for key, value in _numbers("", self._json(text, "metrics", row), no_numbers, 0):
                    yield key, step, value, at_us

    def readings(self, run: Found, start_us: int) -> Iterator[Point]:
        """The readings of the machine, at the second of the run."""
        if "system_metrics" not in self._tables:
            return
        key = self._key("system_metrics")
        query = f"SELECT id, timestamp, metrics FROM system_metrics WHERE {key} = ? ORDER BY timestamp, id"  # noqa: S608 - as above
        with self._opened() as connection:
            for row, timestamp, text in connection.execute(query, (run.id,)):
                at_us = _time_us(timestamp)
                if at_us == _OUTSIDE_US:
                    raise SourceError(
                        f"{self.path}: table system_metrics, row {row}: the time is {timestamp!r}, which is none"
                    )
                step = max(0, (at_us - start_us) // 1_000_000)
                for key, value in _numbers("", self._json(text, "system_metrics", row), Counter(), 0):
                    yield f"{_SYSTEM}{key}", step, value, at_us

    def _key(self, table: str) -> str:
        return "run_id" if "run_id" in self._tables[table] else "run_name"

    def _json(self, text: object, table: str, row: object) -> dict[str, Any]:
        try:
            value = _decoded(text)
        except (ValueError, RecursionError, TypeError) as error:
            raise SourceError(f"{self.path}: table {table}, row {row}: is no JSON: {error}") from error
        if not isinstance(value, dict):
            raise SourceError(f"{self.path}: table {table}, row {row}: is no mapping of names to values")
        return value

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(f"file:{quote(str(self.path.resolve()))}?mode=ro", uri=True)) as connection:
                yield connection
        except (sqlite3.Error, UnicodeDecodeError) as error:  # what SQLite says may itself be no UTF-8
            raise SourceError(f"{self.path}: is a database of SQLite that cannot be read: {error}") from error


def _decoded(text: object) -> Any:
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"found none, or one of over {_MOST_JSON} bytes")
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:  # older releases write NaN as Python does
        return json.loads(text)


def _numbers(prefix: str, value: dict[str, Any], others: "Counter[str]", depth: int) -> Iterator[tuple[str, float]]:
    """The numbers of a row; those in a mapping are named ``outer.inner``."""
    for name, each in value.items():
        key = f"{prefix}{name}"
        if isinstance(each, (bool, int, float)):
            yield key, _float(each)
        elif isinstance(each, str) and each in _WORDS:
            yield key, _WORDS[each]
        elif isinstance(each, dict) and "_type" not in each and depth < _MOST_DEPTH:
            yield from _numbers(f"{key}.", each, others, depth + 1)
        elif each is not None:
            others[key] += 1


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _time_us(text: object) -> int:
    """Microseconds of a time; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)  # type: ignore[arg-type]  # what is no text is told as none
    except (ValueError, TypeError):
        return _OUTSIDE_US
    try:
        return to_microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except OverflowError:
        return _OUTSIDE_US
