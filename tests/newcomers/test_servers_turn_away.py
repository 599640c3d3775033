"""Databases on servers that a newcomer names wrong, or that turn them away: on the command line and in Python alike."""

import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from newcomers.screens import LINES, check_told, height, typed
from support.servers import Server, private_server


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    """A PostgreSQL that asks for passwords; frank may look at what is in ``lab``, and make nothing there."""
    with private_server("postgresql", durable=False) as server:
        (server.root / "data" / "pg_hba.conf").write_text(
            "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE ROLE frank LOGIN PASSWORD 'frankspw'")
            connection.execute("CREATE DATABASE lab")
        yield server


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://me:hunter2@nohost.invalid/lab", "postgresql://me:***@nohost.invalid/lab is away or busy"),
        ("postgresql://me@127.0.0.1:1/lab", "see whether the server is up and its host and port are right"),
        ("mysql://me:hunter2@127.0.0.1:1/lab", "see whether the server is up and its host and port are right"),
        ("mongodb://me:hunter2@127.0.0.1:1/lab?serverSelectionTimeoutMS=300", "is the server running and reachable"),
        ("postgresql://me@host", "add one after the host, as in …@host/runs"),
        ("mysql://host", "add one after the host, as in …@host/runs"),
        ("mongodb://host", "put one after the host, as in mongodb://host:27017/runs"),
    ],
)
def test_a_server_that_is_not_there_is_told_with_what_to_look_at(url: str, told: str) -> None:
    screen = typed(f"runstore runs --store {url}")

    check_told(screen, told, status=1)
    assert "hunter2" not in screen.stderr


@pytest.mark.server
@pytest.mark.parametrize(
    ("command", "user", "database", "told"),
    [
        ("runs", "frank:hunter2", "lab", "check user and password"),
        ("runs", "frank", "lab", "neither PGPASSWORD nor a .pgpass file gives one"),
        ("runs", "frank:frankspw", "nolab", "make the database (CREATE DATABASE), or mend its name in the URL"),
        ("runs", "frank:frankspw", "lab", "check that it is the right one"),
        ("tag @1 a=b", "frank:frankspw", "lab", "check that it is the right one"),
        ("migrate upgrade --yes", "frank:frankspw", "lab", "ask the owner of the database for the right"),
        ("migrate status", "frank:hunter2", "lab", "check user and password"),
        ("sql 'select 1'", "frank:hunter2", "lab", "check user and password"),
    ],
)
def test_a_server_that_turns_one_away_is_told_with_what_to_do(  # noqa: PLR0913, PLR0917 - a column each
    command: str, user: str, database: str, told: str, strict: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGPASSWORD", "PGPASSFILE"):
        monkeypatch.delenv(name, raising=False)
    url = f"postgresql://{user}@127.0.0.1:{strict.ports[0]}/{database}"

    screen = typed(f"runstore {command} --store {url}")

    check_told(screen, told, url.partition("@")[2], status=1)
    assert "hunter2" not in screen.stderr
    assert "frankspw" not in screen.stderr
    assert "psycopg" not in screen.stderr


@pytest.mark.server
def test_a_script_with_a_wrong_password_ends_before_its_first_step_in_one_screen(strict: Server) -> None:
    url = f"postgresql://frank:hunter2@127.0.0.1:{strict.ports[0]}/lab"
    script = f"import runstore\nwith runstore.start_run('x', store={url!r}) as run:\n    print('a step')\n"

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "check user and password" in ended.stderr.splitlines()[-1]
    assert "hunter2" not in ended.stderr
    assert height(ended.stderr) <= LINES, ended.stderr
