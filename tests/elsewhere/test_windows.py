"""What Windows lacks is taken away from the packages, in programs of their own: see :mod:`support.elsewhere`.

``make test-elsewhere`` runs tests of the journal, of SQLite files and of the command so as well.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from runstore import open_reader
from runstore.local.exits import ENDINGS
from runstore.model import RunStatus
from runstore.urls import absolute_url, file_of

_TESTS: Final = Path(__file__).parents[1]

_BEGIN: Final = "from support.elsewhere import take_away\ntake_away()\n"

_IMPORT_ALL: Final = (
    _BEGIN
    + """
import importlib, pkgutil, sys
seen = 0
for package in ("runstore", "runstore_sql", "runstore_mongo"):
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(found.__path__, f"{package}."):
        if module.name.startswith(("runstore.lightning", "runstore.huggingface", "runstore.optuna", "runstore.testing")):
            continue  # these wait for torch and others, and the type checker reads them as on Windows
        if module.name.endswith("__main__"):
            continue  # it does something when it is imported
        importlib.import_module(module.name)
        seen += 1
print(seen)
"""
)

_TRAIN: Final = (
    _BEGIN
    + """
import sys, time
import runstore
run = runstore.start_run("x", store=sys.argv[1])
for step in range(50):
    run.log({"loss": 1.0}, step=step)
print(run.id, flush=True)
while True:  # a signal that comes just before a long sleep would be handled after it
    time.sleep(0.05)
"""
)


def program(text: str, *arguments: str, state: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(_TESTS), "RUNSTORE_STATE_DIR": str(state)}
    return subprocess.Popen(
        [sys.executable, "-c", text, *arguments],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_every_module_can_be_imported(tmp_path: Path) -> None:
    importing = program(_IMPORT_ALL, state=tmp_path)

    printed, complained = importing.communicate()

    assert complained == ""
    assert int(printed) > 200


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM], ids=["Ctrl-Break", "SIGTERM"])
def test_what_asks_a_program_to_end_ends_its_run_as_interrupted(number: int, fast_path: Path) -> None:
    url = f"sqlite:///{fast_path / 'my runs.db'}"
    training = program(_TRAIN, url, state=fast_path / "state")
    assert training.stdout is not None
    run_id = training.stdout.readline().strip()

    training.send_signal(number)
    training.communicate()

    with open_reader(url) as reader:
        run = reader.get_run(run_id)
        (loss,) = reader.get_summaries(run_id)
    assert run.status is RunStatus.INTERRUPTED
    assert loss.count == 50


def test_what_a_killed_program_left_is_stored_by_the_next(fast_path: Path) -> None:
    url, state = f"sqlite:///{fast_path / 'runs.db'}", fast_path / "state"
    training = program(_TRAIN, url, state=state)
    assert training.stdout is not None
    run_id = training.stdout.readline().strip()
    training.kill()
    training.communicate()

    syncing = program(
        _BEGIN + "import sys\nfrom runstore.cli import main\nsys.argv = ['runstore', 'sync']\nmain()", state=state
    )
    assert syncing.communicate()[1] == ""

    with open_reader(url) as reader:
        (loss,) = reader.get_summaries(run_id)
    assert loss.count == 50
    assert list(state.rglob("writer.lock")) == []


def test_here_a_program_is_asked_to_end_by_sigterm_alone() -> None:
    assert ENDINGS == (signal.SIGTERM,)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///C:/Users/Ada Lovelace/runs.db", "C:/Users/Ada Lovelace/runs.db"),
        ("sqlite:///C:\\Users\\Ada Lovelace\\runs.db", "C:\\Users\\Ada Lovelace\\runs.db"),
        ("sqlite:///C:/runs.db?timeout=30", "C:/runs.db"),
        ("sqlite://///server/share/runs.db", "//server/share/runs.db"),
    ],
)
def test_a_url_names_a_path_with_a_drive_and_blanks(url: str, path: str) -> None:
    assert file_of(url) == path


def test_a_path_with_blanks_is_opened_as_it_stands(fast_path: Path) -> None:
    url = f"sqlite:///{fast_path / 'my runs %41.db'}"

    assert absolute_url(url) == url
