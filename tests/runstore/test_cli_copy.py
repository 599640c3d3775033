"""``runstore copy`` and ``runstore verify`` as people call them."""

import gzip
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from runstore import MetricPoint, open_reader, open_store
from runstore.recording.waiting import list_waiting
from runstore.urls import file_of
from support.commands import environment, runstore, runstore_on_a_terminal
from support.landed import FOLDER
from support.waiting import wait_until


@pytest.fixture
def urls(tmp_path: Path) -> tuple[str, str]:
    """A store with two runs, and the URL of one that is not there yet."""
    source, target = (f"sqlite:///{tmp_path / name}" for name in ("source.db", "target.db"))
    with open_store(source, durable=False) as store:
        experiment_id = store.get_or_create_experiment("ct-seg")
        for run_id in ("first", "second"):
            store.ensure_run(experiment_id, run_id=run_id)
            store.log_metrics(run_id, [MetricPoint("loss", 0.5, step) for step in range(3)])
            store.finalize(run_id, "completed")
    return source, target


def test_a_dry_run_says_what_would_be_copied_and_makes_no_store(urls: tuple[str, str]) -> None:
    dry = runstore("copy", *urls, "--dry-run")

    assert dry.stdout == "would copy 2 runs: 2 new; at most 6 points, 0 files (0 bytes)\n"
    assert not Path(urls[1].removeprefix("sqlite:///")).exists()


def test_a_copy_says_what_it_did_and_verify_that_it_is_complete(urls: tuple[str, str]) -> None:
    copied, again = runstore("copy", *urls), runstore("copy", *urls, "--json")
    verified = runstore("verify", *urls)

    assert (copied.stdout, copied.stderr) == ("2 runs: 2 new; 6 points, 0 files (0 bytes) sent\n", "")
    told = {"runs": {"unchanged": 2}, "points": 0, "files": 0, "bytes": 0, "troubles": []}
    assert json.loads(again.stdout) == told
    assert verified.stdout == "2 runs, 6 points and the bytes of 0 files compared\n"
    assert [each.returncode for each in (copied, again, verified)] == [0, 0, 0]


def test_a_dry_run_into_a_store_that_must_be_brought_up_to_date_says_so(urls: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "target.db").write_bytes(gzip.decompress((FOLDER / "sqlite.db.gz").read_bytes()))

    dry = runstore("copy", *urls, "--dry-run")

    assert dry.returncode == 1
    assert "runstore migrate upgrade" in dry.stderr
    assert dry.stdout == ""


def test_a_run_that_cannot_be_copied_is_told_and_the_exit_status_is_one(urls: tuple[str, str]) -> None:
    runstore("copy", *urls)
    with open_store(urls[1], durable=False) as store:
        store.delete_run("first")

    dry, copied = runstore("copy", *urls, "--dry-run"), runstore("copy", *urls)

    assert dry.stdout.startswith("would copy 2 runs: 1 unchanged, 1 refused;")
    assert (copied.stdout.split(";")[0], copied.returncode) == ("2 runs: 1 unchanged, 1 refused", 1)
    assert "first, run: the run 'first' was deleted; restore_run" in copied.stderr
    assert "Traceback" not in copied.stderr


def test_a_difference_is_named_and_the_exit_status_is_one(urls: tuple[str, str]) -> None:
    runstore("copy", *urls)
    with open_store(urls[1], durable=False) as store:
        store.set_note("second", "read")

    text, program = runstore("verify", *urls), runstore("verify", *urls, "--json")

    assert text.stdout.splitlines()[0] == "second  note: None in SRC, 'read' in DST"
    assert json.loads(program.stdout)["differences"] == [
        {"run_id": "second", "what": "note", "source": "None", "target": "'read'"}
    ]
    assert (text.returncode, program.returncode) == (1, 1)
    assert "1 of 2 runs differ" in text.stderr


def test_a_store_is_not_copied_onto_itself_and_a_source_that_is_not_there_is_told(urls: tuple[str, str]) -> None:
    same = runstore("copy", urls[0], urls[0])
    missing = runstore("copy", urls[1], urls[0])
    lost = runstore("copy", urls[0], "memory://")

    assert (same.returncode, missing.returncode, lost.returncode) == (1, 1, 1)
    assert same.stderr == "runstore: SRC and DST are the same store; name another one to copy to\n"
    assert "there is no store at" in missing.stderr
    assert "name a store that stays" in lost.stderr


def test_some_runs_are_chosen_by_filter_and_experiment(urls: tuple[str, str]) -> None:
    runstore("copy", *urls, "--filter", "id = 'first'", "--experiment", "ct-seg")

    with open_reader(urls[1]) as reader:
        assert [run.id for run in reader.search_runs()] == ["first"]
    assert (
        "there is no experiment 'ct-sge'; did you mean 'ct-seg'?"
        in runstore("copy", *urls, "--experiment", "ct-sge").stderr
    )


def test_what_waits_in_a_journal_for_the_source_is_told(urls: tuple[str, str], tmp_path: Path) -> None:
    program = "import sys, os; from runstore import open_store, MetricPoint; store = open_store(sys.argv[1]); \
store.log_metrics('first', [MetricPoint('loss', 0.25, 9)]); os._exit(0)"
    state = str(tmp_path / "state")
    with closing(sqlite3.connect(file_of(urls[0]) or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # so that nothing of it is stored before the program is gone
        subprocess.run([sys.executable, "-c", program, urls[0]], env=environment(RUNSTORE_STATE_DIR=state), check=True)

    assert "runstore sync --store" in runstore("copy", *urls, RUNSTORE_STATE_DIR=state).stderr


def test_a_program_whose_points_are_all_stored_is_not_waited_for(
    urls: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNSTORE_STATE_DIR", str(tmp_path / "state"))
    with open_store(urls[0]) as store:
        store.log_metrics("first", [MetricPoint("loss", 0.25, 9)])
        wait_until(lambda: not list_waiting(tmp_path / "state"), "all points to be stored", pause_s=0.01)

        assert runstore("copy", *urls).stderr == ""


def test_a_bar_is_drawn_on_a_terminal(urls: tuple[str, str]) -> None:
    shown = runstore_on_a_terminal("copy", *urls, columns=100)

    assert "copying" in shown
    assert "2/2" in shown
    assert shown.endswith("2 runs: 2 new; 6 points, 0 files (0 bytes) sent\n")
