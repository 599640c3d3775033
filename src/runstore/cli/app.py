"""The group ``runstore``: which commands there are, how they end, and what is said of an error.

The module of a command is imported when the command is called, so that ``runstore --help`` answers at once.
"""

import gc
import io
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from runstore.errors import RunStoreError
from runstore.local.terminal import lasting_output

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_FAILED: Final = 1
_STOPPED: Final = 130
"""The exit status after Ctrl-C, as shells have it."""


_GARBAGE_AT: Final = 50_000
"""New objects after which unused ones are looked for. What a command imports stays: to go through it again and again while it
grows takes a good tenth of the time in which a list of runs is there."""


class Entry(NamedTuple):
    """A command of the group.

    Attributes:
        module: in ``runstore.cli.commands``; the one that makes it.
        summary: what the list of commands says of it: the first sentence of its help.
        is_hidden: whether it is left out of that list: an older name.
        made_as: the command's name in its module.
    """

    module: str
    summary: str = ""
    is_hidden: bool = False
    made_as: str = "command"


COMMANDS: Final[Mapping[str, Entry]] = {
    "experiments": Entry("experiments", "List the experiments, by name."),
    "runs": Entry("runs", "List runs, the newest first unless told otherwise."),
    "show": Entry("show", "Show one run: how it stands, its metrics, configuration and artifacts."),
    "history": Entry("history", "Show the points of metrics, step by step."),
    "compare": Entry("compare", "Show runs side by side: what differs, and what their metrics came to."),
    "artifacts": Entry("artifacts", "List the files of a run, and get them out of the store."),
    "tag": Entry("tag", "Give runs tags, or remove some; without either, show those that they have."),
    "note": Entry("note", "Keep a note with a run, in place of the one before; without TEXT, show it."),
    "rename": Entry("rename", "Give a run another name."),
    "archive": Entry("archive", "Put runs away: lists leave them out, and nothing of them is lost."),
    "unarchive": Entry("archive", "Bring archived runs back into the lists.", made_as="unarchive"),
    "delete": Entry("delete", "Delete runs; they can be restored for thirty days."),
    "restore": Entry("delete", "Bring deleted runs back, with all that they had.", made_as="restore"),
    "gc": Entry("gc", "Show what nothing refers to any more, and with --yes remove it for good."),
    "thin": Entry("thin", "Leave of old histories what a plot shows; the other points are gone for good."),
    "import": Entry("import_", "Bring the runs of another tool into the store."),
    "export": Entry("export", "Write runs to a folder of files that other programs read."),
    "copy": Entry("copy", "Copy runs from one store into another, with all that they have."),
    "verify": Entry("verify", "Compare the runs of one store with those of another: every fact, point and byte."),
    "ui": Entry("ui", "Show the runs of a store in the browser, until Ctrl-C."),
    "sync": Entry("sync", "Bring what journals on this machine still hold into the store."),
    "doctor": Entry("doctor", "Look for what is wrong with a store, and say how to mend it."),
    "migrate": Entry("migrate", "See which schema a store has, and bring it up to date."),
    "sql": Entry("sql", "Ask a SQL database in its own language; it refuses whatever does not only read."),
    "conformance": Entry(
        "conformance", "Try out whether a server keeps the whole contract, as Aurora, CockroachDB or FerretDB may."
    ),
    "skill": Entry("skill", "Print a page for coding agents: commands, exit codes, filter language and views."),
    "plugins": Entry("plugins", "List the databases that runs can be kept in, and what is missing for each."),
    "backends": Entry("plugins", is_hidden=True),
    "fetch": Entry("artifacts", made_as="get", is_hidden=True),
}
"""The commands, in the order in which they are listed."""

_MEANT: Final = {
    "best": "compare, or runs --order",
    "describe": "show",
    "diff": "compare",
    "download": "artifacts get",
    "find": "runs --filter",
    "get": "artifacts get",
    "help": "runstore --help",
    "info": "show",
    "list": "runs",
    "log": "history",
    "ls": "runs",
    "metrics": "history",
    "plot": "history RUN METRIC --plot",
    "purge": "gc",
    "query": "sql",
    "remove": "delete",
    "rm": "delete",
    "search": "runs --filter",
    "status": "doctor",
    "untag": "tag RUN --remove KEY",
    "upgrade": "migrate upgrade",
    "version": "runstore --version",
}
"""What somebody may look for among the commands, and what it is called."""

_NEEDLESS: Final = {
    "init": "a store needs none: the first program that opens its URL to write makes it",
    "login": "there is no account; give a command the database's URL as --store",
    "server": "there is no server but your database; give a command its URL as --store",
}
"""What other trackers have a command for, and why there is none here."""


class _Commands(click.Group):
    """Lists its commands as they stand above, and imports the one that is called."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the library's
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = import_module(f"runstore.cli.commands.{entry.module}")
        command: click.Command = getattr(module, entry.made_as)
        return command

    def list_commands(self, ctx: click.Context | None = None) -> list[str]:  # noqa: ARG002 - the library's signature
        return [name for name, entry in COMMANDS.items() if not entry.is_hidden]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - a shell's need alone

        found = [
            CompletionItem(name, help=COMMANDS[name].summary)
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            raise click.UsageError(f"No such command {name!r}{_meant(name)}", ctx)
        return super().resolve_command(ctx, args)


def _meant(name: str) -> str:
    """What to say, behind a name that no command has."""
    if name in _MEANT:
        return f"; it is called {_MEANT[name]}"
    if name in _NEEDLESS:
        return f"; {_NEEDLESS[name]}"
    from difflib import get_close_matches  # noqa: PLC0415 - a mistake's need alone

    close = get_close_matches(name, COMMANDS, n=3)
    return f"; did you mean {' or '.join(close)}?" if close else f"; there are {', '.join(app.list_commands())}."


@click.group(name="runstore", cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="runstore")
@click.pass_context
def app(context: click.Context) -> None:
    """Your training runs, in your own database."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        context.color = False


def main() -> None:
    """Runs the command; an expected failure is one line on stderr and exit status 1."""
    gc.set_threshold(_GARBAGE_AT)
    with lasting_output() as output:
        status = _run()
        sys.stdout.flush()
        if output.trouble is not None:
            click.echo(f"runstore: what was printed is not complete: {output.trouble.strerror}", err=True)
            status = status or _FAILED
    sys.exit(status)


def _run() -> int:
    try:
        status = app(standalone_mode=False)  # of what ends with click's Exit
    except click.ClickException as error:
        _show(error)
        return error.exit_code
    except click.Abort:
        click.echo("runstore: stopped", err=True)
        return _STOPPED
    except RunStoreError as error:
        from runstore.cli.output.text import print_line  # noqa: PLC0415 - see the module's docstring

        print_line(f"runstore: {' '.join(_without_urls_of(sys.argv[1:], str(error)).splitlines())}", err=True)
        return _FAILED
    return status if isinstance(status, int) else 0


def _show(error: click.ClickException) -> None:
    """A message about a mistaken argument repeats it: a URL that stands where no URL belongs, with its password."""
    from runstore.cli.advice import advice_on  # noqa: PLC0415 - as above
    from runstore.cli.output.text import plain_text  # noqa: PLC0415 - see the module's docstring

    said = io.StringIO()
    error.show(said)
    advice = advice_on(error, sys.argv[1:], app)
    if advice:
        said.write(f"{advice}\n")
    click.echo(plain_text(_without_urls_of(sys.argv[1:], said.getvalue()), sys.stderr), nl=False, err=True)


def _without_urls_of(arguments: Sequence[str], message: str) -> str:
    """The message; of a URL among the arguments it is known how far it reaches, whatever is in its password."""
    from runstore.secrets import redact_word  # noqa: PLC0415 - see the module's docstring

    for argument in arguments:
        if "://" in argument:
            shown = redact_word(argument)
            message = message.replace(argument, shown).replace(repr(argument)[1:-1], shown)
    return message
