"""Commands whose reader goes away, or whose terminal cannot show a character."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runstore import open_store
from support.commands import RUNSTORE, environment, runstore

_NAME = "\N{GREEK SMALL LETTER ALPHA} = 0.1 → 0.01, 模型 🫁"


@pytest.fixture
def run_id(sqlite_url: str) -> str:
    """A run with a name in several scripts, and many more, so that a pipe fills."""
    with open_store(sqlite_url, durable=False) as store:
        experiment_id = store.get_or_create_experiment("lungs")
        for _ in range(300):
            store.ensure_run(experiment_id, name="one of many")
        return store.ensure_run(experiment_id, name=_NAME)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
def test_what_the_terminal_cannot_show_is_escaped(sqlite_url: str, run_id: str, encoding: str) -> None:
    printed = [
        subprocess.run(
            [*RUNSTORE, *arguments, "--store", sqlite_url],
            capture_output=True,
            check=False,
            env=environment(PYTHONIOENCODING=encoding),
        )
        for arguments in (("runs",), ("show", run_id), ("runs", "--json", "--limit", "1"))
    ]

    assert [each.returncode for each in printed] == [0, 0, 0]
    assert b"\\u6a21" in printed[1].stdout
    assert b"Traceback" not in b"".join(each.stderr for each in printed)
    assert json.loads(printed[2].stdout.decode(encoding))[0]["name"] == _NAME


def test_in_the_locale_c_without_utf_8_nothing_breaks(sqlite_url: str, run_id: str) -> None:
    printed = runstore("show", run_id, "--store", sqlite_url, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")

    assert printed.returncode == 0, printed.stderr
    assert "\\u6a21" in printed.stdout
    assert printed.stdout.isascii()


def test_a_message_about_an_odd_character_can_be_shown_anywhere(sqlite_url: str) -> None:
    with open_store(sqlite_url, durable=False):
        pass

    refused = runstore("show", _NAME, "--store", sqlite_url, PYTHONIOENCODING="ascii")

    assert refused.returncode == 1
    assert "\\u6a21" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.usefixtures("run_id")
@pytest.mark.parametrize("arguments", [("runs", "--all"), ("runs", "--json"), ("--help",), ("backends",)])
def test_a_reader_that_goes_away_ends_the_command_without_a_word(sqlite_url: str, arguments: tuple[str, ...]) -> None:
    store = ("--store", sqlite_url) if arguments[0] == "runs" else ()
    with subprocess.Popen(
        [*RUNSTORE, *arguments, *store], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.stderr is not None
        said = running.stderr.read()

    assert said == b""
    assert running.returncode == 0


def test_the_module_is_the_command() -> None:
    told = subprocess.run([sys.executable, "-m", "runstore", "-h"], capture_output=True, text=True, check=True)

    assert "experiments" in told.stdout
    assert told.stderr == ""


def test_a_full_disk_under_the_output_is_an_error(sqlite_url: str, run_id: str) -> None:
    with Path("/dev/full").open("w") as full:
        told = subprocess.run(
            [*RUNSTORE, "show", run_id, "--store", sqlite_url], stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert told.returncode == 1
    assert b"not complete" in told.stderr
    assert b"Traceback" not in told.stderr
