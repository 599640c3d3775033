"""What is tried again: what may pass, and nothing else (DUR.4)."""

import pytest
import sqlalchemy as sa

from runstore.errors import StoreFailureError
from runstore.hookspecs import OpenOptions
from runstore_sql.database import Database, parse_url
from runstore_sql.opening import open_sql


def test_a_statement_that_the_database_refuses_for_good_is_sent_once(url: str) -> None:
    open_sql(url, OpenOptions()).close()
    database = Database(parse_url(url), read_only=False)
    tries = []

    def insert_half_a_row(connection: sa.Connection) -> None:
        tries.append(1)
        connection.exec_driver_sql("INSERT INTO runstore_run (id) VALUES (NULL)")

    with pytest.raises(StoreFailureError):
        database.write(insert_half_a_row)

    database.close()
    assert len(tries) == 1
