"""What ``pneumo-train`` can be asked for: a file for each command. Importing them imports neither torch nor Lightning."""

from pneumo_train.commands import (
    cache,
    check,
    compare_federation,
    contrary,
    demo,
    evaluate,
    federate,
    fit,
    invite,
    join,
    predict,
    report,
    study,
)
from pneumo_train.commands.command import Command
from pneumo_train.options import HelpFormatter, Parser

COMMANDS: tuple[Command, ...] = (
    fit.COMMAND,
    federate.COMMAND,
    compare_federation.COMMAND,
    invite.COMMAND,
    join.COMMAND,
    evaluate.COMMAND,
    check.COMMAND,
    contrary.COMMAND,
    predict.COMMAND,
    report.COMMAND,
    study.COMMAND,
    cache.COMMAND,
    demo.COMMAND,
)
"""In the order in which the help names them."""


def build_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(
        prog="pneumo-train",
        description="Train a chest X-ray pneumonia classifier and keep the run in your own database.",
        formatter_class=HelpFormatter,  # the commands take it from here
    )
    commands = parser.add_subcommands(required=True)
    for command in COMMANDS:
        commands.add_subcommand(command.name, command.parser(), help=command.help)
    return parser


__all__ = ["COMMANDS", "Command", "build_parser"]
