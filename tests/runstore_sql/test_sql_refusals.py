"""Turned away by a server: an error at opening, whatever its language; what time mends is not (OPEN.8, ERR.3)."""

import shutil
import socket
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest

from runstore import open_store
from runstore.errors import RunStoreError, SchemaError, SettingsError, StoreFailureError, StoreUnavailableError
from runstore.hookspecs import OpenOptions
from runstore_sql.opening import open_sql
from support.servers import Server, private_server

pytestmark = pytest.mark.server

_HBA = """
host all postgres 127.0.0.1/32 trust
host all banned 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
"""


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    """A PostgreSQL that asks for passwords; ``lab`` is open to all, ``team`` to few."""
    with private_server("postgresql", durable=False) as server:
        (server.root / "data" / "pg_hba.conf").write_text(_HBA)
        with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
            for statement in (
                "CREATE ROLE frank LOGIN PASSWORD 'frankspw'",
                "CREATE ROLE banned LOGIN PASSWORD 'x'",
                "CREATE ROLE alone LOGIN PASSWORD 'x' CONNECTION LIMIT 1",
                "CREATE DATABASE lab",
                "CREATE DATABASE team",
                "REVOKE CONNECT ON DATABASE team FROM PUBLIC",
                "CREATE DATABASE closed ALLOW_CONNECTIONS false",
                "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0",
                "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0",
            ):
                connection.execute(statement.encode())
        yield server


@pytest.fixture(autouse=True)
def no_password_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGPASSWORD", "PGPASSFILE", "PGSSLMODE", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("user", "rest", "told"),
    [
        ("frank:wrong", "lab", "check user and password"),
        ("nobody:wrong", "lab", "check user and password"),
        ("frank", "lab", "PGPASSWORD"),
        ("banned:x", "lab", "lets you in"),
        ("frank:frankspw", "nowhere", "CREATE DATABASE"),
        ("frank:frankspw", "team", "CONNECT on the database"),
        ("frank:frankspw", "closed", "closed"),
        ("frank:frankspw", "lab?sslmode=require", "SSL"),
        ("frank:frankspw", "lab?sslmode=verify-full&sslrootcert=/nowhere.pem", "SSL"),
        ("frank:frankspw", "lab?sslmode=sometimes", "sslmode"),
        ("frank:frankspw", "lab?connect_timeout=soon", "connect_timeout"),
        ("frank:frankspw", "lab?require_auth=md5", "auth"),
        ("frank:frankspw", "lab?channel_binding=require", "channel binding"),
    ],
)
def test_a_server_that_turns_us_away_is_an_error_that_trying_again_cannot_mend(
    strict: Server, user: str, rest: str, told: str
) -> None:
    url = f"postgresql://{user}@127.0.0.1:{strict.ports[0]}/{rest}"

    for options in (OpenOptions(), OpenOptions(read_only=True)):
        with pytest.raises((StoreFailureError, SettingsError), match=told) as caught:
            open_sql(url, options)

        assert "frankspw" not in str(caught.value)


@pytest.mark.parametrize(
    ("user", "rest"),
    [
        ("frank:wrong", "lab"),
        ("frank", "lab"),
        ("banned:x", "lab"),
        ("frank:frankspw", "nowhere"),
        ("frank:frankspw", "team"),
        ("frank:frankspw", "lab?sslmode=require"),
        ("frank:frankspw", "lab?channel_binding=require"),
    ],
)
def test_a_libpq_that_notes_nothing_before_a_connection_stands_leaves_the_words(
    strict: Server, monkeypatch: pytest.MonkeyPatch, user: str, rest: str
) -> None:
    monkeypatch.setattr("runstore_sql.dialects.postgresql.wire._heard", lambda _: [])

    with pytest.raises(StoreFailureError):
        open_sql(f"postgresql://{user}@127.0.0.1:{strict.ports[0]}/{rest}", OpenOptions())
    with psycopg.connect(f"postgresql://alone:x@127.0.0.1:{strict.ports[0]}/lab"), pytest.raises(StoreUnavailableError):
        open_sql(f"postgresql://alone:x@127.0.0.1:{strict.ports[0]}/lab", OpenOptions(read_only=True))


def test_the_traceback_of_a_refusal_is_ours_and_one_line_of_the_driver(strict: Server) -> None:
    with pytest.raises(StoreFailureError) as caught:
        open_sql(f"postgresql://frank:wrong@127.0.0.1:{strict.ports[0]}/lab", OpenOptions())

    assert isinstance(caught.value.__cause__, psycopg.errors.InvalidPassword)
    shown = "".join(traceback.format_exception(caught.value))
    assert "sqlalchemy" not in shown
    assert shown.count("Traceback (most recent call last)") == 1


def test_a_role_whose_connections_are_all_in_use_may_try_again(strict: Server) -> None:
    url = f"postgresql://alone:x@127.0.0.1:{strict.ports[0]}/lab"

    with psycopg.connect(url), pytest.raises(StoreUnavailableError):
        open_sql(url, OpenOptions(read_only=True))


def test_several_hosts_are_tried_and_the_one_that_turns_us_away_is_heard(strict: Server) -> None:
    port = strict.ports[0]

    open_sql(f"postgresql://postgres@127.0.0.1:1,127.0.0.1:{port}/postgres", OpenOptions()).close()
    for hosts in (f"127.0.0.1:1,127.0.0.1:{port}", f"127.0.0.1:{port},127.0.0.1:1"):
        with pytest.raises(StoreFailureError, match="check user and password"):
            open_sql(f"postgresql://frank:wrong@{hosts}/lab", OpenOptions())
    with pytest.raises(StoreUnavailableError):
        open_sql("postgresql://frank:wrong@127.0.0.1:1,127.0.0.1:2/lab", OpenOptions())
    with pytest.raises(StoreUnavailableError):  # it may become one
        open_sql(f"postgresql://postgres@127.0.0.1:{port}/lab?target_session_attrs=standby", OpenOptions())


def test_a_socket_of_this_machine_is_refused_and_away_like_a_port() -> None:
    folder = tempfile.mkdtemp(dir="/tmp")  # the path of a socket may have 107 bytes
    Path(folder).chmod(0o777)
    try:
        options = ["-c", f"unix_socket_directories={folder}"]
        with private_server("postgresql", durable=False, options=options) as server:
            rest = f"?host={folder}&port={server.ports[0]}"
            open_sql(f"postgresql://postgres@/postgres{rest}", OpenOptions()).close()
            with pytest.raises(StoreFailureError, match="CREATE DATABASE"):
                open_sql(f"postgresql://postgres@/nowhere{rest}", OpenOptions())
            server.stop()
            with pytest.raises(StoreUnavailableError):
                open_sql(f"postgresql://postgres@/postgres{rest}", OpenOptions())
    finally:
        shutil.rmtree(folder)


def test_a_recorded_store_raises_what_turns_it_away(strict: Server) -> None:
    for user, rest in (("frank:wrong", "lab"), ("frank", "lab"), ("frank:frankspw", "team")):
        with pytest.raises(StoreFailureError):
            open_store(f"postgresql://{user}@127.0.0.1:{strict.ports[0]}/{rest}")


@pytest.mark.parametrize("database", ["latin", "ascii"])
def test_a_database_that_is_not_utf_8_is_refused_with_the_way_to_one_that_is(strict: Server, database: str) -> None:
    with pytest.raises(SchemaError, match="ENCODING 'UTF8' TEMPLATE template0"):
        open_sql(f"{strict.url}/{database}", OpenOptions())


def test_a_client_encoding_of_the_environment_changes_nothing(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")

    with open_sql(postgresql_url, OpenOptions()) as store:
        store.get_or_create_experiment("Ω 人工")

        assert store.find_experiment("Ω 人工") is not None


def test_missing_rights_are_told_as_missing_rights(strict: Server, postgresql_url: str) -> None:
    del postgresql_url
    owner, guest = f"{strict.url}/lab", f"postgresql://frank:frankspw@127.0.0.1:{strict.ports[0]}/lab"
    with pytest.raises(StoreFailureError, match=r"permission denied for schema public.*CREATE on the schema"):
        open_sql(guest, OpenOptions())
    open_sql(owner, OpenOptions()).close()

    for statement in ("SELECT 1", "GRANT SELECT ON runs, experiments TO frank"):
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(statement.encode())
        for options in (OpenOptions(), OpenOptions(read_only=True)):
            with pytest.raises(StoreFailureError, match=r"permission denied for table.*SELECT on the"):
                open_sql(guest, options)

    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO frank")
    open_sql(guest, OpenOptions(read_only=True)).close()
    for statement in (
        "GRANT INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO frank",
        "GRANT DELETE ON ALL TABLES IN SCHEMA public TO frank",  # and not the sequences, as is often forgotten
        "REVOKE INSERT ON runstore_config FROM frank; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO frank",
        "GRANT INSERT ON runstore_config TO frank",
    ):
        with pytest.raises(StoreFailureError, match=r"frank may read .* and not write .*USAGE on their sequences"):
            open_sql(guest, OpenOptions())
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(statement.encode())
    with open_sql(guest, OpenOptions()) as store:
        store.finalize(store.ensure_run(store.get_or_create_experiment("e")), "completed")


@pytest.mark.parametrize("path", ["", "nowhere", "hidden"])
def test_a_search_path_that_leads_nowhere_is_told_with_the_remedy(strict: Server, path: str) -> None:
    with psycopg.connect(f"{strict.url}/postgres", autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS hidden")
    url = f"postgresql://frank:frankspw@127.0.0.1:{strict.ports[0]}/postgres?options=-csearch_path%3D{path}"

    for options in (OpenOptions(), OpenOptions(read_only=True)):
        with pytest.raises(SchemaError, match=r"CREATE SCHEMA.*options=-csearch_path%3Dpublic"):
            open_sql(url, options)


def test_a_role_that_only_reads_by_its_settings_is_refused_for_writing(postgresql_url: str) -> None:
    open_sql(postgresql_url, OpenOptions()).close()
    url = f"{postgresql_url}?options=-cdefault_transaction_read_only%3Don"

    open_sql(url, OpenOptions(read_only=True)).close()
    with pytest.raises(StoreFailureError, match="default_transaction_read_only"):
        open_sql(url, OpenOptions())


def test_a_replica_says_that_it_is_one() -> None:
    with (
        private_server("mariadb", durable=False, options=["--read-only"]) as server,
        _root(server.new_database()) as cursor,
    ):
        cursor.execute("CREATE USER plain IDENTIFIED BY 'secret'")
        cursor.execute("CREATE DATABASE lab")
        cursor.execute("GRANT ALL ON lab.* TO plain")
        open_sql(f"mysql://root@127.0.0.1:{server.ports[0]}/lab", OpenOptions()).close()

        with pytest.raises(StoreUnavailableError, match="read replica"):
            open_sql(f"mysql://plain:secret@127.0.0.1:{server.ports[0]}/lab", OpenOptions())
        open_sql(f"mysql://plain:secret@127.0.0.1:{server.ports[0]}/lab", OpenOptions(read_only=True)).close()


def test_numbers_come_whole_whatever_the_role_has_set(postgresql_url: str) -> None:
    with open_sql(f"{postgresql_url}?options=-cextra_float_digits%3D-15", OpenOptions()) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("x"))
        store.log_config(run_id, {"lr": 0.1234567890123})

        assert store.search_runs("config.lr = 0.1234567890123").items[0].id == run_id


@contextmanager
def a_server_that_says(code: str) -> Iterator[int]:
    """Answers each connection as PostgreSQL does, in German; gives its port."""
    fields = {"S": "FATAL", "V": "FATAL", "C": code, "M": "geht gerade nicht, »lab«"}
    body = b"".join(f"{name}{text}\0".encode() for name, text in fields.items()) + b"\0"
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                if b"\x04\xd2\x16\x2f" in connection.recv(1024):  # asked for TLS first
                    connection.sendall(b"N")
                    connection.recv(1024)
                connection.sendall(b"E" + (len(body) + 4).to_bytes(4, "big") + body)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.skipif(
    psycopg.pq.version() < 180000, reason="an older libpq does not tell what came before a connection stood"
)
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("28P01", StoreFailureError),
        ("28000", StoreFailureError),
        ("3D000", StoreFailureError),
        ("42501", StoreFailureError),
        ("0A000", StoreFailureError),
        ("XX999", StoreFailureError),
        ("57P03", StoreUnavailableError),
        ("57P01", StoreUnavailableError),
        ("53300", StoreUnavailableError),
    ],
)
def test_what_a_server_says_is_known_by_its_code_alone(code: str, error: type[RunStoreError]) -> None:
    with a_server_that_says(code) as port, pytest.raises(error, match="geht gerade nicht"):
        open_sql(f"postgresql://me:secret@127.0.0.1:{port}/lab", OpenOptions())


@pytest.mark.parametrize(
    ("user", "database", "told"),
    [
        ("guest_{}:wrong", "", "check user and password"),
        ("guest_{}:secret", "_nowhere", "for the right"),
        ("root", "_nowhere", "CREATE DATABASE"),
        ("far_{}:secret", "", "check user and password"),
    ],
)
def test_mariadb_that_turns_us_away_is_an_error_that_trying_again_cannot_mend(
    mariadb_url: str, user: str, database: str, told: str
) -> None:
    parts = urlsplit(mariadb_url)
    name = parts.path.removeprefix("/")
    with _root(mariadb_url) as cursor:
        # Users of this test's own: its server serves the tests of other processes, too.
        cursor.execute(f"CREATE USER guest_{name} IDENTIFIED BY 'secret'")
        cursor.execute(f"CREATE USER far_{name}@'10.9.8.7' IDENTIFIED BY 'secret'")

    with pytest.raises(StoreFailureError, match=told):
        open_sql(f"mysql://{user.format(name)}@127.0.0.1:{parts.port}/{name}{database}", OpenOptions())


def test_rights_that_are_missing_on_mariadb_are_told_as_such(mariadb_url: str) -> None:
    parts = urlsplit(mariadb_url)
    name = parts.path.removeprefix("/")
    user = f"guest_{name}"
    guest = f"mysql://{user}:secret@127.0.0.1:{parts.port}/{name}"
    with _root(mariadb_url) as cursor:
        cursor.execute(f"CREATE USER {user} IDENTIFIED BY 'secret'")
        cursor.execute(f"GRANT CREATE TEMPORARY TABLES ON {name}.* TO {user}")
        for _ in range(2):  # empty, and then with a store in it
            for options in (OpenOptions(), OpenOptions(read_only=True)):
                with pytest.raises(StoreFailureError, match=r"1142.*SELECT on the database"):
                    open_sql(guest, options)
            open_sql(mariadb_url, OpenOptions()).close()
        for right in ("SELECT", "UPDATE", "DELETE"):
            cursor.execute(f"GRANT {right} ON {name}.* TO {user}")
            open_sql(guest, OpenOptions(read_only=True)).close()
            with pytest.raises(StoreFailureError, match=r"1142.*INSERT, UPDATE and DELETE"):
                open_sql(guest, OpenOptions())
        cursor.execute(f"GRANT INSERT ON {name}.* TO {user}")
        open_sql(guest, OpenOptions()).close()


@contextmanager
def _root(url: str) -> Iterator[pymysql.cursors.Cursor]:
    parts = urlsplit(url)
    connection = pymysql.connect(host="127.0.0.1", port=parts.port or 0, user="root", database=parts.path[1:])
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()
