"""Rows and cells, ready to be shown."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

from runstore.model import Run
from runstore.query import Attribute, ConfigKey, Metric, Tag, spelt_literal
from runstore.secrets import redact
from runstore.texts import duration_text, span_text
from runstore_ui.means import mean_and_spread
from runstore_ui.state import TableState, link
from runstore_ui.table.columns import Column, Facts, Value, settings_of, value_of
from runstore_ui.table.numbers import bars, number_texts
from runstore_ui.table.runs import Found
from runstore_ui.table.times import ago

SHAPES: Final = {"completed": "●", "in_progress": "◐", "failed": "✕", "interrupted": "◼", "lost": "◌"}
"""Each status has a shape besides its word and its colour."""
WORDS: Final = {"in_progress": "running"}
_LONGEST_TEXT: Final = 60
_LONGEST_HINT: Final = 500
_SHARED: Final = frozenset({"status", "experiment", "training_mode", "client_id", "attempt"})
"""Attributes of which many runs may have one value."""


class Head(Struct, frozen=True, kw_only=True):
    """The head of a column.

    Attributes:
        sorted_: ``"ascending"``, ``"descending"`` or nothing, as assistive technology says it.
        order: the address of the table sorted by it; the other way round if it is already.
    """

    column: Column
    sorted_: str
    order: str
    is_number: bool


class Cell(Struct, frozen=True, kw_only=True):
    """What a row shows in a column.

    Attributes:
        hint: shown on hover: the exact value.
        bar: how long the bar behind it is, from 0 to 100; ``None`` for none.
        is_best: whether it is the best of the column.
        is_of_children: whether it is the mean of the children that are folded below the row.
        only: the address of the table of the runs that have this very value, and what its filter says.
        moment: the exact time, where the text says how long ago it is.
    """

    text: str
    hint: str = ""
    bar: int | None = None
    is_best: bool = False
    is_of_children: bool = False
    is_number: bool = False
    status: str = ""
    moment: str = ""
    only: tuple[str, str] | None = None


class Row(Struct, frozen=True, kw_only=True):
    """A run in the table.

    Attributes:
        depth: how deep it stands below its parents.
        children: how many it has.
        fold: the address of the table with its children shown, or hidden again.
    """

    run: Run
    address: str
    depth: int
    children: int
    is_unfolded: bool
    fold: str
    is_chosen: bool
    cells: Sequence[Cell]


class Table(Struct, frozen=True, kw_only=True):
    """What the page shows."""

    heads: Sequence[Head]
    rows: Sequence[Row]


def tabulate(  # noqa: PLR0913 - what was found, and how it is told
    found: Found,
    columns: Sequence[Column],
    configs: Mapping[str, Mapping[str, Any]],
    state: TableState,
    now: datetime | None,
    *,
    is_file: bool = False,
) -> Table:
    """The table of what was found.

    Args:
        found: the runs.
        columns: what is shown of them.
        configs: of runs, by id, where a column shows a setting.
        state: what was asked for; links are made from it.
        now: by which it is said how long ago something was; ``None`` for exact times, as in a file.
        is_file: whether it is for a file: without links, and with all children below their parents, which have their mean as well.
    """
    unfolded = found.children.keys() if is_file else state.unfolded
    shown = found.shown(unfolded)
    facts = [_facts(run, found, configs) for run, _ in shown]
    below = [
        []
        if run.id in unfolded and not is_file
        else [_facts(child, found, {}) for child in found.children.get(run.id, ())]
        for run, _ in shown
    ]
    plain = [_cells(column, facts, below, now) for column in columns]
    by_column = (
        plain
        if is_file
        else [_with_filters(column, facts, cells, state) for column, cells in zip(columns, plain, strict=True)]
    )
    heads = [_head(column, cells, state) for column, cells in zip(columns, by_column, strict=True)]
    rows = [
        _row(run, depth, found, state, [cells[index] for cells in by_column])
        for index, (run, depth) in enumerate(shown)
    ]
    return Table(heads=heads, rows=rows)


def _facts(run: Run, found: Found, configs: Mapping[str, Mapping[str, Any]]) -> Facts:
    return Facts(
        run=run,
        experiment=found.experiments.get(run.experiment_id, run.experiment_id),
        summaries=found.summaries.get(run.id, {}),
        settings=settings_of(configs.get(run.id, {})),
    )


def _row(run: Run, depth: int, found: Found, state: TableState, cells: Sequence[Cell]) -> Row:
    is_unfolded = run.id in state.unfolded
    others = tuple(each for each in state.unfolded if each != run.id)
    return Row(
        run=run,
        address=link("run", [("id", run.id)]),
        depth=depth,
        children=len(found.children.get(run.id, ())),
        is_unfolded=is_unfolded,
        fold=state.link(unfolded=others if is_unfolded else (*others, run.id)),
        is_chosen=run.id in state.chosen,
        cells=cells,
    )


def _head(column: Column, cells: Sequence[Cell], state: TableState) -> Head:
    field, _, direction = state.order.strip().rpartition(" ")
    if direction.lower() not in {"asc", "desc"}:
        field, direction = state.order.strip(), "asc"
    is_sorted, goes_down = field == column.text, direction.lower() == "desc"
    down = not goes_down if is_sorted else column.sorts_down_first
    return Head(
        column=column,
        sorted_=("descending" if goes_down else "ascending") if is_sorted else "",
        order=state.link(order=f"{column.text} desc" if down else column.text),
        is_number=any(cell.is_number for cell in cells),
    )


def _cells(
    column: Column, facts: Sequence[Facts], below: Sequence[Sequence[Facts]], now: datetime | None
) -> list[Cell]:
    if column.field == Attribute("status"):
        return [_status(each.run) for each in facts]
    if column.field == Attribute("duration"):
        return [_duration(each.run) for each in facts]
    values = [value_of(column, each) for each in facts]
    if isinstance(column.field, Metric):
        return _metrics(column, values, [[value_of(column, each) for each in children] for children in below])
    return [_plain(value, now) for value in values]


def _with_filters(column: Column, facts: Sequence[Facts], cells: Sequence[Cell], state: TableState) -> Sequence[Cell]:
    """The cells, each with the way to the runs that have the same value, where many runs may have it."""
    if not isinstance(column.field, (Tag, ConfigKey)) and column.text not in _SHARED:
        return cells
    found = []
    for each, cell in zip(facts, cells, strict=True):
        value = value_of(column, each)
        # A link to the runs of a value holds the value: not where the cell hides a password in it.
        if isinstance(value, (str, bool, float, int)) and cell.text and redact(str(value)) == str(value):
            test = f"{column.text} = {spelt_literal(value)}"
            cell = msgspec.structs.replace(cell, only=(state.link(where=_both(state.where, test)), test))  # noqa: PLW2901
        found.append(cell)
    return found


def _both(where: str, test: str) -> str:
    if not where:
        return test
    return where if test in where else f"({where}) and {test}" if " or " in where.lower() else f"{where} and {test}"


def _plain(value: Value, now: datetime | None) -> Cell:
    if value is None:
        return Cell(text="")
    if isinstance(value, datetime):
        exact = value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        told = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if now is None else ago(value, now)
        return Cell(text=told, hint=exact, moment=exact)
    if isinstance(value, bool):
        return Cell(text=str(value).lower())
    if isinstance(value, (int, float)):
        return Cell(text=f"{value:.6g}", hint=repr(value), is_number=True)
    text = redact(str(value))
    cut = f"{text[:_LONGEST_TEXT]}…" if len(text) > _LONGEST_TEXT else text
    return Cell(text=cut, hint=text[:_LONGEST_HINT] if cut != text else "")


def _status(run: Run) -> Cell:
    status = str(run.status)
    failure = "" if run.failure is None else f"{run.failure.type}: {run.failure.message}"[:_LONGEST_HINT]
    return Cell(text=WORDS.get(status, status), status=status, hint=failure)


def _duration(run: Run) -> Cell:
    seconds = run.duration_s
    exact = "" if seconds is None else f"{seconds:,.3f} s"
    text = duration_text(run) if seconds is None else span_text(timedelta(seconds=seconds))
    return Cell(text=text, hint=exact, is_number=True)


def _metrics(column: Column, values: Sequence[Value], below: Sequence[Sequence[Value]]) -> list[Cell]:
    """Of a run that has no value of its own, the mean of its folded children."""
    own = [float(value) if isinstance(value, (int, float)) else None for value in values]
    means = [_mean(each) for each in below]
    shown = [value if value is not None else mean and mean[0] for value, mean in zip(own, means, strict=True)]
    write = number_texts([value for value in shown if value is not None])
    finite = [value for value in own if value is not None and math.isfinite(value)]
    best = {"min": min, "max": max}[column.best](finite) if column.best and len(set(finite)) > 1 else None
    cells = []
    for value, mean, bar in zip(own, means, bars(shown), strict=True):
        if value is not None:
            cells.append(Cell(text=write(value), hint=repr(value), bar=bar, is_best=value == best, is_number=True))
        elif mean is not None:
            text = write(mean[0]) if mean[1] is None else f"{write(mean[0])} ± {mean[1]:.2g}"
            what = "mean" if mean[1] is None else "mean ± standard deviation"
            hint = "of one child" if mean[2] == 1 else f"{what} of {mean[2]} children"
            cells.append(Cell(text=text, hint=hint, bar=bar, is_of_children=True, is_number=True))
        else:
            cells.append(Cell(text="", is_number=True))
    return cells


def _mean(values: Sequence[Value]) -> tuple[float, float | None, int] | None:
    """The mean, the standard deviation of the sample where there is one, and of how many finite values."""
    finite = [float(value) for value in values if isinstance(value, (int, float)) and math.isfinite(value)]
    return (*mean_and_spread(finite), len(finite)) if finite else None
