"""A database that is open here, logged as an artifact: it keeps its locks, and what is kept is a whole copy (DUR.1, ART.5)."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runstore import InvalidValueError, MetricPoint, open_reader, open_store
from runstore.backend import Store

READ_AND_LEAVE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
connection.close()
"""


@pytest.fixture
def outputs(fast_path: Path) -> Path:
    folder = fast_path / "outputs"
    (folder / "deep").mkdir(parents=True)
    (folder / "model.ckpt").write_bytes(b"weights")
    return folder


@pytest.fixture(params=["bare", "recorded"])
def store(request: pytest.FixtureRequest, outputs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store whose file lies among what is logged, with one point."""
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(outputs.with_name("state")))
    with open_store(f"sqlite:///{outputs / 'runs.db'}", durable=request.param == "recorded") as store:
        store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        log(store, 0)
        assert store.get_run("run").id == "run"
        yield store


def log(store: Store, step: int) -> None:
    store.log_metrics("run", [MetricPoint(name="loss", value=1.0, step=step)])


def another_program_reads(path: Path) -> None:
    """As the last one to leave, SQLite removes the log; so it does when this process has lost its locks."""
    subprocess.run([sys.executable, "-c", READ_AND_LEAVE, path], check=True)


def check_nothing_is_lost(store: Store, path: Path) -> None:
    another_program_reads(path)
    for step in range(1, 51):
        log(store, step)
    store.get_run("run")
    another_program_reads(path)
    with open_reader(f"sqlite:///{path}") as reader:
        assert len(reader.get_history("run", "loss", "other")) == 51
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def check_is_a_whole_copy(store: Store, name: str, tmp_path: Path) -> None:
    with store.open_artifact("run", name) as stream:
        (tmp_path / "copy.db").write_bytes(stream.read())
    with open_reader(f"sqlite:///{tmp_path / 'copy.db'}") as reader:
        assert len(reader.get_history("run", "loss", "other")) == 1


def test_a_folder_that_holds_the_stores_own_file(store: Store, outputs: Path, tmp_path: Path) -> None:
    store.log_artifact("run", outputs)

    names = {record.name for record in store.list_artifacts("run") if record.artifact_type == "file"}
    assert names >= {"outputs/model.ckpt", "outputs/runs.db"}
    assert not [name for name in names if name.endswith(("-wal", "-shm"))]
    check_is_a_whole_copy(store, "outputs/runs.db", tmp_path)
    check_nothing_is_lost(store, outputs / "runs.db")


@pytest.mark.parametrize("link", [Path.hardlink_to, Path.symlink_to])
def test_the_file_by_a_link(store: Store, outputs: Path, tmp_path: Path, link: Callable[[Path, Path], None]) -> None:
    link(outputs / "deep" / "linked", outputs / "runs.db")
    before = sorted((outputs / "deep").iterdir())

    store.log_artifact("run", outputs / "deep" / "linked")

    assert sorted((outputs / "deep").iterdir()) == before
    check_is_a_whole_copy(store, "linked", tmp_path)
    check_nothing_is_lost(store, outputs / "runs.db")


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_what_lies_beside_the_file_is_refused_by_itself_and_left_out_of_a_folder(
    store: Store, outputs: Path, ending: str
) -> None:
    (outputs / "deep" / "linked").symlink_to(outputs / f"runs.db{ending}")

    for path in (outputs / f"runs.db{ending}", outputs / "deep" / "linked"):
        with pytest.raises(InvalidValueError, match="a part of the database"):
            store.log_artifact("run", path)
    store.log_artifact("run", outputs)

    assert "outputs/deep/linked" not in {record.name for record in store.list_artifacts("run")}
    check_nothing_is_lost(store, outputs / "runs.db")


def test_another_stores_file(store: Store, outputs: Path, fast_path: Path) -> None:
    with open_store(f"sqlite:///{fast_path / 'other.db'}", durable=False) as other:
        other.ensure_run(other.get_or_create_experiment("experiment"), run_id="run")

        other.log_artifact("run", outputs)

    check_nothing_is_lost(store, outputs / "runs.db")


def test_another_programs_database_that_is_open_here_keeps_its_locks(store: Store, outputs: Path) -> None:
    path = outputs / "study.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as study:
        study.execute("CREATE TABLE trials (number INTEGER)")
        study.execute("BEGIN IMMEDIATE")

        store.log_artifact("run", outputs)

        program = (
            "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('INSERT INTO trials VALUES (1)')"
        )
        intruder = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=False)
        assert "database is locked" in intruder.stderr
        study.execute("ROLLBACK")


def test_a_database_that_nobody_has_open_is_kept_byte_for_byte(store: Store, outputs: Path) -> None:
    path = outputs / "old.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("CREATE TABLE trials (number INTEGER)")
    descriptors = len(list(Path("/dev/fd").iterdir()))

    store.log_artifact("run", path)

    with store.open_artifact("run", "old.db") as stream:
        assert stream.read() == path.read_bytes()
    assert len(list(Path("/dev/fd").iterdir())) <= descriptors + 4  # a recorder opens files of its own
