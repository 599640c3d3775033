"""``runstore thin``."""

from datetime import UTC, datetime

import click

from runstore.cli.changing import ask, many
from runstore.cli.moments import Moment
from runstore.cli.options import examples, json_option, store_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.text import print_line
from runstore.opening.stores import open_reader, open_store
from runstore.texts import time_text


@click.command(
    "thin", epilog=examples("runstore thin --ended-before 365d", "runstore thin --ended-before 2026-01-31 --yes")
)
@store_option
@click.option(
    "--ended-before",
    metavar="WHEN",
    type=Moment(),
    required=True,
    help="Runs that ended before then: a date, or 90d for ninety days ago.",
)
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@json_option
def command(*, store: str | None, ended_before: datetime, is_sure: bool, as_json: bool) -> None:
    """Leave of old histories what a plot shows; the other points are gone for good.

    Summaries stay whole: count, first, last, lowest and highest value of each metric.
    """
    where = f"archived in (true, false) and end_time < '{ended_before.astimezone(UTC).isoformat()}'"
    with open_reader(store) as reader:
        count = reader.count_runs(where)
    if not is_sure:
        ask(f"thin the histories of {many(count, 'run')} that ended before {time_text(ended_before)}", [])
    with open_store(store, durable=False) as editor:
        done = editor.thin_histories(ended_before=ended_before)
    if as_json:
        print_json(done)
    else:
        print_line(f"removed {many(done.points, 'point')} of {done.series:,} series")
