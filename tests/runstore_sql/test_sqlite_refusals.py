"""A place where SQLite cannot store anything is told at the opening, by what is wrong with it, and nothing is journaled."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from runstore import open_reader, open_store
from runstore.errors import RunStoreError, SchemaError, StoreFailureError
from runstore.hookspecs import OpenOptions
from runstore.local.open_files import SIDE_FILES
from runstore_sql.dialects.connector import ChangedError
from runstore_sql.dialects.sqlite.files import check_file
from runstore_sql.dialects.sqlite.reading import ReadFile
from runstore_sql.opening import open_sql
from support.dying import wait_for
from support.users import NOBODY, let_through, needs_root, run_as
from support.walking import found_below


def make(path: Path) -> None:
    open_sql(f"sqlite:///{path}", OpenOptions()).close()


def nothing_in_it(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/null")


def a_broken_link(path: Path) -> None:
    path.symlink_to(path.parent / "away" / "runs.db")


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("durable", [False, True], ids=["bare", "recorded"])
@pytest.mark.parametrize(
    ("do", "told"),
    [
        (nothing_in_it, "is a folder; give a file in it"),
        (a_pipe, "no regular file"),
        (a_device, "no regular file"),
        (a_broken_link, "is a link to .*away/runs.db, which is not there"),
        (a_link_to_itself, "cannot be reached"),
    ],
)
def test_what_is_no_file_is_refused_by_what_it_is(
    fast_path: Path, monkeypatch: pytest.MonkeyPatch, do: Callable[[Path], None], told: str, *, durable: bool
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path / "state"))
    path = fast_path / "runs.db"
    do(path)
    before = sorted(fast_path.iterdir())

    with pytest.raises(StoreFailureError, match=told):
        open_store(f"sqlite:///{path}", durable=durable)
    with pytest.raises((StoreFailureError, SchemaError), match=told):
        open_reader(f"sqlite:///{path}")

    assert [each for each in sorted(fast_path.iterdir()) if each.name != "state"] == before
    wait_for(lambda: not found_below(fast_path / "state", "journals/*/*/*.segment"))


def test_a_path_below_a_file_is_refused(fast_path: Path) -> None:
    (fast_path / "file").write_text("x")

    for url in (f"sqlite:///{fast_path}/file/runs.db", f"sqlite:///{fast_path}/{'x' * 300}/runs.db"):
        with pytest.raises(RunStoreError, match=r"cannot be (reached|made)"):
            open_store(url, durable=False)


OPEN = """
for durable in (False, True):
    try:
        with open_store(url, durable=durable) as store:
            store.ensure_run(store.get_or_create_experiment("experiment"), run_id=f"run {durable}")
    except RunStoreError as error:
        say(type(error).__name__, error)
    else:
        say("stored")
for parent, _, names in os.walk(os.environ["RUNSTORE_STATE_DIR"]):
    if any(name.endswith(".segment") for name in names):
        say("journaled")
"""


def unwritable_folder(folder: Path) -> None:
    make(folder / "runs.db")
    (folder / "runs.db").chmod(0o666)


def unwritable_folder_without_a_file(folder: Path) -> None:
    assert folder.is_dir()


def folder_that_cannot_be_made(folder: Path) -> None:
    folder.rmdir()


def unreadable_folder(folder: Path) -> None:
    unwritable_folder(folder)
    folder.chmod(0o700)


def read_only_file(folder: Path) -> None:
    make(folder / "runs.db")
    folder.chmod(0o777)


def unreadable_file(folder: Path) -> None:
    make(folder / "runs.db")
    (folder / "runs.db").chmod(0o600)
    folder.chmod(0o777)


def log_of_another_user(folder: Path) -> None:
    make(folder / "runs.db")
    (folder / "runs.db").chmod(0o666)
    folder.chmod(0o777)
    (folder / "runs.db-shm").touch()


@needs_root
@pytest.mark.parametrize(
    ("do", "told"),
    [
        (unwritable_folder, "may not write in the folder"),
        (unwritable_folder_without_a_file, "may not write in the folder"),
        (folder_that_cannot_be_made, "cannot be made: Permission denied"),
        (unreadable_folder, "cannot be reached: Permission denied"),
        (read_only_file, "is read-only for this user"),
        (unreadable_file, "cannot be read by this user"),
        (log_of_another_user, "runs.db-shm belongs to root"),
    ],
)
def test_what_this_user_may_not_do_is_told_at_the_opening(
    fast_path: Path, do: Callable[[Path], None], told: str
) -> None:
    folder, state = fast_path / "lab" / "runs", fast_path / "state"
    folder.mkdir(parents=True)
    state.mkdir()
    state.chmod(0o777)
    let_through(fast_path)
    do(folder)

    said = run_as(NOBODY, OPEN, url=f"sqlite:///{folder / 'runs.db'}", state=state)

    assert len(said) == 2
    assert all(line.startswith("StoreFailureError ") and told in line for line in said), said


@pytest.mark.parametrize("is_here", [True, False], ids=["in this process", "in another"])
def test_a_file_in_use_by_another_of_its_names_is_refused(fast_path: Path, *, is_here: bool) -> None:
    path, name = fast_path / "runs.db", fast_path / "name.db"
    make(path)
    name.hardlink_to(path)
    program = f"""
import sys
from runstore import open_store
with open_store("sqlite:///{path}", durable=False) as store:
    print(store.get_or_create_experiment("experiment"), flush=True)
    sys.stdin.readline()
"""

    if is_here:
        with open_sql(f"sqlite:///{path}", OpenOptions()) as store:
            store.get_or_create_experiment("experiment")
            with pytest.raises(StoreFailureError, match="another of its names"):
                open_sql(f"sqlite:///{name}", OpenOptions())
            make(path)
    else:
        with subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline()
            with pytest.raises(StoreFailureError, match="another of its names"):
                open_sql(f"sqlite:///{name}", OpenOptions())
            make(path)
            other.communicate("\n")

    make(name)


@contextmanager
def come_and_go(*paths: Path) -> Iterator[None]:
    """Files that are made and removed all the time, as others open and close a database."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            for path in paths:
                path.touch()
            for path in paths:
                path.unlink()

    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(work)
        try:
            yield
        finally:
            is_over.set()
            done.result()


def test_a_log_that_comes_and_goes_while_a_store_is_opened_is_no_trouble(fast_path: Path) -> None:
    path = fast_path / "runs.db"
    make(path)
    with come_and_go(*(path.with_name(path.name + ending) for ending in SIDE_FILES)):
        for _ in range(3_000):
            check_file(path, f"sqlite:///{path}", read_only=False)


def test_a_journal_that_goes_while_a_copy_is_read_is_no_trouble(fast_path: Path) -> None:
    path = fast_path / "runs.db"
    with open_store(f"sqlite:///{path}", durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("e"))
        for ending in ("", "-wal"):  # as a crash leaves them
            shutil.copyfile(f"{path}{ending}", fast_path / f"left.db{ending}")
    with come_and_go(fast_path / "left.db-journal"):
        for _ in range(300):
            with (
                suppress(ChangedError),
                closing(ReadFile(fast_path / "left.db", {})) as file,
                closing(file.connect()) as connection,
            ):
                assert connection.execute("SELECT id FROM runstore_run").fetchall() == [(run_id,)]
