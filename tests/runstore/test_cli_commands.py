"""The group of commands: which there are, what an unknown one is answered, and what each imports."""

import subprocess
import sys
from pathlib import Path

import pytest

from runstore import open_store
from support.commands import runstore, runstore_on_a_terminal


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("rnus", "did you mean runs?"),
        ("rm", "it is called delete"),
        ("xyzzy", "there are experiments, runs, show"),
    ],
)
def test_a_command_that_is_not_there_is_answered_with_what_is_meant(typed: str, told: str) -> None:
    refused = runstore(typed)

    assert refused.returncode == 2
    assert told in " ".join(refused.stderr.split())


def test_older_names_do_what_they_did_and_are_not_listed(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"weights")
    with open_store(sqlite_url, durable=False) as store:
        store.log_artifact(store.ensure_run(store.get_or_create_experiment("lungs")), tmp_path / "weights.bin")

    fetched = runstore("fetch", "@1", "weights.bin", str(tmp_path / "out"), "--store", sqlite_url)
    backends = runstore("backends", "--json")
    listed = runstore("--help").stdout

    assert fetched.returncode == 0, fetched.stderr
    assert (tmp_path / "out").read_bytes() == b"weights"
    assert backends.stdout == runstore("plugins", "--json").stdout
    assert "fetch" not in listed
    assert "backends" not in listed


def test_the_help_of_all_commands_imports_none_of_them() -> None:
    program = (
        "import sys; sys.argv = ['runstore', '--help']\nfrom runstore.cli import main\n"
        "try: main()\nexcept SystemExit: print(*[each for each in sys.modules if 'cli.commands' in each])"
    )

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert printed.stdout.splitlines()[-1] == ""


def test_a_shell_completes_commands_and_options() -> None:
    commands = runstore(_RUNSTORE_COMPLETE="bash_complete", COMP_WORDS="runstore ru", COMP_CWORD="1")
    options = runstore(_RUNSTORE_COMPLETE="bash_complete", COMP_WORDS="runstore runs --col", COMP_CWORD="2")

    assert commands.stdout.split() == ["plain,runs"]
    assert options.stdout.split() == ["plain,--columns"]


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [({"TERM": "xterm", "NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_have_them_and_people_who_want_them(
    sqlite_url: str, variables: dict[str, str], *, is_coloured: bool
) -> None:
    with open_store(sqlite_url, durable=False) as store:
        run_id = store.ensure_run(store.get_or_create_experiment("lungs"))
        store.log_config(run_id, {"lr": 0.1})
        store.finalize(run_id, "completed")

    printed = runstore_on_a_terminal("show", "@1", "--store", sqlite_url, columns=80, **variables)

    assert "configuration" in printed
    assert ("\x1b[" in printed) == is_coloured
