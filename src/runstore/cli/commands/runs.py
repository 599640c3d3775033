"""``runstore runs``."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
import msgspec

from runstore.cli.columns import csv_fields, facts_of, settings_that_differ
from runstore.cli.hints import advice_of_keys
from runstore.cli.listing import Asked, find_runs, print_table_of_runs
from runstore.cli.options import Form, examples, form_options, store_option
from runstore.cli.output.programs import print_csv, print_json
from runstore.cli.paging import Extent
from runstore.cli.watching import watch
from runstore.opening.stores import open_reader
from runstore.protocol import RunReader
from runstore.query.spelling import spelt
from runstore.query.tree import ConfigKey

_NEWEST_FIRST = ("start_time desc",)


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
@click.option("--only-changed", is_flag=True, help="The settings that are not the same in all runs listed, too.")
@click.option(
    "--tree", "as_tree", is_flag=True, help="Children below their parents; without --filter, no child at the top."
)
@click.option("--watch", "is_watched", is_flag=True, help="Draw the table again whenever it changes, until Ctrl-C.")
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
    only_changed: bool,
    as_tree: bool,
    is_watched: bool,
    is_deleted: bool,
    form: Form,
) -> None:
    """List runs, the newest first unless told otherwise."""
    _check(is_all and limit is not None, "--all and --limit exclude each other")
    _check(only_changed and bool(columns), "--only-changed and --columns exclude each other")
    _check(as_tree and form is Form.CSV, "--tree goes with a table or --json; in CSV the column parent_run_id tells it")
    _check(is_watched and form is not Form.TABLE, "--watch draws a table; it goes without --json and --csv")
    extent = Extent(limit=limit, is_all=is_all, cursor=cursor)
    if is_deleted:
        others = where, columns, only_changed, as_tree, is_watched, tuple(order_by) != _NEWEST_FIRST
        _check(any(others), "--deleted goes with --experiment, --limit, --all, --cursor, --json and --csv alone")
        from runstore.cli.deleted import print_deleted  # noqa: PLC0415 - as below

        print_deleted(store, experiment=experiment, extent=extent, form=form)
        return
    asked = Asked(where, experiment, order_by, extent, as_tree=as_tree)
    with open_reader(store) as reader:
        if is_watched:
            watch(lambda: print_table_of_runs(reader, asked, columns=columns, only_changed=only_changed))
        elif form is Form.TABLE:
            print_table_of_runs(reader, asked, columns=columns, only_changed=only_changed)
        elif form is Form.CSV:
            _print_csv(reader, asked, columns=columns, only_changed=only_changed)
        else:
            _print_json(reader, asked, only_changed=only_changed)


def _check(is_wrong: bool, message: str) -> None:  # noqa: FBT001 - reads as an assertion
    if is_wrong:
        raise click.UsageError(message)


def _print_json(reader: RunReader, asked: Asked, *, only_changed: bool) -> None:
    found = find_runs(reader, asked, Form.JSON)
    runs = found.runs
    run_ids = [run.id for run in runs]
    summaries = reader.get_summaries_of(run_ids)
    configs = reader.get_configs(run_ids) if only_changed else {}
    facts = facts_of(runs, found.experiments, {}, configs)
    settings = settings_that_differ(facts)
    values = {
        one.run.id: msgspec.to_builtins(one.run)
        | {"experiment": one.experiment, "summaries": summaries.get(one.run.id, ())}
        | ({"changed": _chosen(configs.get(one.run.id, {}), settings)} if only_changed else {})
        for one in facts
    }
    if asked.as_tree:
        for run in reversed(runs):  # what is below a run is whole before the run is
            values[run.id]["children"] = [values[child.id] for child in found.tree.children.get(run.id, ())]
    print_json([values[run.id] for run in found.tree.tops])
    asked.extent.say_more("runs", len(found.tree.tops), found.cursor)


def _chosen(config: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    from runstore.frames.runs import leaves  # noqa: PLC0415 - as below

    values = dict(leaves(config, ""))
    return {key: values[key] for key in keys if key in values}


def _print_csv(reader: RunReader, asked: Asked, *, columns: Sequence[str], only_changed: bool) -> None:
    from runstore.frames.runs import DEFAULT_COLUMNS, frame_of_runs  # noqa: PLC0415 - a table starts without it

    found = find_runs(reader, asked, Form.CSV)
    runs = found.runs
    fields = csv_fields(columns) if columns else list(DEFAULT_COLUMNS)
    if only_changed:
        facts = facts_of(runs, found.experiments, {}, reader.get_configs([run.id for run in runs]))
        settings = [spelt(ConfigKey(key)) for key in settings_that_differ(facts)]
        fields[fields.index("config.*") : fields.index("config.*") + 1] = settings
    with advice_of_keys(reader):
        frame = frame_of_runs(reader, runs, fields)
    print_csv(frame.columns, (list(row.values()) for row in frame))
    asked.extent.say_more("runs", len(runs), found.cursor)
