"""The servers that the tests stand on: new databases are empty and apart, and nothing outlives its session."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pymysql
import pytest

from support import processes, session
from support.processes import STATE_VARIABLE, free_ports, is_running
from support.servers import private_server


def test_a_new_mariadb_database_is_empty(mariadb_url: str) -> None:
    address = mariadb_url.removeprefix("mysql://root@")
    host, _, rest = address.partition(":")
    port, _, database = rest.partition("/")

    connection = pymysql.connect(host=host, port=int(port), user="root", database=database)
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        tables = cursor.fetchall()

    assert tables == ()


def test_two_databases_of_one_server_are_apart(postgresql_url: str, request: pytest.FixtureRequest) -> None:
    psycopg = pytest.importorskip("psycopg")
    server = session.server_or_skip("postgresql", request)
    other = server.new_database()
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE only_here (x int)")

    with psycopg.connect(other) as connection:
        found = connection.execute("SELECT to_regclass('only_here')").fetchone()
    server.drop_database(other)

    assert found == (None,)


def test_only_the_replica_set_has_transactions(mongodb_url: str, mongodb_replica_url: str) -> None:
    pymongo = pytest.importorskip("pymongo")
    hellos = []

    for url in (mongodb_url, mongodb_replica_url):
        with pymongo.MongoClient(url) as client:
            hellos.append(client.admin.command("hello").get("setName"))

    assert hellos == [None, "rs0"]


def test_no_port_is_given_to_two_servers_though_neither_of_them_listens_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(processes, "_LAST_PORT", processes._FIRST_PORT + 50)  # noqa: SLF001 - few to choose from

    ports = [port for _ in range(25) for port in free_ports(1)]

    assert len(set(ports)) == 25


@pytest.mark.server
def test_a_killed_server_starts_again_with_the_same_data() -> None:
    pymongo = pytest.importorskip("pymongo")
    with private_server("mongodb") as server:
        url = server.new_database()
        with pymongo.MongoClient(url) as client:
            client.get_default_database().notes.with_options(
                write_concern=pymongo.WriteConcern(w=1, j=True)
            ).insert_one({"_id": 1})

        server.kill()
        was_down = not any(is_running(pid) for pid in server.pids)
        server.start()

        with pymongo.MongoClient(url) as client:
            kept = list(client.get_default_database().notes.find())
    assert was_down
    assert kept == [{"_id": 1}]


@pytest.mark.server
def test_a_killed_session_leaves_no_server_behind(tmp_path: Path) -> None:
    """SIGKILL of the process that owns the servers: nobody can clean up but the watcher."""
    program = (
        "from support.servers import shared_server; import time; print(shared_server('mariadb').pid, flush=True)\n"
    )
    program += "print(shared_server('mariadb').root, flush=True); time.sleep(600)"
    environment = {name: value for name, value in os.environ.items() if name != "RUNSTORE_TEST_SERVERS_DIR"}
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert owner.stdout is not None
    with owner, owner.stdout as printed:
        server, root = int(printed.readline()), Path(printed.readline().strip())
        was_running = is_running(server)

        owner.send_signal(signal.SIGKILL)
        owner.wait()

    deadline = time.monotonic() + 240
    while (is_running(server) or root.exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert was_running
    assert not psutil.pid_exists(server) or not is_running(server)
    assert not root.exists()


@pytest.mark.parametrize(
    ("demand", "outcome", "line"),
    [
        ("", "1 skipped", "not run: 1 of postgresql: RUNSTORE_TEST_PG_URL does not answer"),
        ("all", "1 error", "not run: postgresql: RUNSTORE_TEST_PG_URL does not answer"),
    ],
)
def test_a_server_that_cannot_be_had_is_counted_as_not_run_or_fails(
    tmp_path: Path, demand: str, outcome: str, line: str
) -> None:
    (tmp_path / "test_one.py").write_text("def test_one(postgresql_url): assert postgresql_url")
    environment = {name: value for name, value in os.environ.items() if name != "RUNSTORE_TEST_SERVERS_DIR"}
    environment |= {
        "PYTHONPATH": str(Path(__file__).parent),
        "RUNSTORE_TEST_PG_URL": "postgresql://postgres@127.0.0.1:1",
        "RUNSTORE_TEST_REQUIRE": demand,
    }

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )

    assert outcome in done.stdout.splitlines()[-1]
    assert line in done.stdout
