"""MariaDB as it is set up in the wild: it works, or is refused with the remedy before anything is made."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest

from runstore import MetricPoint, open_store
from runstore.errors import SchemaError
from runstore.hookspecs import OpenOptions
from runstore_sql.opening import open_sql
from support.servers import private_server

pytestmark = pytest.mark.server


_FORMATS = """SELECT DISTINCT engine, row_format FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name LIKE 'runstore%' AND table_name <> 'runstore_alembic_version'"""


def points(count: int, *names: str) -> list[MetricPoint]:
    return [MetricPoint(name=name, value=step / 7, step=step) for name in names for step in range(count)]


@contextmanager
def rows_of(url: str, *statements: str) -> Iterator[list[tuple[object, ...]]]:
    """The rows of the last statement."""
    parts = urlsplit(url)
    connection = pymysql.connect(host="127.0.0.1", port=parts.port or 0, user="root", database=parts.path[1:])
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            yield list(cursor.fetchall())
    finally:
        connection.close()


@pytest.mark.parametrize(
    "options",
    [
        ["--innodb-default-row-format=compact"],
        ["--log-bin=b", "--server-id=1", "--binlog-format=STATEMENT"],
        ["--sql-mode=ANSI,NO_BACKSLASH_ESCAPES,ONLY_FULL_GROUP_BY"],
        ["--character-set-server=latin1", "--collation-server=latin1_swedish_ci", "--default-storage-engine=Aria"],
    ],
)
def test_a_store_works_whatever_the_server_has_as_its_defaults(options: list[str]) -> None:
    with private_server("mariadb", durable=False, options=options) as server:
        url = server.new_database()
        with open_sql(url, OpenOptions()) as store:
            run_id = store.ensure_run(store.get_or_create_experiment("Ω\\'人"), tags={"a": "b\\c"})
            store.log_config(run_id, {"a": {"b": "x\\'y"}})
            for some in (
                points(1, "a"),
                points(5, "a", "b\\n"),
                points(5, "a", "b\\n"),
                points(1, "c"),
                points(2, "c"),
            ):
                store.log_metrics(run_id, some)
            store.finalize(run_id, "completed")

        with open_sql(url, OpenOptions(read_only=True)) as reader:
            assert [each.count for each in reader.get_summaries(run_id)] == [5, 5, 2]
            assert reader.get_config(run_id) == {"a": {"b": "x\\'y"}}
            assert list(reader.get_history(run_id, "b\\n", "other").values) == [step / 7 for step in range(5)]
            assert reader.search_runs("tag.a = 'b\\c'").items[0].id == run_id
        with rows_of(url, "SET sql_mode = ''", _FORMATS) as rows:
            assert rows == [("InnoDB", "Dynamic")]


def test_pages_too_small_for_our_keys_are_refused_before_a_table_is_made() -> None:
    with private_server("mariadb", durable=False, options=["--innodb-page-size=4k"]) as server:
        url = server.new_database()

        with pytest.raises(SchemaError, match=r"innodb_page_size.*16"):
            open_sql(url, OpenOptions())

        with rows_of(url, "SHOW TABLES") as rows:
            assert rows == []


def test_connections_that_check_no_certificate_do_not_read_the_systems_each_time(
    mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[object] = []
    read = ssl.create_default_context

    def counted(*arguments: Any, **more: Any) -> ssl.SSLContext:
        reads.append(more)
        return read(*arguments, **more)

    monkeypatch.setattr(ssl, "create_default_context", counted)

    for _ in range(3):
        with open_store(mariadb_url, durable=False) as store:
            assert store.get_or_create_experiment("a")

    assert len(reads) <= 1
