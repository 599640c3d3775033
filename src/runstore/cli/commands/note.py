"""``runstore note``."""

import sys

import click

from runstore.cli.finding import find_run
from runstore.cli.options import examples, json_option, store_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.text import print_line
from runstore.model import Run
from runstore.opening.editing import open_editor
from runstore.opening.stores import open_reader


@click.command(
    "note",
    epilog=examples(
        'runstore note @1 "Fold 2 had two films of one patient."',
        "runstore note 0197f3c2 --edit",
        "runstore note 0197f3c2 -",
    ),
)
@click.argument("run")
@click.argument("text", metavar="[TEXT|-]", required=False)
@store_option
@click.option("--edit", "is_edited", is_flag=True, help="Write it in the editor that EDITOR names.")
@click.option("--remove", "is_removed", is_flag=True, help="Remove the note.")
@json_option
def command(  # noqa: PLR0913 - an option each
    *, run: str, text: str | None, store: str | None, is_edited: bool, is_removed: bool, as_json: bool
) -> None:
    """Keep a note with a run, in place of the one before; without TEXT, show it.

    RUN is its id, the beginning or the end of it, its name, or @1 for the newest. TEXT is the note, or - for what comes
    from stdin.
    """
    if (text is not None) + is_edited + is_removed > 1:
        raise click.UsageError("give one of TEXT, --edit and --remove")
    with open_reader(store) as reader:
        found = find_run(reader, run)
    if text is None and not is_edited and not is_removed:
        _show(found, as_json=as_json)
        return
    note = None if is_removed else _edited(found.note) if is_edited else sys.stdin.read() if text == "-" else text
    with open_editor(store) as editor:
        editor.set_note(found.id, note)
        changed = editor.store.get_run(found.id)
    if as_json:
        _show(changed, as_json=True)
    else:
        print_line("noted" if changed.note else "the run has no note now")


def _edited(note: str | None) -> str | None:
    """What a person makes of a note; left alone, or not saved, it stays as it is."""
    edited = click.edit(note or "", extension=".md", require_save=True)
    return note if edited is None else edited.rstrip("\n")


def _show(run: Run, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": run.id, "name": run.name, "note": run.note})
    elif run.note:
        print_line(run.note)
    else:
        print_line("The run has no note.", err=True)
