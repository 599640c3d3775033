"""``runstore rename``."""

import click

from runstore.cli.finding import find_run
from runstore.cli.options import examples, json_option, store_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.text import print_line
from runstore.opening.editing import open_editor
from runstore.opening.stores import open_reader


@click.command("rename", epilog=examples('runstore rename @1 "baseline, 3 folds"', "runstore rename 0197f3c2 --remove"))
@click.argument("run")
@click.argument("name", required=False)
@store_option
@click.option("--remove", "is_removed", is_flag=True, help="Leave the run without a name.")
@json_option
def command(*, run: str, name: str | None, store: str | None, is_removed: bool, as_json: bool) -> None:
    """Give a run another name.

    RUN is its id, the beginning or the end of it, its name, or @1 for the newest.
    """
    if (name is None) != is_removed:
        raise click.UsageError("give NAME or --remove")
    with open_reader(store) as reader:
        found = find_run(reader, run)
    with open_editor(store) as editor:
        editor.rename_run(found.id, name)
        changed = editor.store.get_run(found.id)
    if as_json:
        print_json({"id": changed.id, "name": changed.name, "former_name": found.name})
    else:
        print_line(f"{changed.id}: {_said(changed.name)}, before {_said(found.name)}")


def _said(name: str | None) -> str:
    return "no name" if name is None else repr(name)
