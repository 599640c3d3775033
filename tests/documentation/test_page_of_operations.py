"""What the page about looking after a store shows is done: its backups with the databases' own tools, on real servers."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from documentation.pages import PAGES, blocks_of
from documentation.shell import do, lines_in, make_store
from moving.everything import SHOWN, fill
from runstore import open_reader, open_store
from support import session
from support.engines import database_of

PAGE = "docs/operations.md"
TOOLS = ("sqlite3", "pg_dump", "mariadb-dump", "mongodump")
BLOCKS = {tool: block for tool in TOOLS for block in blocks_of(PAGE, "sh") if block.text.startswith(f"{tool} ")}
ALONE = [line for block in blocks_of(PAGE, "sh") if block not in BLOCKS.values() for line in lines_in(PAGE, block)]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fast_path)
    monkeypatch.setenv("RUNSTORE_STATE_DIR", f"{fast_path}/state")


def done(script: str) -> str:
    """A block as it is pasted into a shell, with the command of this environment on the path; gives what it prints."""
    for program in {line.split()[0] for line in script.splitlines()} - {"runstore"}:
        if shutil.which(program) is None:
            session.missing(f"{program}: not installed", needed=False)
    programs = Path("programs")
    programs.mkdir()
    command = programs / "runstore"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runstore "$@"\n')
    command.chmod(0o755)
    environment = os.environ | {"PATH": f"{programs.resolve()}{os.pathsep}{os.environ['PATH']}"}

    ran = subprocess.run(["bash", "-eu", "-c", script], env=environment, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def filled(url: str) -> None:
    with open_store(url, durable=False) as store:
        fill(store, Path.cwd())


def test_the_backup_of_a_sqlite_store_is_equal_to_it() -> None:
    filled("sqlite:///runs.db")

    said = done(BLOCKS["sqlite3"].text)

    assert re.search(rf"^{len(SHOWN)} runs, .* compared", said, re.MULTILINE), said


def test_the_line_for_who_has_no_sqlite3_copies_the_store_as_well() -> None:
    filled("sqlite:///runs.db")
    (line,) = re.findall(r"^`(python -c .*)`\.", PAGES[PAGE].read_text(encoding="utf-8"), re.MULTILINE)

    done(line.replace("python ", f"{sys.executable} ", 1))

    with open_reader("sqlite:///runs.db") as one, open_reader("sqlite:///backup.db") as other:
        assert one.count_runs() == other.count_runs() > 0


@pytest.fixture
def restored(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of another new, empty database of the server that the test is for."""
    server = session.server_or_skip(request.param, request)
    url = server.new_database()
    yield url
    server.drop_database(url)


@pytest.mark.server
@pytest.mark.parametrize("restored", ["postgresql"], indirect=True)
def test_what_is_restored_from_a_dump_of_postgresql_is_equal(postgresql_url: str, restored: str) -> None:
    filled(postgresql_url)
    script = BLOCKS["pg_dump"].text

    said = done(
        script.replace("postgresql://me@host/runs", postgresql_url).replace("postgresql://me@host/restored", restored)
    )

    assert re.search(rf"^{len(SHOWN)} runs, .* compared", said, re.MULTILINE), said


@pytest.mark.server
@pytest.mark.parametrize("restored", ["mariadb"], indirect=True)
def test_what_is_restored_from_a_dump_of_mariadb_is_equal(mariadb_url: str, restored: str) -> None:
    filled(mariadb_url)
    script = BLOCKS["mariadb-dump"].text
    server = urlsplit(mariadb_url)
    script = script.replace("--user=me --host=host", f"--user={server.username} --host=127.0.0.1 --port={server.port}")
    for name, url in (("runs", mariadb_url), ("restored", restored)):
        script = script.replace(f"mysql://me@host/{name}", url)
        script = re.sub(rf"(--port=\d+) {name} ", rf"\1 {database_of(url)} ", script)

    said = done(script)

    assert re.search(rf"^{len(SHOWN)} runs, .* compared", said, re.MULTILINE), said


def test_all_other_commands_of_the_page_are_done_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sqlalchemy")
    make_store()
    monkeypatch.setenv("RUNSTORE_URL", "sqlite:///runs.db")

    for line in ALONE:
        do(line)

    assert len(ALONE) == 10
