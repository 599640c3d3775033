"""``runstore export``: runs as a folder of tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from runstore.cli.finding import find_experiment, find_run
from runstore.cli.options import examples, json_option, store_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.text import print_line
from runstore.cli.progress import progress
from runstore.exporting import export
from runstore.moving import Selection
from runstore.moving.layout import Form
from runstore.opening.stores import open_reader
from runstore.protocol import RunReader
from runstore.query.spelling import spelt_literal
from runstore.texts import size_text


@click.command(
    "export",
    epilog=examples(
        "runstore export ct-seg-2026 --experiment ct-seg",
        "runstore export best @1 --store sqlite:///runs.db",
        "runstore export done --filter \"status = 'completed'\" --no-bytes",
        "runstore export for-jq --format json",
        "runstore export for-the-spreadsheet --format csv",
        "runstore export logs --format tensorboard",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@store_option
@click.option("--experiment", metavar="NAME", help="Only runs of this experiment; its id does as well.")
@click.option("--filter", "where", metavar="TEXT", help="Only runs that fit, such as: status = 'completed'")
@click.option(
    "--format",
    "form",
    type=click.Choice(get_args(Form)),
    default="parquet",
    help="Parquet (by default) and JSON can be imported again, CSV cannot. TensorBoard's event files hold the points and settings.",
)
@click.option("--no-bytes", is_flag=True, help="List the artifacts alone; write no bytes of them.")
@click.option("--force", is_flag=True, help="Replace an earlier export of that name; nothing else is ever replaced.")
@json_option
def command(  # noqa: PLR0913 - an option each
    folder: Path,
    *,
    runs: Sequence[str],
    store: str | None,
    experiment: str | None,
    where: str | None,
    form: Form,
    no_bytes: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write runs to a folder of files that other programs read.

    FOLDER is made, and appears when all is written. RUN is an id, the beginning or the end of it, a name, or @1 for the newest;
    without any, all runs are written, archived ones as well. runstore import brings back Parquet and JSON, into any store.
    Parquet needs pyarrow.
    """
    if runs and (experiment is not None or where is not None):
        raise click.UsageError("RUN excludes --experiment and --filter: name the runs, or say which")
    with open_reader(store) as reader:
        selection = _selection(reader, runs, experiment, where)
        with progress("exporting", selection.count(reader)) as bar:
            written = export(reader, folder, selection, form=form, with_bytes=not no_bytes, replace=force, told=bar)
    if as_json:
        print_json(written)
        return
    print_line(
        f"{folder}: {_many(written.runs, 'run')}, {_many(written.points, 'point')}, {_many(written.files, 'artifact')} "
        f"({size_text(written.bytes)})"
    )
    if written.left_out:
        print_line("event files cannot hold, and the folder lacks:", bold=True)
        for what, count in written.left_out.items():
            print_line(f"  {what}: {count:,}")


def _selection(reader: RunReader, runs: Sequence[str], experiment: str | None, where: str | None) -> Selection:
    if runs:
        ids = dict.fromkeys(find_run(reader, run).id for run in runs)
        return Selection(filter=f"id in ({', '.join(map(spelt_literal, ids))})")
    return Selection(filter=where, experiment_id=None if experiment is None else find_experiment(reader, experiment).id)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
