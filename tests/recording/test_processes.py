"""Processes that are killed, stopped, forked or that end without a word: what was acknowledged is kept."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from recording.test_formats import run_record, write
from runstore.cli.commands.sync import sync
from runstore.errors import SettingsError, StoreFailureError, StoreUnavailableError
from runstore.model import MetricPoint
from runstore.opening.stores import open_store
from runstore.recording import Recorder
from runstore.recording.again import lookout
from runstore.recording.places import describe_root, identity_of, journal_root
from runstore.recording.records import ExperimentRecord, encode
from support.dying import die, wait_for
from support.walking import contents_below, found_below

TRAINER = Path(__file__).with_name("trainer.py")

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(autouse=True)
def state_dir(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(fast_path / "state"))
    monkeypatch.delenv("RUNSTORE_URL", raising=False)
    monkeypatch.chdir(fast_path)
    return fast_path / "state"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a program of ``trainer.py``."""
    started: list[subprocess.Popen[str]] = []

    def start_one(mode: str, url: str, run_id: str = "run", steps: int = 200) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(TRAINER), mode, url, run_id, str(steps)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def until_line(process: subprocess.Popen[str], wanted: str) -> None:
    """Reads on until a program has written a line; one that ends before is an error."""
    while (found := line(process)) != wanted:
        assert found or process.poll() is None, f"the program ended before it wrote {wanted}"


def stored(url: str, run_id: str = "run") -> dict[str, list[int]]:
    """The steps of each series, as a reader without a recorder sees them; their values are checked on the way."""
    with open_store(url, durable=False) as store:
        found = {}
        for series in store.get_summaries(run_id):
            history = store.get_history(run_id, series.name, series.dataset_type)
            assert list(history.values) == [float(step) for step in history.steps]
            found[series.name] = list(history.steps)
        return found


def journals(state_dir: Path) -> list[Path]:
    return found_below(state_dir, "journals/*/*/writer.lock")


@pytest.mark.parametrize("acknowledged", [0, 1, 5, 50])
def test_what_was_acknowledged_before_a_kill_is_stored_by_a_sync(
    start: Start, sqlite_url: str, state_dir: Path, acknowledged: int
) -> None:
    trainer = start("acknowledge", sqlite_url)
    said = [line(trainer) for _ in range(acknowledged + 1)]
    trainer.kill()
    assert trainer.stdout is not None
    rest = trainer.stdout.read()  # communicate() would pass over what readline() has buffered
    trainer.wait()

    sync(sqlite_url)

    steps = stored(sqlite_url)["loss"]
    heard = [int(each) for each in [*said, *rest.split()]]
    assert steps[: len(heard)] == heard
    assert steps == list(range(len(steps)))
    assert journals(state_dir) == []


def test_a_process_that_ends_without_closing_drains_at_its_exit(start: Start, sqlite_url: str, state_dir: Path) -> None:
    trainer = start("leave", sqlite_url)
    _, errors = trainer.communicate()

    assert trainer.returncode == 0
    assert "not ended" in errors
    assert len(errors.splitlines()) == 1
    assert stored(sqlite_url)["loss"] == list(range(200))
    assert journals(state_dir) == []


def test_sigterm_drains_and_still_kills(start: Start, sqlite_url: str) -> None:
    trainer = start("terminated", sqlite_url)
    line(trainer)

    trainer.send_signal(signal.SIGTERM)
    trainer.communicate()

    assert trainer.returncode == -signal.SIGTERM
    assert stored(sqlite_url)["loss"] == list(range(200))


def test_a_programs_own_handler_for_sigterm_is_left_in_place(start: Start, sqlite_url: str) -> None:
    trainer = start("handle", sqlite_url)
    line(trainer)

    trainer.send_signal(signal.SIGTERM)
    output, errors = trainer.communicate()

    assert (trainer.returncode, output, errors) == (7, "handled\n", "")
    with open_store(sqlite_url, durable=False) as store:
        assert store.get_run("run").status == "interrupted"


@pytest.mark.parametrize("mode", ["fork", "spawn"])
def test_children_that_log_write_journals_of_their_own(
    start: Start, sqlite_url: str, state_dir: Path, mode: str
) -> None:
    trainer = start(mode, sqlite_url)
    _, errors = trainer.communicate()
    sync(sqlite_url)

    found = stored(sqlite_url)
    children = 4 if mode == "fork" else 1
    assert (trainer.returncode, errors) == (0, "")
    assert found == {name: list(range(200)) for name in [*(f"child {n}" for n in range(children)), "parent"]}
    assert journals(state_dir) == []


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield listening.getsockname()[1]


@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "mongodb"])
def test_a_database_that_swallows_everything_hangs_neither_the_loop_nor_the_exit(
    start: Start, black_hole: int, state_dir: Path, scheme: str
) -> None:
    trainer = start("leave", f"{scheme}://127.0.0.1:{black_hole}/runs")
    output, errors = trainer.communicate(timeout=600)

    assert (trainer.returncode, output) == (0, "done\n")
    assert "202 records" in errors
    assert len(journals(state_dir)) == 1


def test_an_older_value_of_a_dead_writer_never_replaces_a_newer_one_however_the_url_is_written(
    start: Start, sqlite_url: str
) -> None:
    with open_store(sqlite_url, durable=False):
        pass  # the schema
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as rival:
        rival.execute("BEGIN EXCLUSIVE")
        dead = start("acknowledge", sqlite_url, steps=20)
        until_line(dead, "19")
        dead.kill()
        dead.communicate()
        rival.execute("ROLLBACK")

    with open_store(f"{sqlite_url}?timeout=30") as store:
        store.ensure_run(store.get_or_create_experiment("x"), run_id="run")
        store.log_metrics(
            "run", [MetricPoint(name="loss", value=-1.0, step=step, dataset_type="train") for step in range(20)]
        )
    sync(sqlite_url)

    with open_store(sqlite_url, durable=False) as bare:
        assert list(bare.get_history("run", "loss", "train").values) == [-1.0] * 20


def test_a_database_that_turns_us_away_is_an_error_before_training_and_not_a_journal_that_fills(
    postgresql_url: str, state_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StoreFailureError, match="does not exist"):
        open_store(f"{postgresql_url}_not_there")

    wait_for(lambda: journals(state_dir) == [])
    assert "wait" not in caplog.text


def test_a_sync_tells_what_it_did_and_does_nothing_twice(
    start: Start, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = start("acknowledge", sqlite_url, steps=20)
    until_line(trainer, "19")
    trainer.kill()
    trainer.communicate()

    sync()  # without a URL: a store that needs no password is found by its journals
    sync()

    first, second = capsys.readouterr().out.splitlines()
    assert "1 journal drained" in first
    assert second == "nothing waits"
    assert stored(sqlite_url)["loss"] == list(range(20))


def test_a_sync_tells_of_refused_records_and_sends_them_again_when_told_to(
    sqlite_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookout, "ORPHAN_GRACE_S", 0.0)
    with open_store(sqlite_url, durable=False) as begun_elsewhere:
        begun_elsewhere.ensure_run(begun_elsewhere.get_or_create_experiment("x"), run_id="run")
    with open_store(sqlite_url) as store:
        store.log_config("run", {"lr": 0.1})
        store.flush()  # type: ignore[attr-defined]  # a recorder's
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as stranger:
            stranger.execute("DELETE FROM runstore_run")
        store.log_metrics("run", [MetricPoint(name="loss", step=step, value=float(step)) for step in range(3)])

    for requeue in (False, True):
        with pytest.raises(StoreFailureError, match=r"not everything is stored: 1 record was refused.*--requeue"):
            sync(requeue=requeue)
    told = capsys.readouterr().out
    sync("sqlite:///another.db")
    with open_store(sqlite_url, durable=False) as mended:
        mended.ensure_run(mended.get_or_create_experiment("x"), run_id="run")
    capsys.readouterr()
    sync(requeue=True)
    said = capsys.readouterr().out
    sync(requeue=True)

    assert "1 record refused before, and kept" in told
    assert "1 record refused before stored now" in said
    assert capsys.readouterr().out == "nothing waits\n"
    assert stored(sqlite_url)["loss"] == [0, 1, 2]


@pytest.mark.parametrize("is_redirected", [False, True], ids=["its store", "another store"])
def test_a_sync_that_refuses_records_for_good_says_so_and_fails(
    sqlite_url: str, state_dir: Path, capsys: pytest.CaptureFixture[str], *, is_redirected: bool
) -> None:
    meant_for = "sqlite:///elsewhere.db" if is_redirected else sqlite_url
    identity = identity_of(meant_for)
    root = journal_root(identity, state_dir)
    root.mkdir(parents=True)
    describe_root(root, identity, identity)
    with open_store(sqlite_url, durable=False) as store:
        store.ensure_run(store.get_or_create_experiment("other"), run_id="taken")
    experiment = encode(ExperimentRecord(at_us=1, name="x", description=None))
    write(root / "writer", [experiment, encode(run_record("taken")), encode(run_record("good")), b"unreadable"])

    with pytest.raises(StoreFailureError, match=r"2 records were refused for good, and are kept; .*--requeue"):
        sync(sqlite_url, source=meant_for if is_redirected else None)

    assert "1 journal drained (2 calls, 0 points), 2 records refused, kept under" in capsys.readouterr().out
    assert stored(sqlite_url, "good") == {}


def test_a_sync_of_a_folder_that_is_not_there_says_so(fast_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no folder.*mistyped"):
        sync(state_dir=fast_path / "mistyped")


def test_two_syncs_and_a_start_at_once_store_everything_once(start: Start, sqlite_url: str, state_dir: Path) -> None:
    for number in range(6):
        trainer = start("acknowledge", sqlite_url, run_id=f"run {number}", steps=30)
        line(trainer)
        trainer.kill()
        trainer.communicate()
    command = [sys.executable, "-c", "from runstore.cli import main; main()", "sync", "--store", sqlite_url]

    syncs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    with open_store(sqlite_url) as store:
        store.get_or_create_experiment("y")
    outputs = [each.communicate()[0] for each in syncs]

    sync(sqlite_url)
    assert [each.returncode for each in syncs] == [0, 0], outputs
    for number in range(6):
        steps = stored(sqlite_url, f"run {number}")["loss"]
        assert steps == list(range(len(steps)))
    assert journals(state_dir) == []


def test_a_sync_against_a_database_that_is_away_says_so_and_keeps_everything(state_dir: Path) -> None:
    url = "postgresql://user@127.0.0.1:1/runs"
    store = open_store(url)
    store.ensure_run(store.get_or_create_experiment("x"), run_id="run")
    assert isinstance(store, Recorder)
    die(store)

    with pytest.raises(StoreUnavailableError, match="runstore sync"):
        sync(url)

    assert len(journals(state_dir)) == 1


def test_a_password_is_neither_in_the_journal_nor_in_what_a_sync_says(
    state_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgresql://user:tiger-Secret@127.0.0.1:1/runs"
    store = open_store(url)
    store.log_metrics("run", [MetricPoint(name="loss", value=1.0, step=1)])
    assert isinstance(store, Recorder)
    die(store)

    with pytest.raises(SettingsError, match="--store") as without_url:
        sync()
    with pytest.raises(StoreUnavailableError) as with_url:
        sync(url)

    files = [content for _, content in contents_below(state_dir)]
    said = "".join([str(without_url.value), str(with_url.value), *capsys.readouterr()])
    assert files
    assert not any(b"tiger-Secret" in content for content in files)
    assert "tiger-Secret" not in said


def test_a_journal_that_another_user_may_not_read_is_private(state_dir: Path, sqlite_url: str) -> None:
    with open_store(sqlite_url) as store:
        store.get_or_create_experiment("x")
        modes = {path.parent.stat().st_mode & 0o777 for path in journals(state_dir)}

    assert modes == {0o700}


def test_a_child_that_is_told_to_end_as_soon_as_it_is_forked_ends(fast_path: Path) -> None:
    program = """
import os, signal, time
from runstore import open_store

store = open_store("memory://")
children = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        while True:  # a signal that comes just before a long sleep would be handled after it
            time.sleep(0.05)
    os.kill(child, signal.SIGTERM)
    children.append(child)
for child in children:
    print(-os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
store.close()
"""

    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        env={**os.environ, "RUNSTORE_STATE_DIR": str(fast_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout.split()) == (0, ["15"] * 20), done.stderr
