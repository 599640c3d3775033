"""``runstore skill``."""

import io
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import click

from runstore.cli.options import examples
from runstore.cli.output.text import escaped, print_line
from runstore.local.files import copy_out

_PLACE = "<!-- commands -->"


@click.command("skill", epilog=examples("runstore skill", "runstore skill --output .agents/runstore/SKILL.md"))
@click.option("--output", metavar="FILE", help="Write it there; its folder is made, too.")
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@click.pass_context
def command(ctx: click.Context, *, output: str | None, force: bool) -> None:
    """Print a page for coding agents: commands, exit codes, filter language and views.

    Most agents read a SKILL.md in a folder of their own.
    """
    page = _page(ctx.find_root())
    if output is None:
        click.echo(escaped(page, sys.stdout), nl=False)
        return
    copy_out(io.BytesIO(page.encode()), Path(output), overwrite=force)
    print_line(output)


def _page(root: click.Context) -> str:
    """The page, with the commands that there are."""
    text = files("runstore.cli").joinpath("SKILL.md").read_text(encoding="utf-8")
    lines = ["| command | does |", "|---|---|"]
    lines += [
        f"| `runstore {name}{_usage(command, root)}` | {_summary(command)} |"
        for name, command in _below(root.command, root)
        if not isinstance(command, click.Group)
    ]
    return text.replace(_PLACE, "\n".join(lines))


def _below(group: click.Command, root: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Each command with its whole name, and those below it."""
    if isinstance(group, click.Group):
        for name in group.list_commands(root):
            found = group.get_command(root, name)
            if found is not None:
                yield name, found
                yield from ((f"{name} {below}", each) for below, each in _below(found, root))


def _usage(command: click.Command, root: click.Context) -> str:
    """The arguments, as the help has them; a bar would end a cell of the table."""
    pieces = command.collect_usage_pieces(click.Context(command, parent=root))
    return "".join(f" {each}" for each in pieces if each != "[OPTIONS]").replace("|", "\\|")


def _summary(command: click.Command) -> str:
    return (command.help or "").split("\n\n")[0].replace("\n", " ")
