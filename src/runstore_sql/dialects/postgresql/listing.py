"""Summaries of many runs from PostgreSQL."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

import psycopg

from runstore_sql.metrics.listing import Listing, Summaries
from runstore_sql.metrics.packed import REALS, SPECIALS, WHOLES, PackedSeries

_AMONG: Final = "= ANY(%s)"
# What is NULL (a value that is not finite, the extremes of such values alone) is packed as 0 and never looked at.
# Run by run: of a group by runs, all that was packed so far would have to fit into work_mem, or go to disk.
PACKED: Final = f"""
    SELECT r.id, s.* FROM runstore_run r CROSS JOIN LATERAL (
        SELECT string_agg(s.name, E'\\n'), string_agg(s.dataset_type, E'\\n'),
        array_send(array_agg(ARRAY[{", ".join(f"coalesce(s.{column}, 0)::bigint" for column in (*WHOLES, *SPECIALS))}])),
        array_send(array_agg(ARRAY[{", ".join(f"coalesce(s.{column}, 0)" for column in REALS)}]))
        FROM runstore_series s WHERE s.run_pk = r.pk
    ) s WHERE r.deleted_us IS NULL AND r.id {_AMONG}"""  # noqa: S608 - our own text
_ARRAY_HEADER: Final = 28
"""Bytes before the items of an array of two dimensions; each item has its length, 4 bytes, before it."""


class PostgresqlListing(Listing["psycopg.Connection[Any]"]):
    """Packs the series of a run into two binary arrays.

    That takes less than 0.6 of the plain way's time.
    """

    among = _AMONG

    def parameter(self, run_ids: Sequence[str]) -> Any:
        return list(run_ids)

    def quick(self, run_ids: Sequence[str], connection: "psycopg.Connection[Any]") -> Summaries:
        found: Summaries = {}
        series_of = cache(PackedSeries)
        for run_id, names, dataset_types, wholes, reals in self.rows(connection, PACKED, run_ids):
            if names is None:
                found[run_id] = ()
                continue
            series = series_of(names, dataset_types)
            columns = [
                *series.unpacked(memoryview(wholes)[_ARRAY_HEADER:], ">", "4xq" * len((*WHOLES, *SPECIALS))),
                *series.unpacked(memoryview(reals)[_ARRAY_HEADER:], ">", "4xd" * len(REALS)),
            ]
            found[run_id] = series.summaries(columns)
        return found

    def rows(self, connection: "psycopg.Connection[Any]", query: str, run_ids: Sequence[str]) -> Iterable[Any]:
        """As of any dialect, in the binary format."""
        with connection.cursor(binary=True) as cursor:
            cursor.execute(query.encode(), (self.parameter(run_ids),))
            yield from cursor
