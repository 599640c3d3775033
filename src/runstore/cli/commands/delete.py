"""``runstore delete`` and ``runstore restore``."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import click

from runstore.backend.changes import KEPT_AFTER_DELETION
from runstore.cli.changing import change_runs, choice_of, choice_options, say
from runstore.cli.options import examples, json_option, store_option
from runstore.errors import InvalidValueError, RunDeletedError, RunNotFoundError
from runstore.model import DeletedRun
from runstore.opening.editing import open_editor
from runstore.opening.stores import open_reader
from runstore.protocol import RunReader
from runstore.query.walking import page_by_page

_SHORTEST_PART = 4
_MOST_SHOWN = 5
_NEWEST = re.compile(r"@([1-9]\d*)")


@click.command(
    "delete",
    epilog=examples("runstore delete 0197f3c2", "runstore delete --filter \"status = 'failed'\" --yes"),
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
    """Delete runs; they can be restored for thirty days.

    RUN is its id, the beginning or the end of it, its name, or @1 for the newest. Children of a run stay.
    """
    choice = choice_of(runs, where=where, experiment=experiment, is_sure=is_sure)
    done = change_runs(store, choice, deed="delete", change=lambda editor, run_id: editor.delete_run(run_id), asks=True)
    until = (datetime.now(UTC) + KEPT_AFTER_DELETION).astimezone()
    then = f"`runstore restore {done[0].id}`" if len(done) == 1 else "`runstore restore RUN`"
    say(done, done="deleted", as_json=as_json, then=f"{then} undoes it, until {until:%Y-%m-%d}.")


@click.command("restore", epilog=examples("runstore restore 0197f3c2", "runstore restore @1"))
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@store_option
@json_option
def restore(*, runs: Sequence[str], store: str | None, as_json: bool) -> None:
    """Bring deleted runs back, with all that they had.

    RUN is its id, the beginning or the end of it, its name, or @1 for the one that was deleted last. `runstore runs
    --deleted` lists them.
    """
    with open_reader(store) as reader:
        wanted = list(dict.fromkeys(_find(reader, each) for each in runs))
    with open_editor(store) as editor:
        for run_id in wanted:
            editor.restore_run(run_id)
        done = [editor.store.get_run(run_id) for run_id in wanted]
    say(done, done="restored", as_json=as_json)


def _find(reader: RunReader, wanted: str) -> str:
    """The id of the deleted run that is meant; a whole id may be that of any run."""
    deleted = list(_deleted(reader))
    newest = _NEWEST.fullmatch(wanted)
    if newest is not None:
        number = int(newest[1])
        if number > len(deleted):
            there_are = f"there are only {len(deleted)}" if deleted else "there are no deleted runs"
            raise RunNotFoundError(f"{wanted} means a deleted run, and {there_are} to restore")
        return deleted[number - 1].id
    if any(run.id == wanted for run in deleted) or _is_there(reader, wanted):
        return wanted
    found = [run for run in deleted if run.name == wanted or _is_part(wanted, run.id)]
    if len(found) > 1:
        told = "; ".join(
            f"{run.id} ({f'{run.name}, ' if run.name else ''}deleted {run.deleted_at:%Y-%m-%d %H:%M:%S} UTC)"
            for run in found[:_MOST_SHOWN]
        )
        more = "; and more" if len(found) > _MOST_SHOWN else ""
        raise InvalidValueError(f"{wanted!r} may be each of {told}{more}. Give more of the id")
    if found:
        return found[0].id
    try:
        reader.get_run(wanted)
    except RunDeletedError:  # purged, which restoring it will say
        return wanted
    except RunNotFoundError:
        raise RunNotFoundError(
            f"no deleted run has the id or the name {wanted!r}; `runstore runs --deleted` lists them"
        ) from None
    return wanted


def _is_there(reader: RunReader, run_id: str) -> bool:
    """Whether a run of this very id is there: then no other one is meant by it."""
    with suppress(RunNotFoundError, InvalidValueError):
        return reader.get_run(run_id).id == run_id
    return False


def _is_part(wanted: str, run_id: str) -> bool:
    return len(wanted) >= _SHORTEST_PART and (run_id.startswith(wanted) or run_id.endswith(wanted))


def _deleted(reader: RunReader) -> Iterator[DeletedRun]:
    for page in page_by_page(lambda size, cursor: reader.list_deleted(limit=size, cursor=cursor), limit=None):
        yield from page
