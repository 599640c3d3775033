"""The ``runstore`` command: looking at stores from a terminal.

Nothing heavy is imported before a command needs it, so that ``runstore --help`` answers at once.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from runstore.errors import RunStoreError

_Command = Callable[..., Any]


class _Commands(click.Group):
    """Lists its commands as they stand below, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the library's signature
        return list(self.commands)


def _store_option(command: _Command) -> _Command:
    text = "The store's URL; by default RUNSTORE_URL, runstore.toml or pyproject.toml."
    return click.option("--store", metavar="URL", help=text)(command)


def _json_option(command: _Command) -> _Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


@click.group(name="runstore", cls=_Commands)
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
@click.option(
    "--filter", "where", metavar="TEXT", help="Such as: status = 'completed' and metric.validation.auroc.max > 0.9"
)
@click.option(
    "--order",
    "order_by",
    metavar="FIELD",
    multiple=True,
    default=["start_time desc"],
    help="A field, with asc or desc; may be given several times.",
)
@click.option("--limit", type=int, default=20, show_default=True, help="How many runs at most.")
@_json_option
def runs(*, store: str | None, where: str | None, order_by: Sequence[str], limit: int, as_json: bool) -> None:
    """List runs, the newest first unless told otherwise."""
    from runstore.cli import screens  # noqa: PLC0415 - see the module's docstring

    screens.print_runs(store, where=where, order_by=list(order_by), limit=limit, as_json=as_json)


@app.command()
@click.argument("run_id")
@_store_option
@_json_option
def show(run_id: str, *, store: str | None, as_json: bool) -> None:
    """Show one run: how it stands, its metrics, configuration and artifacts."""
    from runstore.cli import screens  # noqa: PLC0415 - see the module's docstring

    screens.print_run(store, run_id, as_json=as_json)


@app.command()
@click.argument("run_id")
@click.argument("name")
@click.argument("target", required=False)
@_store_option
def fetch(run_id: str, name: str, target: str | None, *, store: str | None) -> None:
    """Fetch an artifact's bytes into a file, checked against their SHA-256.

    NAME is the artifact's; TARGET the file to write, by default the name's last part.
    """
    from runstore.cli import screens  # noqa: PLC0415 - see the module's docstring

    screens.fetch_artifact(store, run_id, name, target)


@app.command()
@_store_option
@click.option("--watch", is_flag=True, help="Go on until stopped.")
@click.option("--requeue", is_flag=True, help="Then send once more what the store refused.")
@click.option(
    "--state-dir",
    metavar="FOLDER",
    help="Where the journals lie; by default RUNSTORE_STATE_DIR or the user's state directory.",
)
def sync(*, store: str | None, watch: bool, requeue: bool, state_dir: str | None) -> None:
    """Bring what journals on this machine still hold into the store."""
    from runstore.cli.sync import sync as bring  # noqa: PLC0415 - see the module's docstring

    bring(store, watch=watch, requeue=requeue, state_dir=state_dir)


def main() -> None:
    """Runs the command; an expected failure is one line on stderr and exit status 1."""
    try:
        app()
    except RunStoreError as error:
        click.echo(f"runstore: {error}", err=True)
        sys.exit(1)
