"""``runstore archive`` and ``runstore unarchive``."""

from collections.abc import Sequence

import click

from runstore.cli.changing import change_runs, choice_of, choice_options, say
from runstore.cli.options import examples, json_option


@click.command(
    "archive",
    epilog=examples("runstore archive 0197f3c2 0197f3d5", "runstore archive --filter \"tag.stage = 'draft'\" --yes"),
)
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@choice_options
@json_option
def command(  # noqa: PLR0913 - an option each
    *,
    runs: Sequence[str],
    store: str | None,
    where: str | None,
    experiment: str | None,
    is_sure: bool,
    as_json: bool,
) -> None:
    """Put runs away: lists leave them out, and nothing of them is lost.

    RUN is its id, the beginning or the end of it, its name, or @1 for the newest.
    """
    choice = choice_of(runs, where=where, experiment=experiment, is_sure=is_sure)
    done = change_runs(store, choice, deed="archive", change=lambda editor, run_id: editor.archive_run(run_id))
    say(done, done="archived", as_json=as_json, then="`runstore runs --filter 'archived = true'` lists them.")


@click.command(
    "unarchive",
    epilog=examples("runstore unarchive baseline", "runstore unarchive --experiment ct-seg --yes"),
)
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@choice_options
@json_option
def unarchive(  # noqa: PLR0913 - an option each
    *,
    runs: Sequence[str],
    store: str | None,
    where: str | None,
    experiment: str | None,
    is_sure: bool,
    as_json: bool,
) -> None:
    """Bring archived runs back into the lists.

    RUN is its id, the beginning or the end of it, or its name.
    """
    choice = choice_of(runs, where=where, experiment=experiment, is_sure=is_sure, holds="archived = true")
    done = change_runs(store, choice, deed="unarchive", change=lambda editor, run_id: editor.unarchive_run(run_id))
    say(done, done="unarchived", as_json=as_json)
