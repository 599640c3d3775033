"""The three accounts of docs/access.md, made on a real server by the statements of that page."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
import pymysql
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from documentation.pages import blocks_of, run_blocks
from support.servers import Server, private_server

PAGE: Final = "docs/access.md"
PASSWORDS: Final = {"owner": "change-me-1", "writer": "change-me-2", "reader": "change-me-3"}

_READS: Final = {
    "postgresql": ("SELECT count(*) FROM runs", "SELECT count(*) FROM runstore_point"),
    "mariadb": ("SELECT COUNT(*) FROM runs", "SELECT COUNT(*) FROM runstore_point"),
    "mongodb": ({"count": "runs"}, {"count": "run_metrics"}),
}
_WRITES: Final = {
    "postgresql": (
        "INSERT INTO runstore_tag SELECT * FROM runstore_tag WHERE false",
        "UPDATE runstore_run SET name = name WHERE false",
        "DELETE FROM runstore_config_leaf WHERE false",
        "SELECT nextval(pg_get_serial_sequence('runstore_run', 'pk'))",
    ),
    "mariadb": (
        "INSERT INTO runstore_tag SELECT * FROM runstore_tag WHERE 1 = 0",
        "UPDATE runstore_run SET name = name WHERE 1 = 0",
        "DELETE FROM runstore_config_leaf WHERE 1 = 0",
    ),
    "mongodb": (
        {"insert": "experiments", "documents": [{"_id": "theirs", "deleted_at": 1}]},
        {"update": "runs", "updates": [{"q": {"_id": 0}, "u": {"$set": {"name": "x"}}}]},
        {"delete": "runs", "deletes": [{"q": {"_id": 0}, "limit": 1}]},
    ),
}
_CHANGES: Final = {
    "postgresql": (
        "CREATE TABLE mine (a int)",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE INDEX mine ON runstore_run (name)",
        "CREATE OR REPLACE VIEW runs AS SELECT 1",
        "ALTER TABLE runstore_run ADD COLUMN mine int",
        "TRUNCATE runstore_config_leaf",
        "DROP TABLE runstore_tag",
        "DROP VIEW runs",
        "DROP SCHEMA public CASCADE",
        "COPY runstore_run TO PROGRAM 'cat'",
        "CREATE ROLE mine",
    ),
    "mariadb": (
        "CREATE TABLE mine (a int)",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE DATABASE mine",
        "CREATE FUNCTION mine() RETURNS int RETURN 1",
        "CREATE INDEX mine ON runstore_run (name)",
        "CREATE OR REPLACE VIEW runs AS SELECT 1",
        "ALTER TABLE runstore_run ADD COLUMN mine int",
        "TRUNCATE runstore_config_leaf",
        "DROP TABLE runstore_tag",
        "DROP VIEW runs",
        "SELECT 1 INTO OUTFILE '/tmp/mine'",
        "CREATE USER mine",
        "SELECT * FROM mysql.global_priv",
    ),
    "mongodb": (
        {"create": "mine"},
        {"insert": "mine", "documents": [{}]},
        {"createIndexes": "runs", "indexes": [{"key": {"mine": 1}, "name": "mine"}]},
        {"dropIndexes": "runs", "index": "*"},
        {"collMod": "run_metrics", "viewOn": "runs", "pipeline": []},
        {"drop": "runs"},
        {"drop": "run_metrics"},
        {"dropDatabase": 1},
        {"createUser": "mine", "pwd": "x", "roles": []},
    ),
}


@dataclass(frozen=True)
class Accounts:
    """A server with the three accounts, and what each of them may try on it."""

    kind: str
    server: Server
    urls: dict[str, str]

    @property
    def engine(self) -> str:
        """The kind of database, be it one server or a set of them."""
        return self.kind.partition("-")[0]

    @property
    def reads(self) -> Sequence[Any]:
        """Statements that read."""
        return _READS[self.engine]

    @property
    def writes(self) -> Sequence[Any]:
        """Statements that write rows or documents and leave all as it was for who looks at runs."""
        return _WRITES[self.engine]

    @property
    def changes(self) -> Sequence[Any]:
        """Statements that make, change or remove tables and the like, or reach out of the database."""
        return _CHANGES[self.engine]

    def is_refused(self, account: str, statement: Any) -> bool:
        """Whether the server says that the account has no right to it; any other trouble is raised."""
        return _TRIED[self.engine](self.urls[account], statement)


@contextmanager
def accounts(kind: str) -> Iterator[Accounts]:
    """A server of its own, for accounts are the whole server's, with the accounts that the page makes."""
    with TemporaryDirectory() as folder, private_server(kind, durable=False, options=_options(kind, folder)) as server:
        _MADE[kind](server)
        parts = urlsplit(server.url)
        urls = {
            name: f"{parts.scheme}://runs_{name}:{password}@127.0.0.1:{server.ports[0]}/runs"
            for name, password in PASSWORDS.items()
        }
        yield Accounts(kind, server, urls)


def _options(kind: str, folder: str) -> list[str]:
    """What has a MongoDB ask for users: among the nodes of a set by a key that they share."""
    if kind == "mongodb-replica":
        key = Path(folder) / "key"
        key.touch(mode=0o600)
        key.write_text(secrets.token_hex(32))
        return ["--auth", "--keyFile", str(key)]
    return ["--auth"] if kind == "mongodb" else []


def _make_in_postgresql(server: Server) -> None:
    # Who connects without a password proves nothing about rights, but must not be let in as somebody else.
    (server.root / "data" / "pg_hba.conf").write_text(
        "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    making, inside = (block.text for block in blocks_of(PAGE, "sql")[:2])
    for database, text in (("postgres", f"SELECT pg_reload_conf();{making}"), ("runs", inside)):
        with psycopg.connect(f"{server.url}/{database}", autocommit=True) as connection:
            for statement in _statements(text):
                connection.execute(statement.encode())


def _make_in_mariadb(server: Server) -> None:
    connection = pymysql.connect(host="127.0.0.1", port=server.ports[0], user="root")
    with connection, connection.cursor() as cursor:
        for statement in _statements(blocks_of(PAGE, "sql")[2].text):
            cursor.execute(statement)


def _make_in_mongodb(server: Server) -> None:
    with MongoClient[dict[str, Any]](server.url) as client:
        client.admin.command("createUser", "admin", pwd="password", roles=["root"])
    names = run_blocks(PAGE, "py", replaced={"@host/": f"@127.0.0.1:{server.ports[0]}/"})
    names["admin"].close()  # type: ignore[attr-defined]


def _statements(text: str) -> list[str]:
    return [each.strip() for each in text.split(";") if each.strip()]


def _is_refused_by_postgresql(url: str, statement: str) -> bool:
    with psycopg.connect(url) as connection:
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            return True
        finally:
            connection.rollback()
    return False


def _is_refused_by_mariadb(url: str, statement: str) -> bool:
    parts = urlsplit(url)
    connection = pymysql.connect(
        host="127.0.0.1", port=parts.port or 0, user=parts.username, password=parts.password or "", database="runs"
    )
    with connection, connection.cursor() as cursor:
        try:
            cursor.execute(statement)
        except pymysql.MySQLError as error:
            if error.args[0] not in {
                1044,
                1045,
                1142,
                1143,
                1227,
                1370,
            }:  # what lacks a right, by what it is a right to
                raise
            return True
    return False


def _is_refused_by_mongodb(url: str, statement: dict[str, Any]) -> bool:
    with MongoClient[dict[str, Any]](url) as client:
        try:
            client.runs.command(statement)
        except OperationFailure as error:
            if error.code != 13:
                raise
            return True
    return False


_MADE: Final[dict[str, Callable[[Server], None]]] = {
    "postgresql": _make_in_postgresql,
    "mariadb": _make_in_mariadb,
    "mongodb": _make_in_mongodb,
    "mongodb-replica": _make_in_mongodb,
}
_TRIED: Final[dict[str, Callable[[str, Any], bool]]] = {
    "postgresql": _is_refused_by_postgresql,
    "mariadb": _is_refused_by_mariadb,
    "mongodb": _is_refused_by_mongodb,
}
