"""``runstore export``: runs as a folder of tables, or as one HTML file."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, get_args

import click

from runstore.cli.columns import csv_fields
from runstore.cli.finding import find_experiment, find_run
from runstore.cli.options import examples, json_option, store_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.text import print_line
from runstore.cli.progress import progress
from runstore.exporting import export
from runstore.local.files import copy_out
from runstore.local.importing_the_page import importing_the_page
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
        "runstore export best.html @1 --html",
        'runstore export table.html --html --experiment ct-seg --order "metric.validation.dice.max desc"',
    ),
)
@click.argument("target", metavar="FOLDER", type=click.Path(path_type=Path))
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@store_option
@click.option("--experiment", metavar="NAME", help="Only runs of this experiment; its id does as well.")
@click.option("--filter", "where", metavar="TEXT", help="Only runs that fit, such as: status = 'completed'")
@click.option(
    "--format",
    "form",
    type=click.Choice(get_args(Form)),
    help="Parquet (by default) and JSON can be imported again, CSV cannot. TensorBoard's event files hold the points and settings.",
)
@click.option(
    "--html",
    "as_html",
    is_flag=True,
    help="Write one HTML file instead: of one RUN its page, of several a comparison, of none a table.",
)
@click.option("--order", metavar="FIELD", help="Of a table in HTML: the field that sorts it, with asc or desc.")
@click.option(
    "--columns",
    metavar="FIELDS",
    multiple=True,
    help="Of a table in HTML: what it shows of each run, with commas between, as runstore runs has it.",
)
@click.option("--no-bytes", is_flag=True, help="List the artifacts alone; write no bytes of them.")
@click.option(
    "--force",
    is_flag=True,
    help="Replace an earlier export of that name, or an HTML file; nothing else is ever replaced.",
)
@json_option
def command(  # noqa: PLR0913 - an option each
    target: Path,
    *,
    runs: Sequence[str],
    store: str | None,
    experiment: str | None,
    where: str | None,
    form: Form | None,
    as_html: bool,
    order: str | None,
    columns: Sequence[str],
    no_bytes: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write runs to a folder of files that other programs read.

    FOLDER is made, and appears when all is written. RUN is an id, the beginning or the end of it, a name, or @1 for the newest;
    without any, all runs are written, archived ones as well. runstore import brings back Parquet and JSON, into any store.
    Parquet needs pyarrow.

    With --html FOLDER is a file, to be sent to somebody or kept beside a paper: charts, numbers, settings and small pictures
    stand in it, it opens in any browser, and loads nothing. It needs runstore[ui].
    """
    if runs and (experiment is not None or where is not None):
        raise click.UsageError("RUN excludes --experiment and --filter: name the runs, or say which")
    if as_html:
        if form is not None or no_bytes or as_json:
            raise click.UsageError("--html excludes --format, --no-bytes and --json: it is one file for people")
        if runs and (order is not None or columns):
            raise click.UsageError("--order and --columns are of a table: leave RUN out")
        table = _Table(experiment, where, order, columns)
        _write_html(store, target, runs, table, replaces=force)
        return
    if order is not None or columns:
        raise click.UsageError("--order and --columns go with --html")
    with open_reader(store) as reader:
        selection = _selection(reader, runs, experiment, where)
        with progress("exporting", selection.count(reader)) as bar:
            written = export(
                reader, target, selection, form=form or "parquet", with_bytes=not no_bytes, replace=force, told=bar
            )
    if as_json:
        print_json(written)
        return
    print_line(
        f"{target}: {_many(written.runs, 'run')}, {_many(written.points, 'point')}, {_many(written.files, 'artifact')} "
        f"({size_text(written.bytes)})"
    )
    if written.left_out:
        print_line("event files cannot hold, and the folder lacks:", bold=True)
        for what, count in written.left_out.items():
            print_line(f"  {what}: {count:,}")


class _Table(NamedTuple):
    """Which table is written as HTML."""

    experiment: str | None
    where: str | None
    order: str | None
    columns: Sequence[str]


def _write_html(store: str | None, target: Path, runs: Sequence[str], table: _Table, *, replaces: bool) -> None:
    with importing_the_page():
        from runstore_ui.saving import saved_view  # noqa: PLC0415 - needed for this alone
    with open_reader(store) as reader:
        experiment = None if table.experiment is None else find_experiment(reader, table.experiment).name
        content = saved_view(
            reader,
            list(dict.fromkeys(find_run(reader, run).id for run in runs)),
            experiment=experiment,
            where=table.where,
            order=table.order,
            columns=csv_fields(table.columns)[1:],
        ).encode()
    copy_out(BytesIO(content), target, overwrite=replaces)
    print_line(f"{target}: {size_text(len(content))}")


def _selection(reader: RunReader, runs: Sequence[str], experiment: str | None, where: str | None) -> Selection:
    if runs:
        ids = dict.fromkeys(find_run(reader, run).id for run in runs)
        return Selection(filter=f"id in ({', '.join(map(spelt_literal, ids))})")
    return Selection(filter=where, experiment_id=None if experiment is None else find_experiment(reader, experiment).id)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
