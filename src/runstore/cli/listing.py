"""Which runs a list has, and the table of them."""

from collections.abc import Sequence
from typing import NamedTuple

from runstore.cli.columns import asked_columns, default_columns, facts_of, settings_that_differ
from runstore.cli.finding import find_experiment
from runstore.cli.hints import advice_of_keys, hint_of_nothing, hints_of_fields
from runstore.cli.options import Form
from runstore.cli.output.tables import print_table
from runstore.cli.output.text import print_line, terminal_width
from runstore.cli.paging import Extent
from runstore.cli.tree import Tree, grown
from runstore.model import Run
from runstore.protocol import RunReader

_WIDE = 120
"""Columns of a terminal from which there is room for the year."""

NO_DIFFERENCE = "The settings of these runs do not differ."


class Asked(NamedTuple):
    """Which runs somebody asked for."""

    where: str | None
    experiment: str | None
    order_by: Sequence[str]
    extent: Extent
    as_tree: bool = False


class Found(NamedTuple):
    """The runs of a list.

    Attributes:
        tree: at the top those that were asked for; children only where a tree was.
        cursor: behind which there are more, if there are.
        experiments: the names of their experiments, by id.
    """

    tree: Tree
    cursor: str | None
    experiments: dict[str, str]

    @property
    def runs(self) -> list[Run]:
        """All of them, as they stand below one another."""
        return [branch.run for branch in self.tree.branches()]


def find_runs(reader: RunReader, asked: Asked, form: Form) -> Found:
    """The runs; in a tree that no filter cuts, those that have a parent stand below it alone."""
    experiment_id = _experiment_id(reader, asked)
    where = "parent_run_id is null" if asked.as_tree and asked.where is None else asked.where
    runs, cursor = asked.extent.read(
        form,
        lambda size, cursor: reader.search_runs(
            where, experiment_id=experiment_id, order_by=asked.order_by, limit=size, cursor=cursor
        ),
    )
    tree = grown(reader, runs, order_by=asked.order_by) if asked.as_tree else Tree(runs, {})
    ids = {branch.run.experiment_id for branch in tree.branches()}
    return Found(tree, cursor, {each: reader.get_experiment(each).name for each in ids})


def print_table_of_runs(reader: RunReader, asked: Asked, *, columns: Sequence[str], only_changed: bool) -> None:
    """The first 20 runs, unless more are asked for; hints are on stderr."""
    with advice_of_keys(reader):
        shown_columns = asked_columns(columns) if columns else None
    found = find_runs(reader, asked, Form.TABLE)
    branches = list(found.tree.branches())
    if not branches:
        print_line(_nothing(reader, asked.where, _experiment_id(reader, asked)))
        return
    runs = [branch.run for branch in branches]
    run_ids = [run.id for run in runs]
    wants_config = only_changed or (shown_columns is not None and any("config." in each for each in columns))
    facts = facts_of(
        runs,
        found.experiments,
        reader.get_summaries_of(run_ids),
        reader.get_configs(run_ids) if wants_config else {},
    )
    settings = settings_that_differ(facts) if only_changed else []
    chosen = shown_columns or default_columns(
        facts, is_narrow=0 < terminal_width() < _WIDE, settings=settings, as_tree=asked.as_tree
    )
    rows = [[each.text(one) for each in chosen] for one in facts]
    for row, branch in zip(rows, branches, strict=True):
        row[0] = f"{branch.lines}{row[0]}"
    print_table([each.column for each in chosen], rows, advice="widen the window, or choose with --columns")
    if only_changed and not settings:
        print_line(NO_DIFFERENCE, err=True)
    empty = [each.field for each in shown_columns or () if each.field and not any(map(each.text, facts))]
    for hint in hints_of_fields(reader, empty):
        print_line(hint, err=True)
    asked.extent.say_more("runs", len(found.tree.tops), found.cursor)


def _experiment_id(reader: RunReader, asked: Asked) -> str | None:
    return None if asked.experiment is None else find_experiment(reader, asked.experiment).id


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
