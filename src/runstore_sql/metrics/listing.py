"""Configs and summaries of many runs at once: tens of thousands of series, so they come straight from the driver.

Fetching rows of 17 columns is slow (2 µs a row at best, 20 µs in PyMySQL), so each dialect has a quicker way to a run's
series beside the plain one. Both give the same; ``RUNSTORE_SQL_PLAIN=1`` takes the plain one.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar

from runstore.model import DATASET_TYPES, SeriesSummary
from runstore.values import EMPTY_CONFIG
from runstore_sql.metrics.packed import IN_ORDER
from runstore_sql.metrics.summary_rows import summary_of
from runstore_sql.metrics.summary_sql import SUMMARY_SQL

Summaries = dict[str, tuple[SeriesSummary, ...]]
"""By run id, each run's in the order of name and dataset type."""

FROM: Final = "FROM runstore_run r LEFT JOIN runstore_series s ON s.run_pk = r.pk WHERE r.deleted_us IS NULL AND r.id"

ConnectionT = TypeVar("ConnectionT")


class Listing(ABC, Generic[ConnectionT]):
    """Reads for one dialect, on a connection of its driver. An unknown run is left out.

    Attributes:
        among: how the dialect asks for many ids with one parameter.
    """

    among: ClassVar[str]

    def __init__(self, *, is_plain: bool = False) -> None:
        self._is_plain = is_plain

    @abstractmethod
    def parameter(self, run_ids: Sequence[str]) -> Any:
        """Many ids as the one parameter of :attr:`among`."""

    def documents(self, run_ids: Sequence[str], connection: ConnectionT) -> dict[str, str]:
        """The encoded config of each run."""
        query = f"""
            SELECT r.id, c.document FROM runstore_run r LEFT JOIN runstore_config c ON c.run_pk = r.pk
            WHERE r.deleted_us IS NULL AND r.id {self.among}"""  # noqa: S608 - our own text
        return {run_id: document or EMPTY_CONFIG for run_id, document in self.rows(connection, query, run_ids)}

    def summaries(self, run_ids: Sequence[str], connection: ConnectionT) -> Summaries:
        """The summaries of each run's series, ordered by name, then dataset type."""
        return self.plain(run_ids, connection) if self._is_plain else self.quick(run_ids, connection)

    def plain(self, run_ids: Sequence[str], connection: ConnectionT) -> Summaries:
        """The summaries, a row a series."""
        query = f"SELECT r.id, s.name, s.dataset_type, {SUMMARY_SQL} {FROM} {self.among}"
        found: dict[str, list[SeriesSummary]] = {}
        for run_id, name, dataset_type, *columns in self.rows(connection, query, run_ids):
            listed = found.setdefault(run_id, [])
            if name is not None:
                listed.append(summary_of(name, DATASET_TYPES[dataset_type], *columns))
        return {run_id: tuple(sorted(listed, key=IN_ORDER)) for run_id, listed in found.items()}

    @abstractmethod
    def quick(self, run_ids: Sequence[str], connection: ConnectionT) -> Summaries:
        """The same, as quickly as the dialect can."""

    def rows(self, connection: Any, query: str, run_ids: Sequence[str]) -> Iterable[Any]:
        """The rows of a query whose only parameter are the ids."""
        cursor = connection.cursor()
        try:
            cursor.execute(query, (self.parameter(run_ids),))
            yield from cursor
        finally:
            cursor.close()
