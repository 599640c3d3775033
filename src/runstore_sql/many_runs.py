"""Configs and summaries of many runs at once: tens of thousands of series, so they come straight from the driver.

No driver gives a row of 17 columns in less than 2 µs, PyMySQL's takes 20. So a run's series come as few packed columns
from PostgreSQL and MySQL, and SQLite calls a function of ours for each series, which takes a third of fetching its row.
"""

import json
import sqlite3
import struct
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, Final

import msgspec

from runstore.model import DatasetType, SeriesSummary
from runstore_sql.packets import room_in
from runstore_sql.schema import SUMMARY_COLUMNS
from runstore_sql.summary_rows import DATASET_TYPES, summary_of

Summaries = dict[str, tuple[SeriesSummary, ...]]
"""By run id, each run's in the order of name and dataset type."""

_AMONG: Final[dict[str, tuple[str, Callable[[Sequence[str]], Any]]]] = {
    "sqlite": ("IN (SELECT value FROM json_each(?))", json.dumps),
    "postgresql": ("= ANY(%s)", list),
    "mysql": ("IN %s", tuple),
}
"""How each dialect asks for many ids with one parameter."""

_REALS: Final = [column for column in SUMMARY_COLUMNS if column.endswith("_value")]
_MARKS: Final = [column for column in SUMMARY_COLUMNS if column.endswith("_special")]
_WHOLES: Final = [column for column in SUMMARY_COLUMNS if column not in {*_REALS, *_MARKS}]
_PLACES: Final = [(*_WHOLES, *_MARKS, *_REALS).index(column) for column in SUMMARY_COLUMNS]
"""Where each column of a summary stands among the packed ones."""

_FROM: Final = "FROM runstore_run r LEFT JOIN runstore_series s ON s.run_pk = r.pk WHERE r.id"

_SQLITE_SUMMARIES: Final = f"""
    SELECT count(runstore_take_series(r.id, s.name, s.dataset_type, {", ".join(f"s.{c}" for c in SUMMARY_COLUMNS)}))
    {_FROM} {_AMONG["sqlite"][0]}"""

# What is NULL (a value that is not finite, the extremes of such values alone) is packed as 0 and never looked at.
_POSTGRESQL_SUMMARIES: Final = f"""
    SELECT r.id, string_agg(s.name, E'\\n'), string_agg(s.dataset_type, E'\\n'),
        array_send(array_agg(ARRAY[{", ".join(f"coalesce(s.{column}, 0)::bigint" for column in (*_WHOLES, *_MARKS))}])),
        array_send(array_agg(ARRAY[{", ".join(f"coalesce(s.{column}, 0)" for column in _REALS)}]))
    {_FROM} {_AMONG["postgresql"][0]} GROUP BY r.pk"""
_ARRAY_HEADER: Final = 28
"""Bytes before the items of an array of two dimensions; each item has its length, 4 bytes, before it."""

# Texts of float64 take the server longer than all else together; as coordinates of points they are eight bytes each.
_MYSQL_PACKED: Final = [
    "GROUP_CONCAT(s.name SEPARATOR '\n')",
    "GROUP_CONCAT(s.dataset_type SEPARATOR '\n')",
    "GROUP_CONCAT({} SEPARATOR '')".format(
        ", ".join(
            f"ST_AsBinary(Point(IFNULL(s.{x}, 0), IFNULL(s.{y}, 0)))"
            for x, y in zip(_REALS[::2], _REALS[1::2], strict=True)
        )
    ),
    "GROUP_CONCAT({})".format(
        " | ".join(f"(IFNULL(s.{column}, 0) & 7) << {3 * place}" for place, column in enumerate(_MARKS))
    ),
    *(f"GROUP_CONCAT(IFNULL(s.`{column}`, 0))" for column in _WHOLES),
]
_MOST_SERIES: Final = 1000
_LONGEST_SERIES: Final = 1500
"""Bytes of a series in a packed row: a name takes up to 1 kB, all else some 300. A row must fit into a server's packet."""
_PART: Final = "@part"
"""Stands in the statements for how many series a packed row may have."""
_MYSQL_SUMMARIES: Final = f"""
    SELECT r.id, COUNT(s.pk), {", ".join(f"IF(COUNT(s.pk) > {_PART}, NULL, {packed})" for packed in _MYSQL_PACKED)}
    {_FROM} {_AMONG["mysql"][0]} GROUP BY r.id"""
_MYSQL_WIDE_SUMMARIES: Final = f"""
    SELECT r.id, COUNT(s.pk), {", ".join(_MYSQL_PACKED)}
    {_FROM} {_AMONG["mysql"][0]} GROUP BY r.id, s.pk DIV {_PART}"""
"""The same in parts; the server sorts all rows for it."""

_INTEGERS: Final = msgspec.json.Decoder(list[int])
_IDENTITY: Final = attrgetter("name", "dataset_type")


class ManyRuns:
    """Reads for one dialect, on a connection of its driver. An unknown run is left out."""

    def __init__(self, dialect: str) -> None:
        """Spells the statements once."""
        among, self._parameter = _AMONG[dialect]
        self._is_binary = dialect == "postgresql"
        self._documents = f"""
            SELECT r.id, c.document FROM runstore_run r LEFT JOIN runstore_config c ON c.run_pk = r.pk
            WHERE r.id {among}"""  # noqa: S608 - our own text
        self._summaries = {
            "sqlite": self._taken_summaries,
            "postgresql": self._array_summaries,
            "mysql": self._concatenated_summaries,
        }[dialect]

    def documents(self, run_ids: Sequence[str], connection: Any) -> dict[str, str | None]:
        """The encoded config of each run; ``None`` where none was logged."""
        return dict(self._rows(connection, self._documents, run_ids))

    def summaries(self, run_ids: Sequence[str], connection: Any) -> Summaries:
        """The summaries of each run's series, ordered by name, then dataset type."""
        return self._summaries(run_ids, connection)

    def _taken_summaries(self, run_ids: Sequence[str], connection: Any) -> Summaries:
        found: dict[str, list[SeriesSummary]] = {}
        failed: list[BaseException] = []

        def take(run_id: str, name: str | None, dataset_type: str, *columns: Any) -> None:
            try:
                listed = found.get(run_id)
                if listed is None:
                    listed = found[run_id] = []
                if name is not None:
                    listed.append(summary_of(name, DATASET_TYPES[dataset_type], *columns))
            except BaseException as error:  # a Ctrl-C too: the driver would make an error of its own of it
                failed.append(error)
                raise

        create_function = partial(connection.create_function, "runstore_take_series", 3 + len(SUMMARY_COLUMNS))
        create_function(take)
        try:
            list(self._rows(connection, _SQLITE_SUMMARIES, run_ids))
        except sqlite3.OperationalError:
            if failed:
                raise failed[0] from None
            raise
        finally:
            create_function(None)  # or the connection would hold all that was found
        return {run_id: tuple(sorted(listed, key=_IDENTITY)) for run_id, listed in found.items()}

    def _array_summaries(self, run_ids: Sequence[str], connection: Any) -> Summaries:
        found: Summaries = {}
        known = _Identities()
        for run_id, names, dataset_types, wholes, reals in self._rows(connection, _POSTGRESQL_SUMMARIES, run_ids):
            if names is None:
                found[run_id] = ()
                continue
            series = known.of(names, dataset_types)
            columns = [
                *series.unpacked(memoryview(wholes)[_ARRAY_HEADER:], ">", "4xq" * len((*_WHOLES, *_MARKS))),
                *series.unpacked(memoryview(reals)[_ARRAY_HEADER:], ">", "4xd" * len(_REALS)),
            ]
            found[run_id] = series.summaries(columns)
        return found

    def _concatenated_summaries(self, run_ids: Sequence[str], connection: Any) -> Summaries:
        found: Summaries = {}
        wide: list[str] = []
        known = _Identities()
        most = min(_MOST_SERIES, room_in(connection) // _LONGEST_SERIES)
        narrow, wider = (each.replace(_PART, str(most)) for each in (_MYSQL_SUMMARIES, _MYSQL_WIDE_SUMMARIES))
        for run_id, count, *packed in self._rows(connection, narrow, run_ids):
            if count > most:
                wide.append(run_id)
            else:
                found[run_id] = _of_concatenated(packed, known) if count else ()
        for run_id, _, *packed in self._rows(connection, wider, wide) if wide else ():
            part = _of_concatenated(packed, known)
            found[run_id] = tuple(sorted((*found.get(run_id, ()), *part), key=_IDENTITY))
        return found

    def _rows(self, connection: Any, query: str, run_ids: Sequence[str]) -> Iterable[Any]:
        cursor = connection.cursor()
        try:
            if self._is_binary:
                cursor.execute(query, (self._parameter(run_ids),), binary=True)
            else:
                cursor.execute(query, (self._parameter(run_ids),))
            yield from cursor
        finally:
            cursor.close()


def _of_concatenated(packed: Sequence[Any], known: "_Identities") -> tuple[SeriesSummary, ...]:
    names, dataset_types, points, *texts = packed
    series = known.of(names, dataset_types)
    marks, *wholes = [_INTEGERS.decode(f"[{text}]") for text in texts]
    reals = series.unpacked(points, "<", "5xdd" * (len(_REALS) // 2))
    return series.summaries([*wholes, *_separate_marks(marks), *reals])


def _separate_marks(packed: list[int]) -> Iterable[list[int]]:
    """Each column's, from numbers that hold one of -1 to 3 in every three bits."""
    if not any(packed):
        return [packed] * len(_MARKS)
    return [[(marks >> 3 * place & 7 ^ 4) - 4 for marks in packed] for place in range(len(_MARKS))]


class _Series:
    """The names and dataset types of a run's series, in the order in which the server gave them."""

    def __init__(self, names: str, dataset_types: str) -> None:
        self._names = names.split("\n")  # a name holds no line feed
        self._dataset_types: list[DatasetType] = [DATASET_TYPES[kind] for kind in dataset_types.split("\n")]
        identities = list(zip(self._names, self._dataset_types, strict=True))
        self._order = sorted(range(len(identities)), key=identities.__getitem__)
        self._formats: dict[str, struct.Struct] = {}

    def unpacked(self, data: bytes | memoryview, order: str, form: str) -> list[tuple[Any, ...]]:
        """The columns of rows that stand one after the other, each with the numbers of one series."""
        known = self._formats.get(form)
        if known is None:
            known = self._formats[form] = struct.Struct(order + form * len(self._names))
        numbers = known.unpack(data)
        width = len(numbers) // len(self._names)
        return [numbers[place::width] for place in range(width)]

    def summaries(self, columns: Sequence[Sequence[Any]]) -> tuple[SeriesSummary, ...]:
        """The summaries whose packed columns these are, in the order of name and dataset type."""
        found = list(map(summary_of, self._names, self._dataset_types, *[columns[place] for place in _PLACES]))
        return tuple([found[index] for index in self._order])


class _Identities:
    """The series of each run of a list: runs of one program have the same, which are then split and sorted once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], _Series] = {}

    def of(self, names: str, dataset_types: str) -> _Series:
        """The series of one run."""
        found = self._known.get((names, dataset_types))
        if found is None:
            found = self._known[names, dataset_types] = _Series(names, dataset_types)
        return found
