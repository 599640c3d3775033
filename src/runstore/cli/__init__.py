"""The ``runstore`` command: looking at stores from a terminal.

Nothing heavy is imported before a command needs it, so that ``runstore --help`` answers at once.
"""

import io
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from runstore.errors import RunStoreError
from runstore.local.terminal import lasting_output

_Command = Callable[..., Any]

_NEWEST_FIRST = ["start_time desc"]

_STOPPED = 130
"""The exit status after Ctrl-C, as shells have it."""


_IN_PYTHON = {
    "rename": "rename_run(run_id, 'a name')",
    "tag": "set_tags(run_id, {'key': 'value'})",
    "untag": "remove_tags(run_id, ['key'])",
    "note": "set_note(run_id, 'a text')",
    "archive": "archive_run(run_id)",
    "unarchive": "unarchive_run(run_id)",
    "delete": "delete_run(run_id)",
    "rm": "delete_run(run_id)",
    "restore": "restore_run(run_id)",
    "gc": "collect_garbage()",
}
"""What somebody may look for among the commands, and where it is."""


class _Commands(click.Group):
    """Lists its commands as they stand below, not by the alphabet; one that there is in Python alone is named there."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        verb = _IN_PYTHON.get(args[0])
        if verb is not None and args[0] not in self.commands:
            message = f"No such command {args[0]!r}; in Python: with runstore.open_store(url) as store: store.{verb}"
            raise click.UsageError(message, ctx)
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the library's signature
        return list(self.commands)


def _store_option(command: _Command) -> _Command:
    text = "The store's URL; by default RUNSTORE_URL, runstore.toml or pyproject.toml."
    return click.option("--store", metavar="URL", help=text)(command)


def _json_option(command: _Command) -> _Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


@click.group(name="runstore", cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="runstore")
def app() -> None:
    """Your training runs, in your own database."""


@app.command()
@_json_option
def backends(*, as_json: bool) -> None:
    """List the databases that runs can be kept in, and what is missing for each."""
    from runstore.cli import screens  # noqa: PLC0415 - see the module's docstring

    screens.print_backends(as_json=as_json)


@app.command()
@_store_option
@_json_option
def experiments(*, store: str | None, as_json: bool) -> None:
    """List the experiments, by name."""
    from runstore.cli import lists  # noqa: PLC0415 - see the module's docstring

    lists.print_experiments(store, as_json=as_json)


@app.command()
@_store_option
@click.option("--experiment", metavar="NAME", help="Only runs of this experiment; its id does as well.")
@click.option(
    "--filter", "where", metavar="TEXT", help="Such as: status = 'completed' and metric.validation.auroc.max > 0.9"
)
@click.option(
    "--order",
    "order_by",
    metavar="FIELD",
    multiple=True,
    default=_NEWEST_FIRST,
    help="A field, with asc or desc; may be given several times.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="How many runs at most: 20 in a table, all in JSON by default."
)
@click.option("--all", "is_all", is_flag=True, help="All runs that match.")
@click.option(
    "--columns",
    metavar="FIELDS",
    multiple=True,
    help="What to show of each run, such as: name,status,took,metric.validation.auroc.max,config.lr,tag.owner",
)
@click.option("--deleted", "is_deleted", is_flag=True, help="Deleted runs that can be restored instead.")
@_json_option
def runs(  # noqa: PLR0913 - an option each
    *,
    store: str | None,
    experiment: str | None,
    where: str | None,
    order_by: Sequence[str],
    limit: int | None,
    is_all: bool,
    columns: Sequence[str],
    is_deleted: bool,
    as_json: bool,
) -> None:
    """List runs, the newest first unless told otherwise."""
    from runstore.cli import lists  # noqa: PLC0415 - see the module's docstring

    if is_all and limit is not None:
        raise click.UsageError("--all and --limit exclude each other")
    if is_deleted:
        if where is not None or columns or list(order_by) != _NEWEST_FIRST:
            raise click.UsageError("--deleted goes with --experiment, --limit, --all and --json alone")
        lists.print_deleted(store, experiment=experiment, limit=lists.ALL if is_all else limit, as_json=as_json)
        return
    lists.print_runs(
        store,
        where=where,
        experiment=experiment,
        order_by=list(order_by),
        limit=lists.ALL if is_all else limit,
        columns=columns,
        as_json=as_json,
    )


@app.command()
@click.argument("run")
@_store_option
@click.option("--config", "with_config", is_flag=True, help="The whole configuration, as JSON.")
@click.option("--traceback", "with_traceback", is_flag=True, help="All that is kept of why the run failed.")
@_json_option
def show(run: str, *, store: str | None, with_config: bool, with_traceback: bool, as_json: bool) -> None:
    """Show one run: how it stands, its metrics, configuration and artifacts.

    RUN is its id, the beginning or the end of it, its name, or @1 for the newest.
    """
    from runstore.cli import screens  # noqa: PLC0415 - see the module's docstring

    screens.print_run(store, run, with_config=with_config, with_traceback=with_traceback, as_json=as_json)


@app.command()
@click.argument("run")
@click.argument("name")
@click.argument("target", required=False)
@_store_option
@click.option("--step", type=int, help="Of a series, the file of this step; by default the last one.")
@click.option("--all", "is_all", is_flag=True, help="All files of a series, into the folder TARGET.")
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
def fetch(  # noqa: PLR0913 - an option each
    run: str, name: str, target: str | None, *, store: str | None, step: int | None, is_all: bool, force: bool
) -> None:
    """Fetch an artifact's bytes into a file, checked against their SHA-256.

    RUN is a run's id, the beginning or the end of it, its name, or @1 for the newest; NAME is the artifact's, or that of
    a series of images, tables or texts, as `runstore show` lists them; TARGET the file to write, by default the
    name's last part.
    """
    from runstore.cli import files  # noqa: PLC0415 - see the module's docstring

    if is_all and step is not None:
        raise click.UsageError("--all and --step exclude each other")
    files.fetch(store, run, name, target, step=step, is_all=is_all, overwrite=force)


@app.command()
@_store_option
@click.option("--watch", is_flag=True, help="Go on until stopped.")
@click.option("--requeue", is_flag=True, help="Then send once more what the store refused.")
@click.option(
    "--from",
    "source",
    metavar="STORE",
    help="Bring what waits for this store, or in this journal's folder, into --store instead.",
)
@click.option("--discard", metavar="STORE", help="Remove what waits for this store, or in this journal's folder.")
@click.option(
    "--state-dir",
    metavar="FOLDER",
    help="Where the journals lie; by default RUNSTORE_STATE_DIR or the user's state directory.",
)
def sync(  # noqa: PLR0913 - one for each option
    *, store: str | None, watch: bool, requeue: bool, source: str | None, discard: str | None, state_dir: str | None
) -> None:
    """Bring what journals on this machine still hold into the store."""
    from runstore.cli.sync import sync as bring  # noqa: PLC0415 - see the module's docstring

    bring(store, watch=watch, requeue=requeue, source=source, discard=discard, state_dir=state_dir)


def main() -> None:
    """Runs the command; an expected failure is one line on stderr and exit status 1."""
    with lasting_output() as output:
        status = _run()
        sys.stdout.flush()
        if output.trouble is not None:
            click.echo(f"runstore: what was printed is not complete: {output.trouble.strerror}", err=True)
            status = status or 1
    sys.exit(status)


def _show(error: click.ClickException) -> None:
    """A message about a mistaken argument repeats it: a URL that stands where no URL belongs, with its password."""
    from runstore.cli.tables import plain_text  # noqa: PLC0415 - see the module's docstring

    said = io.StringIO()
    error.show(said)
    click.echo(plain_text(_without_given_urls(said.getvalue()), sys.stderr), nl=False, err=True)


def _without_given_urls(message: str) -> str:
    """The message; of a URL among the arguments it is known how far it reaches, whatever is in its password."""
    from runstore.secrets import redact_word  # noqa: PLC0415 - see the module's docstring

    for argument in sys.argv[1:]:
        if "://" in argument:
            shown = redact_word(argument)
            message = message.replace(argument, shown).replace(repr(argument)[1:-1], shown)
    return message


def _run() -> int:
    try:
        app(standalone_mode=False)
    except click.ClickException as error:
        _show(error)
        return error.exit_code
    except click.Abort:
        click.echo("runstore: stopped", err=True)
        return _STOPPED
    except RunStoreError as error:
        from runstore.cli.tables import print_line  # noqa: PLC0415 - see the module's docstring

        print_line(f"runstore: {' '.join(_without_given_urls(str(error)).splitlines())}", err=True)
        return 1
    return 0
