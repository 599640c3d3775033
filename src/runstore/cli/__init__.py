"""The ``runstore`` command: looking at stores from a terminal.

Nothing heavy is imported before a command needs it, so that ``runstore --help`` answers at once.
"""

import sys
from typing import Annotated

import typer

from runstore.errors import RunStoreError

app = typer.Typer(
    name="runstore",
    help="Your training runs, in your own database.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # the plain help needs no rich, whose import costs more than all the rest
)

StoreOption = Annotated[
    str | None,
    typer.Option("--store", help="The store's URL; by default RUNSTORE_URL, runstore.toml or pyproject.toml."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def backends(*, as_json: JsonOption = False) -> None:
    """List the databases that runs can be kept in, and what is missing for each."""
    from runstore.cli import screens  # noqa: PLC0415 - see the module's docstring

    screens.print_backends(as_json=as_json)


@app.command()
def runs(
    *,
    store: StoreOption = None,
    where: Annotated[
        str | None,
        typer.Option("--filter", help="Such as: status = 'completed' and metric.validation.auroc.max > 0.9"),
    ] = None,
    order_by: Annotated[
        list[str] | None, typer.Option("--order", help="A field, with asc or desc; may be given several times.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many runs at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List runs, the newest first unless told otherwise."""
    from runstore.cli import screens  # noqa: PLC0415 - see the module's docstring

    screens.print_runs(store, where=where, order_by=order_by or ["start_time desc"], limit=limit, as_json=as_json)


@app.command()
def show(
    run_id: Annotated[str, typer.Argument(help="The run's id.")],
    *,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one run: how it stands, its metrics, configuration and artifacts."""
    from runstore.cli import screens  # noqa: PLC0415 - see the module's docstring

    screens.print_run(store, run_id, as_json=as_json)


@app.command()
def fetch(
    run_id: Annotated[str, typer.Argument(help="The run's id.")],
    name: Annotated[str, typer.Argument(help="The artifact's name.")],
    target: Annotated[str | None, typer.Argument(help="The file to write; by default the name's last part.")] = None,
    *,
    store: StoreOption = None,
) -> None:
    """Fetch an artifact's bytes into a file, checked against their SHA-256."""
    from runstore.cli import screens  # noqa: PLC0415 - see the module's docstring

    screens.fetch_artifact(store, run_id, name, target)


@app.command()
def sync(
    *,
    store: StoreOption = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until stopped.")] = False,
    state_dir: Annotated[
        str | None,
        typer.Option(help="Where the journals lie; by default RUNSTORE_STATE_DIR or the user's state directory."),
    ] = None,
) -> None:
    """Bring what journals on this machine still hold into the store."""
    from runstore.cli.sync import sync as bring  # noqa: PLC0415 - see the module's docstring

    bring(store, watch=watch, state_dir=state_dir)


def main() -> None:
    """Runs the command; an expected failure is one line on stderr and exit status 1."""
    try:
        app()
    except RunStoreError as error:
        print(f"runstore: {error}", file=sys.stderr)  # noqa: T201 - a command's own voice
        sys.exit(1)
