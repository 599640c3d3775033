"""``runstore runs`` and ``runstore experiments``."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from runstore.cli.columns import asked_columns, default_columns, facts_of, time_text, time_zone
from runstore.cli.finding import all_experiments, find_experiment
from runstore.cli.hints import advice_of_keys, hint_of_nothing, hints_of_fields
from runstore.cli.tables import Column, print_json, print_line, print_table, terminal_width
from runstore.errors import ExperimentNotFoundError
from runstore.model import Page
from runstore.opening.stores import open_reader
from runstore.protocol import RunReader
from runstore.values.ids import experiment_id_of

ItemT = TypeVar("ItemT")

_PAGE = 1000
_LIMIT = 20
_WIDE = 120
"""Columns of a terminal from which there is room for the year."""

ALL = -1
"""As a limit: there is none."""


def print_runs(  # noqa: PLR0913 - the command's options, keyword-only
    store: str | None,
    *,
    where: str | None,
    experiment: str | None,
    order_by: Sequence[str],
    limit: int | None,
    columns: Sequence[str],
    as_json: bool,
) -> None:
    """The runs that match. JSON has all of them unless a limit is given; a table has the first 20 of them."""
    with open_reader(store) as reader:
        with advice_of_keys(reader):
            shown_columns = asked_columns(columns) if columns else None
        experiment_id = None if experiment is None else find_experiment(reader, experiment).id
        most = (None if as_json else _LIMIT) if limit is None else None if limit == ALL else limit
        runs, is_cut = _all_pages(
            lambda size, cursor: reader.search_runs(
                where, experiment_id=experiment_id, order_by=order_by, limit=size, cursor=cursor
            ),
            most,
        )
        summaries = reader.get_summaries_of([run.id for run in runs])
        wants_config = shown_columns is not None and any("config." in each for each in columns)
        configs = reader.get_configs([run.id for run in runs]) if wants_config else {}
        names = {each: reader.get_experiment(each).name for each in {run.experiment_id for run in runs}}
        nothing = "" if runs else _nothing(reader, where, experiment_id)
        facts = facts_of(runs, names, summaries, configs)
        empty = [each.field for each in shown_columns or () if each.field and not any(map(each.text, facts))]
        hints = list(hints_of_fields(reader, empty)) if runs else []
    if as_json:
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
    _say_cut(len(runs), is_cut=is_cut)


def _say_cut(count: int, *, is_cut: bool) -> None:
    if is_cut:
        print_line(f"More runs match; these are the first {count}. --limit N gives more, --all gives all.", err=True)


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


def print_deleted(store: str | None, *, experiment: str | None, limit: int | None, as_json: bool) -> None:
    """The deleted runs that can be restored, the last deleted first: as many as :func:`print_runs` gives."""
    most = (None if as_json else _LIMIT) if limit is None else None if limit == ALL else limit
    with open_reader(store) as reader:
        experiment_id = None if experiment is None else _maybe_deleted(reader, experiment)
        runs, is_cut = _all_pages(
            lambda size, cursor: reader.list_deleted(experiment_id=experiment_id, limit=size, cursor=cursor), most
        )
    if as_json:
        print_json(runs)
    elif not runs:
        print_line("There are no deleted runs that can be restored.")
    else:
        print_table(
            [
                Column("run"),
                Column("name", may_be_cut=True, goes=1),
                Column("experiment", may_be_cut=True, goes=2),
                Column(f"started\n({time_zone()})", goes=3, cuts_others=True),
                Column(f"deleted\n({time_zone()})", cuts_others=True),
            ],
            [
                [
                    run.id,
                    run.name or "",
                    run.experiment,
                    time_text(run.start_time, to_seconds=False),
                    time_text(run.deleted_at, to_seconds=False),
                ]
                for run in runs
            ],
        )
        print_line("In Python, restore_run(run_id) of an open store brings one back.", err=True)
    _say_cut(len(runs), is_cut=is_cut)


def _maybe_deleted(reader: RunReader, experiment: str) -> str:
    """The id of an experiment, which may be deleted: its id is made of its name."""
    try:
        return find_experiment(reader, experiment).id
    except ExperimentNotFoundError:
        for experiment_id in (experiment_id_of(experiment), experiment):
            if reader.list_deleted(experiment_id=experiment_id, limit=1).items:
                return experiment_id
        raise


def _all_pages(read: Callable[[int, str | None], Page[ItemT]], most: int | None) -> tuple[list[ItemT], bool]:
    """The first items of a list, at most so many, and whether there are more."""
    items: list[ItemT] = []
    cursor = None
    while True:
        page = read(_PAGE if most is None else min(_PAGE, most - len(items)), cursor)
        items += page.items
        cursor = page.next_cursor
        if cursor is None or len(items) == most:
            return items, cursor is not None


def print_experiments(store: str | None, *, as_json: bool) -> None:
    """Every experiment, by name."""
    with open_reader(store) as reader:
        experiments = list(all_experiments(reader))
    if as_json:
        print_json(experiments)
    elif not experiments:
        print_line("There are no experiments yet.")
    else:
        print_table(
            [
                Column("experiment", may_be_cut=True),
                Column("id"),
                Column(f"created\n({time_zone()})", goes=2),
                Column("description", may_be_cut=True, goes=3),
            ],
            [[each.name, each.id, time_text(each.created_at), each.description or ""] for each in experiments],
        )
