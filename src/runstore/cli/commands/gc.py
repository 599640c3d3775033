"""``runstore gc``."""

from datetime import datetime

import click

from runstore.cli.changing import many
from runstore.cli.moments import Moment
from runstore.cli.options import examples, json_option, store_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.text import print_line
from runstore.model import Garbage
from runstore.opening.stores import open_reader, open_store
from runstore.texts import size_text


@click.command("gc", epilog=examples("runstore gc", "runstore gc --yes", "runstore gc --deleted-before 7d --yes"))
@store_option
@click.option(
    "--deleted-before",
    metavar="WHEN",
    type=Moment(),
    help="Runs deleted before then: a date, or 7d for seven days ago; by default 30d.",
)
@click.option(
    "--owns-artifacts/--shares-artifacts",
    default=None,
    help="Whether no other store keeps files in the same place. Where that is not sure, files stay unless you say so.",
)
@click.option("--yes", "is_sure", is_flag=True, help="Remove it, for good.")
@json_option
def command(
    *,
    store: str | None,
    deleted_before: datetime | None,
    owns_artifacts: bool | None,
    is_sure: bool,
    as_json: bool,
) -> None:
    """Show what nothing refers to any more, and with --yes remove it for good.

    That is the data of runs that were deleted long ago, and files that no run has.
    """
    with open_reader(store):  # makes no store where there is none
        pass
    with open_store(store, durable=False) as editor:
        found = editor.collect_garbage(
            deleted_before=deleted_before, owns_artifacts=owns_artifacts, dry_run=not is_sure
        )
    if as_json:
        print_json(found)
        return
    print_line(f"{'would remove' if found.is_dry_run else 'removed'} {_told(found)}")
    if found.is_dry_run and (found.runs or found.files or found.partitions):
        print_line("Nothing was changed; --yes removes it for good.", err=True)


def _told(found: Garbage) -> str:
    parts = [f"{many(found.runs, 'deleted run')} with {many(found.points, 'point')}"]
    parts.append(f"{many(found.files, 'file')} that no run has ({size_text(found.bytes)})")
    if found.partitions:
        parts.append(many(found.partitions, "partition"))
    return ", ".join(parts)
