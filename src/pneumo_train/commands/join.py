"""``pneumo-train join``: takes part in a federation over a network with films of one's own."""

from typing import Any

import click

from pneumo_train.commands.command import Command
from pneumo_train.config.settings import TrainConfig
from pneumo_train.needs import EXTRA, FEDERATED, require, require_working_directory
from pneumo_train.options import Parser, add_source, config_of
from pneumo_train.terminal import quiet_lightning

_EXITS = """\
exit status:
  1    the server does not know this client, or the SuperNode does not start
  2    a mistake to mend: an option, the invitation, the source, the data
  130  Ctrl-C
  143  SIGTERM
"""


def _parser() -> Parser:
    join = Parser(
        description="Take part in a federation with films of one's own, until this is ended. The films stay here, and nothing is "
        "stored: weights, figures and counts go to the server. Of the options, those of data and the seed are looked at; all else "
        "is the server's to say.",
        usage="pneumo-train join --folder INVITATION --source SOURCE [options]",
        epilog=_EXITS,
    )
    join.add_argument(
        "--folder", type=str, required=True, help="the invitation: the folder that the server's people have sent"
    )
    add_source(join)
    join.add_class_arguments(TrainConfig, None)
    return join


def _run(arguments: Any) -> int:
    require(EXTRA | FEDERATED)
    require_working_directory()
    from pneumo_train.federating.joining import join  # noqa: PLC0415 - slow to import

    quiet_lightning()
    join(arguments.folder, arguments.source, config_of(arguments), lambda text: click.echo(text, nl=True))
    return 0


COMMAND = Command(name="join", help="take part in a federation with films of one's own", parser=_parser, run=_run)
