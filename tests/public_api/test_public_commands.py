"""The commands and options that others may have written into scripts. One that goes is kept for a release first.

What is new is taken into the list when a release is made: ``python tests/public_api/test_public_commands.py``.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from runstore.cli import app

COMMANDS = Path(__file__).with_name("commands.txt")


def there() -> dict[str, set[str]]:
    """The options of each command, in each spelling."""
    return {name: set(_spellings(command)) for name, command in _commands(app, ())}


def _commands(group: click.Group, words: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


def _spellings(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield from (*parameter.opts, *parameter.secondary_opts)


def listed() -> dict[str, set[str]]:
    """What the file has: a command a line, its options behind a colon."""
    lines = [line.partition(":") for line in COMMANDS.read_text(encoding="utf-8").splitlines()]
    return {name: set(words.split()) for name, _, words in lines}


def test_no_command_and_no_option_of_the_list_is_gone() -> None:
    found = there()

    assert {name for name in listed() if name not in found} == set()
    assert {name: gone for name, words in listed().items() if (gone := words - found[name])} == {}


if __name__ == "__main__":
    COMMANDS.write_text(
        "".join(f"{name}: {' '.join(sorted(words))}".rstrip() + "\n" for name, words in there().items()),
        encoding="utf-8",
    )
