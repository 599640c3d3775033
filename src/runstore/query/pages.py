"""A page of runs for a backend that cannot filter or sort: it hands over the runs, and Python picks (READ.1-4)."""

from collections.abc import Iterable
from functools import cmp_to_key
from typing import Any

from runstore.model import Run, to_microseconds
from runstore.query.meaning import Lookup, matches, precedes, sort_key
from runstore.query.searches import Place, RunQuery


def pick_page(runs: Iterable[tuple[Run, Lookup]], asked: RunQuery) -> tuple[list[Run], Place | None]:
    """What a backend's ``read_runs`` returns, out of runs that are looked at one by one.

    Args:
        runs: with the status that they have now, each with its values (:func:`runstore.query.lookup_in`).
        asked: the question.
    """
    found: list[tuple[list[tuple[int, Any]], Run]] = []

    def before(left: tuple[Any, Run], right: tuple[Any, Run]) -> int:
        return -1 if precedes(left[0], right[0], asked.orders) else 1

    for run, lookup in runs:
        if asked.experiment_id not in {None, run.experiment_id} or asked.parent_run_id not in {None, run.parent_run_id}:
            continue
        if run.archived_at is not None and not asked.with_archived:
            continue
        if matches(asked.node, lookup):
            place = sort_key(asked.orders, lookup, start_us=to_microseconds(run.start_time), run_id=run.id)
            if asked.after is None or precedes(asked.after, place, asked.orders):
                found.append((place, run))
    found.sort(key=cmp_to_key(before))
    page = found[: asked.limit]
    return [run for _, run in page], page[-1][0] if len(found) > asked.limit else None
