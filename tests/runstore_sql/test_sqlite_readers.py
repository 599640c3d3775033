"""A reader creates and writes nothing, and reads whatever it may read, whoever owns the file and its folder."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore.backend import Store
from runstore.errors import StoreFailureError, StoreUnavailableError
from runstore.hookspecs import OpenOptions
from runstore_sql.opening import open_sql
from support.users import NOBODY, OWNER, Program, let_through, needs_root, run_as

Listing = dict[str, tuple[int, ...]]


@pytest.fixture
def folder(fast_path: Path) -> Path:
    """A folder that every user may pass through to."""
    folder = fast_path / "runs"
    folder.mkdir()
    let_through(fast_path)
    return folder


@pytest.fixture
def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'runs.db'}"


def log(store: Store, step: int) -> None:
    store.log_metrics("run", [MetricPoint(name="loss", value=1.0, step=step)])


def make(url: str, points: int = 1) -> None:
    with open_sql(url, OpenOptions()) as store:
        store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        for step in range(points):
            log(store, step)


def count(url: str) -> int:
    with open_reader(url) as reader:
        return len(reader.get_history("run", "loss", "other"))


def listing(folder: Path) -> Listing:
    """Everything that can be told of the files of a folder without opening one."""
    found = {each.name: each.stat() for each in folder.iterdir() if each.is_file()}
    return {name: (at.st_ino, at.st_size, at.st_mtime_ns, at.st_uid, at.st_mode) for name, at in found.items()}


def give_to(user: int, folder: Path, mode: int) -> None:
    for each in folder.iterdir():
        os.chown(each, user, user)
    os.chown(folder, user, user)
    folder.chmod(mode)


READ = """
with open_reader(url) as reader:
    say("sees", len(reader.get_history("run", "loss", "other")))
    sys.stdin.readline()
    say("sees", len(reader.get_history("run", "loss", "other")))
"""

WRITE = """
with open_store(url, durable=False) as store:
    step = len(store.get_history("run", "loss", "other"))
    log(store, step)
    say("wrote", step)
    sys.stdin.readline()
"""

LEAVE_A_LOG = """
import os, sys
from runstore import MetricPoint, open_store
store = open_store(sys.argv[1], durable=False)
store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
for step in range(10):
    store.log_metrics("run", [MetricPoint(name="loss", value=1.0, step=step)])
os._exit(0)
"""


def test_a_quiet_file_is_read_and_nothing_is_made_or_changed(url: str, folder: Path) -> None:
    make(url)
    before = listing(folder)

    assert count(url) == 1
    with open_reader(url) as reader:
        assert reader.get_run("run").id == "run"
        assert listing(folder) == before

    assert listing(folder) == before


def test_a_reader_that_stays_sees_each_writer_come_and_go(url: str) -> None:
    make(url)
    with open_reader(url) as reader:

        def seen() -> int:
            return len(reader.get_history("run", "loss", "other"))

        assert seen() == 1
        for step in range(1, 4):
            with open_store(url, durable=False) as store:
                log(store, step)
                assert seen() == step + 1
            assert seen() == step + 1


def test_a_reader_sees_whole_states_while_writers_come_and_go(url: str) -> None:
    make(url)
    program = """
import sys
from runstore import MetricPoint, open_store
for step in range(1, 40):
    with open_store(sys.argv[1], durable=False) as store:
        store.log_metrics("run", [MetricPoint(name=f"m{n}", value=1.0, step=step) for n in range(200)])
"""
    with open_reader(url) as reader, subprocess.Popen([sys.executable, "-c", program, url]) as writer:
        counts = [0]
        while writer.poll() is None:
            found = {series.count for series in reader.get_summaries("run") if series.name != "loss"}
            assert len(found) <= 1
            counts.extend(found)

        assert {series.count for series in reader.get_summaries("run")} == {1, 39}
    assert counts == sorted(counts)


def test_a_file_that_goes_away_is_unavailable_until_it_is_back(url: str, folder: Path) -> None:
    with open_store(url, durable=False) as store:
        store.ensure_run(store.get_or_create_experiment("e"), run_id="kept")
    with open_reader(url) as reader:
        assert reader.get_run("kept").id == "kept"
        path = folder / "runs.db"
        moved = path.rename(folder / "moved.db")
        with pytest.raises(StoreUnavailableError, match="bring the file back"):
            reader.get_run("kept")
        moved.rename(path)

        assert reader.get_run("kept").id == "kept"


def test_a_file_that_is_replaced_is_read_anew(url: str, folder: Path) -> None:
    make(url)
    with open_reader(url) as reader:
        assert len(reader.get_history("run", "loss", "other")) == 1
        make(f"sqlite:///{folder / 'new.db'}", points=5)

        (folder / "new.db").rename(folder / "runs.db")

        assert len(reader.get_history("run", "loss", "other")) == 5


@pytest.mark.parametrize("has_index", [True, False], ids=["with index", "without index"])
def test_what_a_killed_writer_left_is_read_where_it_lies(url: str, folder: Path, *, has_index: bool) -> None:
    subprocess.run([sys.executable, "-c", LEAVE_A_LOG, url], check=True)
    if not has_index:
        (folder / "runs.db-shm").unlink()
    names = sorted(each.name for each in folder.iterdir())
    before = {name: (folder / name).read_bytes() for name in ("runs.db", "runs.db-wal")}

    assert count(url) == 10

    assert sorted(each.name for each in folder.iterdir()) == names
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_a_reader_leaves_no_copy_behind(
    url: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run([sys.executable, "-c", LEAVE_A_LOG, url], check=True)
    (folder / "runs.db-shm").unlink()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with open_reader(url) as reader:
        assert len(reader.get_history("run", "loss", "other")) == 10
        assert len(list(tmp_path.iterdir())) == 1
        if (child := os.fork()) == 0:
            reader.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert len(reader.get_history("run", "loss", "other")) == 10

    assert list(tmp_path.iterdir()) == []


def test_what_a_rollback_journal_holds_is_undone_in_a_copy(url: str, folder: Path) -> None:
    make(url)
    path = folder / "runs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    program = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("DELETE FROM runstore_point")
connection.execute("CREATE TABLE more AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", program, path], check=True)
    before = listing(folder)
    assert before["runs.db-journal"][1] > 0

    assert count(url) == 1

    assert listing(folder) == before


@needs_root
def test_another_users_reader_leaves_the_owner_able_to_write(url: str, folder: Path) -> None:
    make(url)
    give_to(OWNER, folder, 0o777)
    state = folder.with_name("state")
    state.mkdir(mode=0o777)
    state.chmod(0o777)

    reader = Program(READ, user=NOBODY, url=url, state=state)
    first = reader.line()
    while_it_reads = run_as(OWNER, WRITE, url=url, state=state)
    second = reader.rest()
    afterwards = run_as(OWNER, WRITE, url=url, state=state)

    assert (first, second) == ("sees 1", ["sees 2"])
    assert (while_it_reads, afterwards) == (["wrote 1"], ["wrote 2"])
    assert {each.stat().st_uid for each in folder.iterdir() if each.is_file()} == {OWNER}


@needs_root
def test_another_users_reader_sees_what_a_living_writer_writes(url: str, folder: Path) -> None:
    make(url)
    give_to(OWNER, folder, 0o755)
    with closing_program(Program(WRITE, user=OWNER, url=url, state=folder.with_name("state"))) as writer:
        assert writer.line() == "wrote 1"
        assert (folder / "runs.db-wal").stat().st_size > 0

        found = run_as(NOBODY, READ, url=url, state=folder.with_name("state"))

    assert found == ["sees 2", "sees 2"]


@contextmanager
def closing_program(program: Program) -> Iterator[Program]:
    try:
        yield program
    finally:
        program.kill()


@needs_root
@pytest.mark.parametrize("way", ["quiet", "log", "log without index"])
def test_a_folder_that_one_may_only_read_is_enough(url: str, folder: Path, way: str) -> None:
    if way == "quiet":
        make(url, points=10)
    else:
        subprocess.run([sys.executable, "-c", LEAVE_A_LOG, url], check=True)
    if way == "log without index":
        (folder / "runs.db-shm").unlink()
    give_to(OWNER, folder, 0o755)
    before = listing(folder)

    found = run_as(NOBODY, READ, url=url, state=folder.with_name("state"))

    assert found == ["sees 10", "sees 10"]
    assert listing(folder) == before


@needs_root
def test_root_reads_and_owns_nothing_afterwards(url: str, folder: Path) -> None:
    subprocess.run([sys.executable, "-c", LEAVE_A_LOG, url], check=True)
    give_to(OWNER, folder, 0o755)

    assert count(url) == 10

    assert {each.stat().st_uid for each in folder.iterdir()} == {OWNER}
    assert run_as(OWNER, WRITE, url=url, state=folder.with_name("state")) == ["wrote 10"]


@needs_root
@pytest.mark.parametrize("way", ["quiet", "log"])
def test_a_read_only_mount_is_read(url: str, folder: Path, way: str) -> None:
    if way == "quiet":
        make(url, points=10)
    else:
        subprocess.run([sys.executable, "-c", LEAVE_A_LOG, url], check=True)
    mount = folder.with_name("mount")
    mount.mkdir()
    bound = subprocess.run(["mount", "--bind", folder, mount], capture_output=True, check=False)
    if bound.returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", mount], check=True)

        assert count(f"sqlite:///{mount / 'runs.db'}") == 10
        with pytest.raises(StoreFailureError, match="read-only"):
            open_sql(f"sqlite:///{mount / 'runs.db'}", OpenOptions())
    finally:
        subprocess.run(["umount", "-l", mount], check=True)
        shutil.rmtree(mount)
