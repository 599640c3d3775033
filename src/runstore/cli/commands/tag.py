"""``runstore tag``."""

from collections.abc import Sequence

import click

from runstore.cli.changing import change_runs, choice_of, choice_options, many, named
from runstore.cli.options import examples, json_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.tables import print_facts
from runstore.cli.output.text import print_line
from runstore.errors import RunNotFoundError
from runstore.model import Run
from runstore.opening.stores import open_reader
from runstore.protocol import RunEditor


@click.command(
    "tag",
    epilog=examples(
        "runstore tag @1 stage=final owner=me",
        "runstore tag 0197f3c2 --remove stage",
        "runstore tag --filter \"status = 'failed'\" checked=yes --yes",
    ),
)
@click.argument("words", metavar="[RUN]... [KEY=VALUE]...", nargs=-1)
@click.option("--remove", "gone", metavar="KEY", multiple=True, help="Remove this tag; may be given several times.")
@choice_options
@json_option
def command(  # noqa: PLR0913 - an option each
    *,
    words: Sequence[str],
    gone: Sequence[str],
    store: str | None,
    where: str | None,
    experiment: str | None,
    is_sure: bool,
    as_json: bool,
) -> None:
    """Give runs tags, or remove some; without either, show those that they have.

    RUN is its id, the beginning or the end of it, its name, or @1 for the newest. A name with = in it is no RUN here.
    """
    wanted = [each for each in words if "=" not in each]
    tags = dict(each.split("=", 1) for each in words if "=" in each)
    both = sorted(tags.keys() & set(gone))
    if both:
        raise click.UsageError(f"{', '.join(both)}: either set or removed, not both")
    choice = choice_of(wanted, where=where, experiment=experiment, is_sure=is_sure)
    if not tags and not gone:
        with open_reader(store) as reader:
            try:
                runs = choice.runs_in(reader)
            except RunNotFoundError as error:
                if len(wanted) < 2:  # noqa: PLR2004 - a run, and what was to be its tag
                    raise
                raise RunNotFoundError(f"{error}; to set a tag write KEY=VALUE, as in {wanted[-1]}=...") from None
        _say(runs, as_json=as_json)
        return

    def change(editor: RunEditor, run_id: str) -> None:
        if tags:
            editor.set_tags(run_id, tags)
        if gone:
            editor.remove_tags(run_id, gone)

    deed = " and ".join([f"set {', '.join(tags)} of"] * bool(tags) + [f"remove {', '.join(gone)} of"] * bool(gone))
    _say(change_runs(store, choice, deed=deed, change=change), as_json=as_json)


def _say(runs: Sequence[Run], *, as_json: bool) -> None:
    if as_json:
        print_json([{"id": run.id, "name": run.name, "tags": run.tags} for run in runs])
        return
    for run in runs:
        print_line(f"{named(run)}: {many(len(run.tags), 'tag')}")
        print_facts(sorted(run.tags.items()), indent=2)
