"""What the commands that change runs have in common: which runs, whether that is meant, and what is said afterwards."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import click

from runstore.cli.finding import find_experiment, find_run
from runstore.cli.hints import hint_of_nothing
from runstore.cli.options import store_option
from runstore.cli.output.programs import print_json
from runstore.cli.output.text import print_line
from runstore.errors import RunDeletedError, RunNotFoundError
from runstore.model import Run
from runstore.opening.editing import open_editor
from runstore.opening.stores import open_reader
from runstore.protocol import RunEditor, RunReader
from runstore.query.parser import parse_filter
from runstore.query.walking import page_by_page

_MOST_SHOWN: Final = 10
_Command = Callable[..., Any]


class Choice(NamedTuple):
    """Which runs somebody means.

    Attributes:
        wanted: each by its id, a part of it, its name or ``@1``.
        where: a filter instead.
        experiment: of the filter's runs, those of this experiment.
        is_sure: whether nobody is asked.
        holds: what is true of the runs that a filter may find, such as ``archived = true``.
    """

    wanted: Sequence[str]
    where: str | None = None
    experiment: str | None = None
    is_sure: bool = False
    holds: str = ""

    def runs_in(self, reader: RunReader) -> list[Run]:
        """Them, each once.

        Raises:
            RunNotFoundError: there are none.
        """
        if self.where is None and self.experiment is None:
            found = {run.id: run for run in (find_run(reader, each) for each in self.wanted)}
            return list(found.values())
        runs = list(self._matching(reader))
        if not runs:
            hint = hint_of_nothing(reader, self.where) if self.where else ""
            raise RunNotFoundError(
                f"no run matches;{hint or ' `runstore runs` lists what there is, with the same options'}"
            )
        return runs

    def _matching(self, reader: RunReader) -> Iterator[Run]:
        experiment_id = None if self.experiment is None else find_experiment(reader, self.experiment).id
        parse_filter(self.where)  # before it is put into brackets: a message then shows it as it was written
        where = " and ".join(filter(None, [self.holds, f"({self.where})" if self.where else ""])) or None
        for page in page_by_page(
            lambda size, cursor: reader.search_runs(where, experiment_id=experiment_id, limit=size, cursor=cursor),
            limit=None,
        ):
            yield from page


def choice_options(command: _Command) -> _Command:
    """``RUN…`` or ``--filter`` and ``--experiment``, with ``--yes``: the arguments of :func:`choice_of`."""
    for option in (
        click.option("--yes", "is_sure", is_flag=True, help="Do not ask."),
        click.option("--experiment", metavar="NAME", help="All runs of this experiment, or those that match."),
        click.option("--filter", "where", metavar="TEXT", help="All runs that match, instead of RUN."),
        store_option,
    ):
        command = option(command)
    return command


def choice_of(
    wanted: Sequence[str], *, where: str | None, experiment: str | None, is_sure: bool, holds: str = ""
) -> Choice:
    """The arguments of a command that changes runs.

    Raises:
        click.UsageError: none are named, or in both ways.
    """
    if bool(wanted) == (where is not None or experiment is not None):
        raise click.UsageError("name runs, or give --filter or --experiment")
    return Choice(tuple(wanted), where, experiment, is_sure, holds)


def change_runs(
    store: str | None, choice: Choice, *, deed: str, change: Callable[[RunEditor, str], None], asks: bool = False
) -> list[Run]:
    """Changes runs one by one, and gives them as they are afterwards; those that are gone as they were.

    Args:
        store: the store's URL.
        choice: which runs.
        deed: what is done with them, for the question: ``"delete"``.
        change: does it with one, by its id.
        asks: whether to ask even where the runs are named.
    """
    with open_reader(store) as reader:  # makes no store where there is none
        runs = choice.runs_in(reader)
    if (asks or not choice.wanted) and not choice.is_sure:
        ask(f"{deed} {many(len(runs), 'run')}", [named(run) for run in runs])
    changed = []
    with open_editor(store) as editor:
        for run in runs:
            change(editor, run.id)
            with suppress(RunDeletedError):
                run = editor.store.get_run(run.id)  # noqa: PLW2901 - as it is now
            changed.append(run)
    return changed


def ask(deed: str, about: Sequence[str]) -> None:
    """Goes on if a person says yes.

    Raises:
        click.UsageError: there is nobody to ask.
        click.exceptions.Exit: they do not.
    """
    if not is_anybody_there():
        raise click.UsageError(f"This would {deed}; nobody can be asked here: give --yes if that is meant")
    for each in about[:_MOST_SHOWN]:
        print_line(f"  {each}", err=True)
    if len(about) > _MOST_SHOWN:
        print_line(f"  and {len(about) - _MOST_SHOWN} more", err=True)
    if not click.confirm(f"{deed[0].upper()}{deed[1:]}?", err=True):
        print_line("Nothing was changed.", err=True)
        raise click.exceptions.Exit(1)


def is_anybody_there() -> bool:
    """Whether somebody can answer a question."""
    return sys.stdin.isatty()


def say(runs: Sequence[Run], *, done: str, as_json: bool, then: str = "") -> None:
    """What became of the runs: a line each, or JSON with the runs as they are now.

    Args:
        runs: as they are now.
        done: such as ``"archived"``.
        as_json: whether a program reads it.
        then: what can be done next, on stderr.
    """
    if as_json:
        print_json(runs)
        return
    for run in runs:
        print_line(f"{done} {named(run)}")
    if then:
        print_line(then, err=True)


def named(run: Run) -> str:
    """A run by its id, and its name if it has one."""
    return f"{run.id} ({run.name})" if run.name else run.id


def many(count: int, what: str) -> str:
    """A number with its word."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
