"""``pneumo-train invite``: makes the keys of a federation over a network."""

from pathlib import Path
from typing import Any

import click

from pneumo_train.commands.command import Command
from pneumo_train.needs import FEDERATED, require, require_working_directory
from pneumo_train.options import Parser

_EXITS = """\
exit status:
  0    every client that was named has its folder
  2    a mistake: a name, a host, a folder that cannot be written
"""


def _parser() -> Parser:
    invite = Parser(
        description="Make the certificate of a server and a key for each client, or keys for further clients. A client's folder "
        "(clients/NAME) is handed to it, over a way that nobody else reads; whoever has it can take part as that client.",
        usage="pneumo-train invite --folder FOLDER --host HOST --clients NAME,NAME,...",
        epilog=_EXITS,
    )
    invite.add_argument("--folder", type=str, required=True, help="where the keys lie; made if need be")
    invite.add_argument(
        "--host", type=str | None, help="the server's name or address, as clients reach it; the first time"
    )
    invite.add_argument("--port", type=int | None, help="the server's one port; 9092 by default; the first time")
    invite.add_argument("--clients", type=str, required=True, help="their names, with commas between them")
    return invite


def _run(arguments: Any) -> int:
    require(FEDERATED)
    require_working_directory()
    from pneumo_train.federating.invitations import invite  # noqa: PLC0415 - only here

    names = [name.strip() for name in arguments.clients.split(",") if name.strip()]
    new = invite(Path(arguments.folder), arguments.host, arguments.port, names)
    for name in names:
        where = Path(arguments.folder) / "clients" / name
        click.echo(f"{name}: {where}" + ("" if name in new else " (was there already)"))
    return 0


COMMAND = Command(name="invite", help="make the keys of a federation over a network", parser=_parser, run=_run)
