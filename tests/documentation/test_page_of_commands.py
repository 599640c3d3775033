"""The page about commands shows each of them with the help that it prints."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from documentation.pages import PAGES, understand
from runstore.cli import app
from runstore.cli.app import COMMANDS

PAGE = PAGES["docs/commands.md"].read_text(encoding="utf-8")
HELP = re.compile(r'(```text title="([^"]*) --help"\n)(.*?)(\n```)', re.DOTALL)
SHOWN = {found[2]: found[3] for found in HELP.finditer(PAGE)}


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from _below(f"{name} {each}", found)


def printed(command: str) -> str:
    """The help of a command at 80 columns."""
    done = CliRunner().invoke(app, [*command.split()[1:], "--help"], prog_name="runstore", terminal_width=80)
    assert done.exit_code == 0, done.output
    return str(done.output).rstrip()


def test_each_command_has_its_heading_and_its_help() -> None:
    commands = {name for name, _ in _below("runstore", app)}

    assert set(SHOWN) == commands
    assert commands <= set(re.findall(r"^## (.*)$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("command", SHOWN)
def test_the_help_that_is_shown_is_what_the_command_prints(command: str) -> None:
    assert SHOWN[command] == printed(command), (
        "PYTHONPATH=tests python -m documentation.test_page_of_commands writes it anew"
    )


@pytest.mark.parametrize("name", [name for name, entry in COMMANDS.items() if not entry.is_hidden])
def test_the_list_of_commands_says_of_each_what_its_help_begins_with(name: str) -> None:
    command = app.get_command(click.Context(app), name)

    assert command is not None
    assert COMMANDS[name].summary == (command.help or "").split("\n\n")[0].replace("\n", " ")


@pytest.mark.parametrize(
    "command", [name for name, command in _below("runstore", app) if not isinstance(command, click.Group)]
)
def test_each_command_has_examples_that_it_understands(command: str) -> None:
    examples = SHOWN[command].partition("  Examples:\n")[2].splitlines()

    assert examples
    for example in examples:
        assert example.strip().startswith(command)
        understand(shlex.split(example)[1:])


if __name__ == "__main__":
    PAGES["docs/commands.md"].write_text(
        HELP.sub(lambda found: found[1] + printed(found[2]) + found[4], PAGE), encoding="utf-8"
    )
