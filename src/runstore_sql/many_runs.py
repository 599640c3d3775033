"""Configs and summaries of many runs at once: tens of thousands of rows, so they come straight from the driver.

MySQL's is written in Python and takes some 20 µs a row, so there the series come as JSON, up to a thousand of them a row.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec

from runstore.model import SeriesSummary
from runstore_sql.schema import SUMMARY_COLUMNS
from runstore_sql.summary_rows import from_row

_AMONG: Final[dict[str, tuple[str, Callable[[Sequence[str]], Any]]]] = {
    "sqlite": ("IN (SELECT value FROM json_each(?))", json.dumps),
    "postgresql": ("= ANY(%s)", list),
    "mysql": ("IN %s", tuple),
}
"""How each dialect asks for many ids with one parameter."""
_AS_JSON: Final = ", ".join(f"IFNULL(s.`{column}`, 'null')" for column in SUMMARY_COLUMNS)
# At most 2 MB a row, far under a server's packet: a name takes up to 1.5 kB, all else some 300 bytes.
_MYSQL_SUMMARIES: Final = f"""
    SELECT r.id, CONCAT('[', GROUP_CONCAT(
        '[', JSON_QUOTE(s.name), ',"', s.dataset_type, '",', CONCAT_WS(',', {_AS_JSON}), ']'), ']')
    FROM runstore_run r LEFT JOIN runstore_series s ON s.run_pk = r.pk
    WHERE r.id IN %s GROUP BY r.pk, r.id, s.pk DIV 1000"""  # noqa: S608 - our own text
_Real = float | None
_Whole = int | None
# Name and dataset type, the counts; then step, value and mark of the first and the last point, the least, the greatest.
_SERIES: Final = msgspec.json.Decoder(
    list[tuple[str, str, int, int, int, _Real, int, int, _Real, int, _Whole, _Real, _Whole, _Whole, _Real, _Whole]]
)
_IDENTITY: Final = attrgetter("name", "dataset_type")


class ManyRuns:
    """Reads for one dialect, on a connection of its driver. An unknown run is left out."""

    def __init__(self, dialect: str) -> None:
        """Spells the statements once."""
        among, self._parameter = _AMONG[dialect]
        quote = "`" if dialect == "mysql" else '"'
        columns = ", ".join(f"s.{quote}{column}{quote}" for column in SUMMARY_COLUMNS)
        self._is_mysql = dialect == "mysql"
        self._is_binary = dialect == "postgresql"
        self._documents = f"""
            SELECT r.id, c.document FROM runstore_run r LEFT JOIN runstore_config c ON c.run_pk = r.pk
            WHERE r.id {among}"""  # noqa: S608 - our own text
        self._summaries = f"""
            SELECT r.id, s.name, s.dataset_type, {columns}
            FROM runstore_run r LEFT JOIN runstore_series s ON s.run_pk = r.pk
            WHERE r.id {among}"""  # noqa: S608 - our own text

    def documents(self, run_ids: Sequence[str], connection: Any) -> dict[str, str | None]:
        """The encoded config of each run; ``None`` where none was logged."""
        return dict(self._rows(connection, self._documents, run_ids))

    def summaries(self, run_ids: Sequence[str], connection: Any) -> dict[str, tuple[SeriesSummary, ...]]:
        """The summaries of each run's series, ordered by name, then dataset type."""
        found: dict[str, list[SeriesSummary]] = {}
        # Each row is let go before the next, which leaves the garbage collector little to look through.
        for row in self._series(connection, run_ids):
            listed = found.setdefault(row[0], [])
            if row[1] is not None:
                listed.append(from_row(row[1], row[2], row[3:]))
        return {run_id: tuple(sorted(listed, key=_IDENTITY)) for run_id, listed in found.items()}

    def _series(self, connection: Any, run_ids: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        """The id of a run, name and dataset type of a series, and the columns of its summary; no name, no series."""
        if not self._is_mysql:
            yield from self._rows(connection, self._summaries, run_ids)
            return
        for run_id, text in self._rows(connection, _MYSQL_SUMMARIES, run_ids):
            if text is None:
                yield run_id, None
            else:
                yield from ((run_id, *series) for series in _SERIES.decode(text))

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
