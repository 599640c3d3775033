"""SQLite where processes cannot share memory through files: a rollback journal instead of a log, and nothing lost."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from runstore import MetricPoint, open_reader, open_store
from runstore.backend import Store
from runstore.cli.commands.sync import sync
from runstore.hookspecs import OpenOptions
from runstore_sql.opening import open_sql
from support.mounts import without_shared_memory

LEAVE_A_LOG = """
import os, sys
from runstore import MetricPoint, open_store
store = open_store(sys.argv[1], durable=False)
store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
for step in range(10):
    store.log_metrics("run", [MetricPoint(name="loss", value=1.0, step=step)])
os._exit(0)
"""


@pytest.fixture(scope="module")
def mounted() -> Iterator[tuple[Path, Path]]:
    with without_shared_memory() as places:
        yield places


@pytest.fixture
def folder(mounted: tuple[Path, Path], request: pytest.FixtureRequest) -> Path:
    """A new folder on the mount."""
    folder = mounted[0] / str(abs(hash(request.node.nodeid)))
    folder.mkdir()
    return folder


@pytest.fixture
def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'runs.db'}"


@pytest.fixture
def made_elsewhere(folder: Path, fast_path: Path) -> Path:
    """A file with a log, as a disk with shared memory has it, that was moved here with ten points in the log."""
    subprocess.run([sys.executable, "-c", LEAVE_A_LOG, f"sqlite:///{fast_path / 'runs.db'}"], check=True)
    for ending in ("", "-wal"):
        shutil.copy(fast_path / f"runs.db{ending}", folder / f"runs.db{ending}")
    return folder / "runs.db"


def log(store: Store, step: int) -> None:
    store.log_metrics("run", [MetricPoint(name="loss", value=1.0, step=step)])


def use(url: str, *, durable: bool) -> None:
    with open_store(url, durable=durable) as store:
        store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        for step in range(20):
            log(store, step)
        store.finalize("run", "completed")


def count(url: str) -> int:
    with open_reader(url) as reader:
        return len(reader.get_history("run", "loss", "other"))


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.fixture(autouse=True)
def state_dir(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path / "state"))


@pytest.mark.parametrize("durable", [False, True], ids=["bare", "recorded"])
def test_a_store_is_made_written_and_read_and_says_once_what_is_different(
    url: str, folder: Path, caplog: pytest.LogCaptureFixture, *, durable: bool
) -> None:
    with caplog.at_level(logging.WARNING, logger="runstore_sql"):
        use(url, durable=durable)
        use(url, durable=durable)

    assert count(url) == 20
    assert names(folder) == ["runs.db"]
    (said,) = [record.message for record in caplog.records if "shared memory" in record.message]
    assert said.startswith(f"{url} lies on a file system without shared memory")
    assert said.endswith("all is stored as safely, and readers and writers wait for each other")


def test_each_commit_waits_for_the_disk(url: str) -> None:
    with open_sql(url, OpenOptions()) as store:

        def settings(connection: sa.Connection) -> list[object]:
            return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]

        assert store.database.read(settings) == ["delete", 2]


@pytest.mark.parametrize("has_log", [True, False], ids=["with log", "without log"])
def test_a_file_with_a_log_that_was_made_elsewhere_is_read_as_it_is_and_written_to(
    url: str, made_elsewhere: Path, *, has_log: bool
) -> None:
    folder = made_elsewhere.parent
    if not has_log:
        (folder / "runs.db-wal").unlink()
    before = names(folder)
    stored = count(url) if has_log else 0

    assert stored == (10 if has_log else 0)
    assert names(folder) == before
    with open_store(url, durable=False) as store:
        store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        log(store, 10)
        store.finalize("run", "completed")
    assert count(url) == stored + 1
    assert names(folder) == ["runs.db"]


@pytest.mark.parametrize("where", ["journals alone", "both"])
def test_journals_may_lie_there(
    url: str, folder: Path, fast_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(folder / "state"))
    url = url if where == "both" else f"sqlite:///{fast_path / 'runs.db'}"
    program = """
import os, sys
from runstore import MetricPoint, open_store
store = open_store(sys.argv[1])
store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
for step in range(1000):
    store.log_metrics("run", [MetricPoint(name="loss", value=1.0, step=step)])
os._exit(1)
"""
    subprocess.run([sys.executable, "-c", program, url], check=False)

    sync(url)

    assert count(url) == 1000


def test_a_child_goes_on_after_its_parent_has_closed(url: str) -> None:
    with open_sql(url, OpenOptions()) as store:
        store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            status = 1
            try:
                os.read(reading, 1)
                for step in range(20):
                    log(store, step)
                status = 0
            finally:
                os._exit(status)
    os.write(writing, b"!")

    assert os.waitpid(child, 0)[1] == 0
    assert count(url) == 20
