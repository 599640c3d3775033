"""``runstore runs``."""

from collections.abc import Sequence
from typing import NamedTuple

import click
import msgspec

from runstore.cli.columns import asked_columns, csv_fields, default_columns, facts_of
from runstore.cli.deleted import print_deleted
from runstore.cli.finding import find_experiment
from runstore.cli.hints import advice_of_keys, hint_of_nothing, hints_of_fields
from runstore.cli.options import Form, examples, form_options, store_option
from runstore.cli.output.programs import print_csv, print_json
from runstore.cli.output.tables import print_table
from runstore.cli.output.text import print_line, terminal_width
from runstore.cli.paging import Extent
from runstore.frames.runs import frame_of_runs
from runstore.opening.stores import open_reader
from runstore.protocol import RunReader

_NEWEST_FIRST = ("start_time desc",)
_WIDE = 120
"""Columns of a terminal from which there is room for the year."""


class _Asked(NamedTuple):
    """Which runs somebody asked for."""

    where: str | None
    experiment: str | None
    order_by: Sequence[str]
    extent: Extent


@click.command(
    "runs",
    epilog=examples(
        "runstore runs --filter \"status = 'failed'\"", "runstore runs --columns name,took,config.lr --all"
    ),
)
@store_option
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
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many runs at most: 20 in a table, all in JSON and CSV by default.",
)
@click.option("--all", "is_all", is_flag=True, help="All runs that match.")
@click.option("--cursor", metavar="TEXT", help="Go on behind an earlier page; --limit says where the next one begins.")
@click.option(
    "--columns",
    metavar="FIELDS",
    multiple=True,
    help="What to show of each run, with commas between: name, status, took, metric.validation.auroc.max, config.lr, tag.owner",
)
@click.option("--deleted", "is_deleted", is_flag=True, help="Deleted runs that can be restored instead.")
@form_options
def command(  # noqa: PLR0913 - an option each
    *,
    store: str | None,
    experiment: str | None,
    where: str | None,
    order_by: Sequence[str],
    limit: int | None,
    is_all: bool,
    cursor: str | None,
    columns: Sequence[str],
    is_deleted: bool,
    form: Form,
) -> None:
    """List runs, the newest first unless told otherwise."""
    if is_all and limit is not None:
        raise click.UsageError("--all and --limit exclude each other")
    extent = Extent(limit=limit, is_all=is_all, cursor=cursor)
    if is_deleted:
        if where is not None or columns or tuple(order_by) != _NEWEST_FIRST:
            raise click.UsageError("--deleted goes with --experiment, --limit, --all, --cursor, --json and --csv alone")
        print_deleted(store, experiment=experiment, extent=extent, form=form)
        return
    asked = _Asked(where, experiment, order_by, extent)
    print_runs(store, asked, columns=columns, form=form)


def print_runs(store: str | None, asked: _Asked, *, columns: Sequence[str], form: Form) -> None:
    """The runs that match. Programs get all of them unless a limit is given; a table has the first 20 of them."""
    with open_reader(store) as reader:
        with advice_of_keys(reader):
            shown_columns = asked_columns(columns) if columns else None
        experiment_id = None if asked.experiment is None else find_experiment(reader, asked.experiment).id
        runs, more = asked.extent.read(
            form,
            lambda size, cursor: reader.search_runs(
                asked.where, experiment_id=experiment_id, order_by=asked.order_by, limit=size, cursor=cursor
            ),
        )
        if form is Form.CSV:
            frame = frame_of_runs(reader, runs, csv_fields(columns) if columns else None)
            print_csv(frame.columns, (list(row.values()) for row in frame))
            asked.extent.say_more("runs", len(runs), more)
            return
        summaries = reader.get_summaries_of([run.id for run in runs])
        wants_config = shown_columns is not None and any("config." in each for each in columns)
        configs = reader.get_configs([run.id for run in runs]) if wants_config else {}
        names = {each: reader.get_experiment(each).name for each in {run.experiment_id for run in runs}}
        nothing = "" if runs else _nothing(reader, asked.where, experiment_id)
        facts = facts_of(runs, names, summaries, configs)
        empty = [each.field for each in shown_columns or () if each.field and not any(map(each.text, facts))]
        hints = list(hints_of_fields(reader, empty)) if runs else []
    if form is Form.JSON:
        print_json(
            [
                msgspec.to_builtins(run)
                | {"experiment": names[run.experiment_id], "summaries": summaries.get(run.id, ())}
                for run in runs
            ]
        )
    elif not runs:
        print_line(nothing)
    else:
        chosen = shown_columns or default_columns(facts, is_narrow=0 < terminal_width() < _WIDE)
        left_out = print_table([each.column for each in chosen], [[each.text(one) for each in chosen] for one in facts])
        if left_out:
            print_line(f"No room for {', '.join(left_out)}: widen the window, or choose with --columns.", err=True)
        for hint in hints:
            print_line(hint, err=True)
    asked.extent.say_more("runs", len(runs), more)


def _nothing(reader: RunReader, where: str | None, experiment_id: str | None) -> str:
    """Why a list is empty: what a filter names is not there, the runs are archived, they were deleted, there are none."""
    if where:
        return f"No run matches.{hint_of_nothing(reader, where)}"
    archived = reader.count_runs("archived = true", experiment_id=experiment_id)
    if archived:
        return f"All runs are archived ({archived}): --filter 'archived = true' lists them."
    if experiment_id is not None:
        whose, others = "The experiment has no runs", reader.list_deleted(experiment_id=experiment_id, limit=1)
    else:
        whose, others = "There are no runs", reader.list_deleted(limit=1)
    if others.items:
        return f"{whose}; --deleted lists those that were deleted and can be restored."
    return f"{whose} yet."
