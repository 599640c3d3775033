"""What MySQL and MariaDB do their own way."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from runstore.errors import SchemaError, StoreUnavailableError
from runstore.local.files import CHUNK
from runstore.query import MAX_SORTED_LENGTH
from runstore_sql.dialects.base import Dialect
from runstore_sql.dialects.connector import ServerConnector
from runstore_sql.dialects.failures import Failures
from runstore_sql.dialects.mysql import connecting, options
from runstore_sql.dialects.mysql.clock import NOW_US
from runstore_sql.dialects.mysql.cluster import lock_of_cluster
from runstore_sql.dialects.mysql.failures import MysqlFailures
from runstore_sql.dialects.mysql.history import MysqlHistoryReader
from runstore_sql.dialects.mysql.ingest import MysqlPointWriter
from runstore_sql.dialects.mysql.listing import MysqlListing
from runstore_sql.dialects.mysql.packets import room_in
from runstore_sql.dialects.mysql.r0001 import FIRST_SCHEMA
from runstore_sql.dialects.mysql.rights import WRITE_NOTHING
from runstore_sql.dialects.mysql.steward import MysqlSteward
from runstore_sql.dialects.options import split_hosts

_LOCK_NAME: Final = "runstore schema"
_LOCK_WAIT_S: Final = 60
_LEAST_PAGE: Final = 16384
_SORT_WHOLE_TEXTS: Final = f"SET SESSION max_sort_length = {4 * MAX_SORTED_LENGTH}, sort_buffer_size = {{}}"
"""The servers sort by the first 1,024 bytes of a text unless told otherwise, and say nothing of it."""
_BYTES_A_SORTED_TEXT: Final = 5 * 2**20
"""They want room for 15 of the longest keys before they begin to sort; the rest they sort on disk."""


class MysqlDialect(Dialect):
    """A server that takes statements of a bounded length, and commits each change of the schema by itself."""

    name = "mysql"
    driver = "mysql+pymysql"
    failures: ClassVar[Failures] = MysqlFailures()
    now_us = NOW_US
    begin = "START TRANSACTION"
    begin_reading = f"{begin} READ ONLY"
    commits_ddl = True  # a broken attempt is taken up again
    points_a_piece = 200  # a writer that meets a piece waits for it, and its calls are short
    rest_a_piece = 10.0
    has_partial_indexes = False
    keeps_joins_in_order = "STRAIGHT_JOIN"
    sorts_in_blocks = False
    hashes_sets = True
    joins_results = True
    first_schema = FIRST_SCHEMA
    writer = MysqlPointWriter
    histories = MysqlHistoryReader
    listing = MysqlListing
    steward = MysqlSteward

    def split(self, text: str) -> sa.URL:
        """Also of several nodes of a cluster, ``//one:3306,two/runs``."""
        return split_hosts(text)

    def check_options(self, url: sa.URL) -> None:
        options.check_options(url)

    def connector(self, url: sa.URL, secrets: Mapping[str, Any], *, read_only: bool) -> ServerConnector:
        arguments = {**options.arguments_of(url), **secrets}
        password = secrets.get("password", arguments.pop("passwd", url.password))
        if isinstance(password, str):  # the driver would write it as Latin-1, and servers hash its UTF-8
            arguments["password"] = password.encode()
        hosts = options.hosts_of(url)
        return ServerConnector(url, lambda _: connecting.connect(arguments, hosts, read_only=read_only), secrets={})

    def ready_for_tables(self, connection: Any, url: sa.URL, shown_url: str) -> bool:
        """Refuses a server on which the tables could not be made, before the first of them is."""
        del url
        page = connection.runstore_facts.page
        if page < _LEAST_PAGE:
            raise SchemaError(
                f"the server of {shown_url} runs with innodb_page_size={page}, and keys of 512 characters need 16384 or "
                "more; nothing was made. Give another server: this one's pages are chosen when its data is first made"
            )
        return False

    def check_rights(self, connection: sa.Connection, shown_url: str) -> None:
        del shown_url
        for statement in WRITE_NOTHING:
            connection.exec_driver_sql(statement)

    @contextmanager
    def lock(self, connection: sa.Connection, url: sa.URL, shown_url: str) -> Iterator[None]:
        driver: Any = connection.connection.dbapi_connection
        if driver.runstore_facts.is_node:
            with lock_of_cluster(connection, shown_url):
                yield
            return
        name = {"name": f"{_LOCK_NAME} {url.database}"[-64:], "wait": _LOCK_WAIT_S}
        if connection.execute(sa.text("SELECT GET_LOCK(:name, :wait)"), name).scalar() != 1:
            raise StoreUnavailableError(f"another process has been changing {shown_url} for {_LOCK_WAIT_S} s")
        try:
            yield
        finally:
            if not connection.invalidated:  # as a Ctrl-C leaves it: the lock goes with the session
                connection.execute(sa.text("SELECT RELEASE_LOCK(:name)"), name)

    def insert(self, table: sa.Table) -> sa.Insert:
        return table.insert()

    def insert_unknown(self, table: sa.Table) -> sa.Insert:
        return table.insert().prefix_with("IGNORE")

    def is_unsettled(self, of: NamedFromClause) -> sa.ColumnElement[bool]:
        """By a column of its own: an index knows no conditions here."""
        return sa.literal_column(f"{of.name}.unsettled", sa.SmallInteger) == sa.literal_column("1")

    def hidden(self, of: NamedFromClause) -> list[sa.ColumnElement[bool]]:
        """By a column of its own, too: with an index on a time, all runs that have none would be looked up in it."""
        return [sa.literal_column(f"{of.name}.hidden", sa.SmallInteger) == sa.literal_column("1")]

    def as_double(self, whole: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return whole * sa.literal_column("1e0", sa.Double)

    def insert_new(self, connection: sa.Connection, statement: sa.Insert, values: dict[str, Any]) -> bool:
        try:
            connection.execute(statement, values)
        except sa.exc.IntegrityError as error:
            if not self.failures.is_taken(error.orig):
                raise
            return False  # a failed statement leaves the rest of the transaction as it is
        return True

    def ready_to_sort(self, connection: sa.Connection, long_texts: int) -> None:
        connection.exec_driver_sql(_SORT_WHOLE_TEXTS.format(long_texts * _BYTES_A_SORTED_TEXT))

    def largest_chunk(self, connection: sa.Connection) -> int:
        """Statements hold bytes as text, each of up to two."""
        return min(CHUNK, room_in(connection.connection.dbapi_connection) // 2)


DIALECT: Final = MysqlDialect()
