"""What is said below a usage error: what to type instead, or an example. Imported only where somebody mistyped."""

from collections.abc import Sequence
from typing import Final

import click

_INDENT: Final = "  "


def advice_on(error: click.ClickException, words: Sequence[str], commands: click.Group) -> str:
    """What to type instead; empty where the message says it already.

    Args:
        error: what is wrong.
        words: what was typed behind ``runstore``.
        commands: all commands.
    """
    if not isinstance(error, click.UsageError):
        return ""
    command = error.ctx.command if error.ctx is not None else _called(words, commands)
    parameters = () if command is None else command.params
    said = ""
    if isinstance(error, click.NoSuchOption):
        if command is commands:
            said = f"An option goes behind its command, as in: runstore runs {error.option_name} ..."
    elif isinstance(error, click.MissingParameter):
        said = _example_of(command)
    elif isinstance(error, click.BadOptionUsage):
        said = _help_of(next((each for each in parameters if error.option_name in each.opts), None))
    elif isinstance(error, click.BadParameter):
        said = _help_of(error.param)
    elif command and _is_too_much(error, words) and any(each.name == "store" for each in parameters):
        said = f"A store is named with --store, as in: runstore {command.name} --store URL"
    return said


def _called(words: Sequence[str], commands: click.Group) -> click.Command | None:
    """The command that was typed; of some errors the library does not tell it."""
    context = click.Context(commands)
    found = (commands.get_command(context, word) for word in words if not word.startswith("-"))
    return next(filter(None, found), None)


def example_of(command: click.Command) -> str:
    """The first example at the end of a command's help."""
    lines = (command.epilog or "").splitlines()
    return next((line.strip() for line in lines if line.startswith(f"{_INDENT}runstore ")), "")


def _example_of(command: click.Command | None) -> str:
    example = "" if command is None else example_of(command)
    return f"As in: {example}" if example else ""


def _help_of(option: click.Parameter | None) -> str:
    """What an option is for, as its help says it."""
    if not isinstance(option, click.Option) or not option.help:
        return ""
    return f"{' '.join(filter(None, [option.opts[-1], option.metavar]))}: {option.help}"


def _is_too_much(error: click.UsageError, words: Sequence[str]) -> bool:
    """Whether the error is about an argument that is a URL, where none belongs."""
    return type(error) is click.UsageError and any("://" in word and word in error.message for word in words)
