"""A SQLite file that is moved, replaced or robbed of its log under an open store: nothing is acknowledged that is lost."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore.errors import RunStoreError, StoreFailureError
from runstore.hookspecs import OpenOptions
from runstore.local import sqlite_files
from runstore_sql.opening import open_sql
from runstore_sql.store import SqlStore


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def store(sqlite_url: str) -> Iterator[SqlStore]:
    with open_sql(sqlite_url, OpenOptions()) as store:
        store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        log(store, 0)
        yield store


def log(store: SqlStore, step: int) -> None:
    store.log_metrics("run", [MetricPoint(name="loss", value=1.0, step=step)])


def points(url: str) -> int:
    with open_reader(url) as reader:
        return len(reader.get_history("run", "loss", "other"))


def remove(path: Path) -> None:
    path.unlink()


def move(path: Path) -> None:
    path.rename(path.with_name("moved"))


def replace(path: Path) -> None:
    new = path.with_name("new")
    open_sql(f"sqlite:///{new}", OpenOptions()).close()
    new.rename(path)


def remove_all(path: Path) -> None:
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()


def move_the_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.mkdir()


@pytest.mark.parametrize("do", [remove, move, replace, remove_all, move_the_folder])
def test_a_file_that_is_not_where_it_was_takes_nothing(
    store: SqlStore, sqlite_url: str, do: Callable[[Path], None]
) -> None:
    do(path_of(sqlite_url))

    with pytest.raises(StoreFailureError, match="moved, replaced or deleted"):
        log(store, 1)
    with pytest.raises(StoreFailureError, match="moved, replaced or deleted"):
        store.log_config("run", {"a": 1})


def test_a_file_that_is_put_back_is_used_again(store: SqlStore, sqlite_url: str) -> None:
    path = path_of(sqlite_url)
    path.rename(path.with_name("moved"))
    with pytest.raises(StoreFailureError, match="put it back"):
        log(store, 1)

    path.with_name("moved").rename(path)

    log(store, 1)
    assert points(sqlite_url) == 2


def test_a_recorder_keeps_what_a_file_that_is_gone_does_not_take(
    sqlite_url: str, fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path / "state"))
    path = path_of(sqlite_url)
    with open_store(sqlite_url) as store:
        store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
        log(store, 0)  # type: ignore[arg-type]  # a recorder
        assert len(store.get_history("run", "loss", "other")) == 1
        path.rename(path.with_name("moved"))
        log(store, 1)  # type: ignore[arg-type]  # as above
        health = store.health  # type: ignore[attr-defined]  # as above
        with pytest.raises(RunStoreError):
            store.flush(deadline_s=1.0)  # type: ignore[attr-defined]  # as above
        assert not health().is_all_stored

        path.with_name("moved").rename(path)
        store.flush()  # type: ignore[attr-defined]  # as above

        assert health().is_all_stored
        assert points(sqlite_url) == 2


LOSING_ITS_LOG = """
import os, subprocess, sys
from runstore import MetricPoint, open_reader, open_store
from runstore.errors import StoreFailureError
path, way = sys.argv[1:]
store = open_store(f"sqlite:///{path}", durable=False)
store.ensure_run(store.get_or_create_experiment("experiment"), run_id="run")
def log(step):
    store.log_metrics("run", [MetricPoint(name="loss", value=1.0, step=step)])
for step in range(10):
    log(step)
if way == "copied":
    open(path, "rb").close()  # drops this process's locks
    foreign = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT count(*) FROM runs').fetchone(); c.close()"
    subprocess.run([sys.executable, "-c", foreign, path], check=True)
else:
    os.unlink(f"{path}-wal")
for attempt in range(3):
    try:
        log(10 + attempt)
    except StoreFailureError as error:
        print(error)
    else:
        print("acknowledged")
try:
    open_store(f"sqlite:///{path}", durable=False)
except StoreFailureError as error:
    print(error)
store.close()
"""


@pytest.mark.parametrize("way", ["copied", "removed"])
def test_a_log_that_is_removed_under_a_store_takes_nothing_more(sqlite_url: str, way: str) -> None:
    path = path_of(sqlite_url)

    told = subprocess.run(
        [sys.executable, "-c", LOSING_ITS_LOG, path, way], check=True, capture_output=True, text=True
    ).stdout.splitlines()

    assert len(told) == 4
    assert all("was removed while this store was open" in line for line in told)
    if way == "copied":
        assert points(sqlite_url) == 10
        with open_sql(sqlite_url, OpenOptions()) as store:
            log(store, 10)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_file_that_another_process_checkpoints_and_copies_is_left_in_peace(store: SqlStore, sqlite_url: str) -> None:
    path = path_of(sqlite_url)
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA wal_checkpoint(TRUNCATE)'); c.close()"
    )

    for step in range(1, 5):
        subprocess.run([sys.executable, "-c", program, path], check=True)
        subprocess.run(["cp", path, path.with_name(f"copy {step}")], check=True)
        log(store, step)

    assert points(sqlite_url) == 5


def test_a_store_that_opens_while_another_closes_is_not_taken_for_one_whose_log_was_removed(
    fast_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{fast_path / 'runs.db'}"
    first = open_sql(url, OpenOptions())
    first.ensure_run(first.get_or_create_experiment("experiment"), run_id="run")
    opened: list[SqlStore] = []

    class Connections(dict[int, Any]):
        """Another thread opens the store where the last connection is closed and not yet forgotten: its log is gone."""

        def pop(self, *arguments: Any) -> Any:
            if not opened and not Path(f"{path_of(url)}-wal").exists():
                opened.append(open_sql(url, OpenOptions()))
            return super().pop(*arguments)

    monkeypatch.setattr(sqlite_files, "_connections", Connections(sqlite_files._connections))  # noqa: SLF001 - the moment lies between two lines
    first.close()

    with opened[0] as second:
        log(second, 0)
    assert points(url) == 1
