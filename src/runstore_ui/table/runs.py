"""The runs of one page of the table, and what is known of them, read by a few calls and without any history."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, structs

from runstore.errors import ExperimentNotFoundError
from runstore.model import Run, SeriesSummary
from runstore.protocol import RunReader
from runstore.query import spelt_literal
from runstore_ui.state import TableState

PAGE: Final = 50
_MOST_CHILDREN: Final = 1_000
_AT_ONCE: Final = 50
_LONGEST_ID: Final = 255
_TOPS: Final = "parent_run_id is null"


class Found(Struct, frozen=True, kw_only=True):
    """What a page of the table shows.

    Attributes:
        runs: those that the page is about, in its order.
        children: of these and of unfolded ones, by the parent's id.
        has_more_children: whether not all children were read.
        next_cursor: where the next page begins, if there is one.
        matching: how many runs match, children included.
        elsewhere: ids of runs that are ticked, there and have no row on this page.
        summaries: by run id, of all runs here.
        experiments: names by id.
    """

    runs: Sequence[Run]
    children: Mapping[str, Sequence[Run]]
    has_more_children: bool
    next_cursor: str | None
    matching: int
    summaries: Mapping[str, Mapping[tuple[str, str], SeriesSummary]]
    experiments: Mapping[str, str]
    elsewhere: Sequence[str] = ()

    def shown(self, unfolded: Collection[str]) -> list[tuple[Run, int]]:
        """The runs that have a row, with how deep each stands."""
        rows: list[tuple[Run, int]] = []
        waiting = [(run, 0) for run in reversed(self.runs)]
        seen: set[str] = set()
        while waiting:
            run, depth = waiting.pop()
            if run.id in seen:
                continue
            seen.add(run.id)
            rows.append((run, depth))
            if run.id in unfolded:
                waiting += [(child, depth + 1) for child in reversed(self.children.get(run.id, ()))]
        return rows


def find_runs(reader: RunReader, state: TableState) -> Found:
    """Reads one page.

    Raises:
        QueryError: the filter, the order or the cursor cannot be understood.
        ExperimentNotFoundError: there is no such experiment.
    """
    experiment_id = experiment_of(reader, state)
    where = state.where or _TOPS
    page = reader.search_runs(
        where, experiment_id=experiment_id, order_by=(state.order,), limit=PAGE, cursor=state.cursor
    )
    children, has_more = _children(reader, page.items, state.unfolded)
    everyone = [*page.items, *(run for runs in children.values() for run in runs)]
    found = Found(
        runs=page.items,
        children=children,
        has_more_children=has_more,
        next_cursor=page.next_cursor,
        matching=reader.count_runs(state.where or None, experiment_id=experiment_id),
        summaries={
            run_id: {(each.name, str(each.dataset_type)): each for each in series}
            for run_id, series in reader.get_summaries_of([run.id for run in everyone]).items()
        },
        experiments={each: reader.get_experiment(each).name for each in {run.experiment_id for run in everyone}},
    )
    rows = {run.id for run, _ in found.shown(state.unfolded)}
    return structs.replace(found, elsewhere=_there(reader, [each for each in state.chosen if each not in rows]))


def _there(reader: RunReader, ids: Sequence[str]) -> list[str]:
    """Those that are ids of runs: one that was deleted is not ticked any more."""
    ids = [each for each in ids if "\0" not in each and len(each) <= _LONGEST_ID]
    found: set[str] = set()
    for start in range(0, len(ids), _AT_ONCE):
        listed = ", ".join(map(spelt_literal, ids[start : start + _AT_ONCE]))
        found.update(run.id for run in reader.iter_runs(f"id in ({listed})"))
    return [each for each in ids if each in found]


def experiment_of(reader: RunReader, state: TableState) -> str | None:
    """The id of the experiment that is shown; ``None`` for all."""
    if state.experiment is None:
        return None
    found = reader.find_experiment(state.experiment)
    if found is None:
        raise ExperimentNotFoundError(
            f"there is no experiment {state.experiment!r} in this store; the list at the head of the page names those there are"
        )
    return found.id


def configs_of(reader: RunReader, found: Found, unfolded: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The settings of the runs that have a row."""
    return reader.get_configs([run.id for run, _ in found.shown(unfolded)])


def _children(reader: RunReader, tops: Sequence[Run], unfolded: Sequence[str]) -> tuple[dict[str, list[Run]], bool]:
    """The children of the runs at the top, and of those children that are unfolded."""
    children: dict[str, list[Run]] = {}
    read, level, seen = 0, [run.id for run in tops], {run.id for run in tops}
    while level and read < _MOST_CHILDREN:
        listed = ", ".join(map(spelt_literal, level))
        below = list(
            reader.iter_runs(
                f"parent_run_id in ({listed})", order_by=("start_time asc",), limit=_MOST_CHILDREN + 1 - read
            )
        )
        read += len(below)
        for run in below:
            children.setdefault(run.parent_run_id or "", []).append(run)
        level = [run.id for run in below if run.id in unfolded and run.id not in seen]
        seen.update(level)
    return children, read > _MOST_CHILDREN
