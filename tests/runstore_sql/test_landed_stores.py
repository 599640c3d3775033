"""Stores that the first landed release wrote are brought up to date at the first opening, with all that is in them."""

import gzip
import json
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from pymysql.constants import CLIENT

from runstore import MetricPoint
from runstore.errors import SchemaError
from runstore.hookspecs import OpenOptions
from runstore_sql.migrations.r0002_results import _fill
from runstore_sql.opening import open_sql
from runstore_sql.schema.tables import MIN_WRITER, SCHEMA_VERSION, run, schema_info
from support.landed import FOLDER, told

TOLD = json.loads((FOLDER / "told.json").read_text(encoding="utf-8"))


_CHANGES = ("ALTER", "CREATE", "DROP", "INSERT", "UPDATE", "DELETE")


def load(url: str, dump: str) -> None:
    """Runs a dump on an empty database."""
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).write_bytes(gzip.decompress((FOLDER / "sqlite.db.gz").read_bytes()))
        return
    text = (FOLDER / f"{dump}.sql").read_text(encoding="utf-8")
    connection: Any
    if url.startswith("postgresql"):
        connection = psycopg.connect(url, autocommit=True)
        connection.execute(text.encode())
    else:
        parts = sa.make_url(url)
        connection = pymysql.connect(
            host=parts.host,
            port=parts.port or 3306,
            user=parts.username,
            database=parts.database,
            charset="utf8mb4",
            client_flag=CLIENT.MULTI_STATEMENTS,
            autocommit=True,
        )
        with connection.cursor() as cursor:
            cursor.execute(f"SET foreign_key_checks = 0; {text}")
            while cursor.nextset():
                pass
    connection.close()


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.server),
        pytest.param("postgresql-partitions", marks=pytest.mark.server),
        pytest.param("mariadb", marks=pytest.mark.server),
    ]
)
def landed_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param.partition('-')[0]}_url")
    load(url, request.param)
    return f"{url}?partition_series=4" if request.param.endswith("partitions") else url


def test_a_landed_store_reads_back_as_the_release_that_wrote_it_read_it(landed_url: str) -> None:
    with open_sql(landed_url, OpenOptions()) as store:
        assert told(store) == TOLD
        assert [each.note for each in store.search_runs().items] == [None] * 5
        info = store.database.read(lambda connection: connection.execute(sa.select(schema_info)).one())
        assert (info.version, info.min_reader, info.min_writer) == (SCHEMA_VERSION, 1, MIN_WRITER)

    with open_sql(landed_url, OpenOptions(read_only=True)) as reader:
        assert told(reader) == TOLD


def test_a_landed_store_takes_all_that_a_new_one_takes(landed_url: str, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"bytes")
    with open_sql(landed_url, OpenOptions()) as store:
        store.log_metrics("parent", [MetricPoint(name="long", value=1.0, step=1200, dataset_type="train")])
        store.log_metrics("parent", [MetricPoint(name="long", value=43.0, step=3, dataset_type="train")])
        store.log_artifact("parent", tmp_path / "a.bin")
        store.set_note("parent", "note")
        store.remove_tags("parent", ["owner"])
        store.archive_run("child")
        store.delete_run("bare")

        (long,) = [each for each in store.get_summaries("parent") if each.name == "long"]
        assert (long.count, long.max and long.max.value, long.last.value) == (1201, 43.0, 1.0)
        assert store.get_run("parent").note == "note"
        assert sorted(store.get_run("parent").tags) == ["empty", "größe"]
        assert [each.id for each in store.search_runs(order_by=["id"]).items] == ["parent", "resumed", "unfinished"]
        if not landed_url.startswith("sqlite"):  # whose bytes lie beside the file
            with store.open_artifact("parent", "weights.bin") as stream:
                assert stream.read() == b"weights"


def test_a_landed_run_that_was_heard_of_today_is_looked_through_until_it_has_been_quiet(landed_url: str) -> None:
    """The program that wrote it may be open, and write on."""
    with open_sql(
        landed_url, OpenOptions()
    ) as store:  # to have a connection of each kind; as it was before, afterwards
        now = sa.literal_column(store.database.dialect.now_us, sa.BigInteger)
        is_heard = run.c.id == "parent"

        def fill_again(connection: sa.Connection) -> None:
            connection.execute(run.update().values(settled=None, heartbeat_us=sa.case((is_heard, now), else_=0)))
            for statement in _fill(store.database.dialect.first_schema):
                connection.exec_driver_sql(statement)

        store.database.write(fill_again)
        ended = sa.select(run.c.id).where(run.c.end_us.is_not(None), run.c.settled.is_(None))

        assert store.database.read(lambda connection: connection.execute(ended).scalars().all()) == ["parent"]


def test_a_landed_store_that_is_only_read_says_that_it_waits_for_a_writer(landed_url: str) -> None:
    with pytest.raises(SchemaError, match="its schema 1 is older than"):
        open_sql(landed_url, OpenOptions(read_only=True))


@pytest.mark.parametrize("statements", [3, 12, 24, 37, 41])
def test_a_migration_that_was_cut_short_is_taken_up_by_the_next_opening(landed_url: str, statements: int) -> None:
    left = statements

    def cut(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal left
        if statement.lstrip().startswith(_CHANGES):
            if left == 0:
                raise KeyboardInterrupt
            left -= 1

    sa.event.listen(sa.Engine, "before_cursor_execute", cut)
    try:
        with pytest.raises(KeyboardInterrupt):
            open_sql(landed_url, OpenOptions())
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", cut)

    with open_sql(landed_url, OpenOptions()) as store:
        assert told(store) == TOLD
        store.set_note("parent", "note")
        assert store.get_run("parent").note == "note"
