"""Summaries of many runs from SQLite."""

import json
import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from runstore.model import DATASET_TYPES, SeriesSummary
from runstore_sql.metrics.listing import FROM, Listing, Summaries
from runstore_sql.metrics.packed import IN_ORDER
from runstore_sql.metrics.summary_rows import summary_of
from runstore_sql.metrics.summary_sql import SUMMARY_SQL
from runstore_sql.schema.tables import SUMMARY_COLUMNS

_AMONG: Final = "IN (SELECT value FROM json_each(?))"
_TAKE: Final = f"SELECT count(runstore_take_series(r.id, s.name, s.dataset_type, {SUMMARY_SQL})) {FROM} {_AMONG}"


class SqliteListing(Listing[sqlite3.Connection]):
    """Hands each series to a function instead of fetching its row.

    That takes 0.65 of the plain way's time (400 runs of 50 series: 33 ms and 50 ms).
    """

    among = _AMONG

    def parameter(self, run_ids: Sequence[str]) -> Any:
        return json.dumps(run_ids)

    def quick(self, run_ids: Sequence[str], connection: sqlite3.Connection) -> Summaries:
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
            list(self.rows(connection, _TAKE, run_ids))
        except sqlite3.OperationalError:
            if failed:
                raise failed[0] from None
            raise
        finally:
            create_function(None)  # or the connection would hold all that was found
        return {run_id: tuple(sorted(listed, key=IN_ORDER)) for run_id, listed in found.items()}
