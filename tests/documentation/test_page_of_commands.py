"""The page about commands shows each of them with the help that it prints."""

import re

import pytest
from click.testing import CliRunner

from documentation.pages import PAGES
from runstore.cli import app

PAGE = PAGES["docs/commands.md"].read_text(encoding="utf-8")
SHOWN = dict(re.findall(r'```text title="([^"]*) --help"\n(.*?)\n```', PAGE, re.DOTALL))


def test_each_command_has_its_heading_and_its_help() -> None:
    commands = {"runstore", *(f"runstore {name}" for name in app.commands)}

    assert set(SHOWN) == commands
    assert commands <= set(re.findall(r"^## (.*)$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("command", SHOWN)
def test_the_help_that_is_shown_is_what_the_command_prints(command: str) -> None:
    words = [*command.split()[1:], "--help"]

    printed = CliRunner().invoke(app, words, prog_name="runstore", terminal_width=80)

    assert printed.exit_code == 0
    assert SHOWN[command] == printed.output.rstrip()
