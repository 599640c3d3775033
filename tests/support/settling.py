"""Settling runs at once, where a store would do it beside its writes."""

import sqlalchemy as sa

from runstore_sql.schema.tables import run
from runstore_sql.store import SqlStore
from support.waiting import wait_until

_MOST = 100


def settle(store: SqlStore) -> None:
    """Settles all that can be.

    PostgreSQL marks a run first, and settles it once the transactions of others are over, in any database of the server and
    its own upkeep among them. Until then there is nothing to do, and the run is not settled.
    """
    marked = sa.select(run.c.pk).where(run.c.settled < 0).limit(1)

    def is_all_settled() -> bool:
        return not (store.settle(_MOST) or store.database.read(lambda connection: connection.execute(marked).first()))

    wait_until(
        is_all_settled, "the transactions of others on the server, and then the runs to be settled", pause_s=0.01
    )
