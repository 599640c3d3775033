"""Filters and orders, evaluated in Python with the reference semantics of :mod:`runstore.query.meaning`.

A backend with many runs would translate the tree of a checked query into SQL; the kit then compares the two.
"""

from collections.abc import Mapping, Sequence
from functools import cmp_to_key
from typing import Any

from runstore.model import Page, Run, SeriesSummary, to_microseconds
from runstore.query.meaning import leaf_value, lookup_in, matches, precedes, sort_key
from runstore.query.searches import RunQuery
from runstore.values.config import flatten_config

Place = list[list[Any]]


def search_page(
    runs: Sequence[Run],
    configs: Mapping[str, Mapping[str, Any]],
    summaries: Mapping[str, Sequence[SeriesSummary]],
    query: RunQuery,
) -> Page[Run]:
    """The page of those runs that match."""
    found: list[tuple[Place, Run]] = []
    for run in runs:
        lookup = lookup_in(
            run,
            leaves={
                leaf.key: leaf_value(leaf.kind, leaf.number, leaf.text) for leaf in flatten_config(configs[run.id])
            },
            summaries={(each.name, str(each.dataset_type)): each for each in summaries[run.id]},
        )
        if matches(query.node, lookup):
            place = sort_key(query.orders, lookup, start_us=to_microseconds(run.start_time), run_id=run.id)
            found.append((place, run))
    return _page(found, query)


def children_page(runs: Sequence[Run], query: RunQuery) -> Page[Run]:
    """The page of a run's children, in creation order."""
    return _page([([[0, to_microseconds(run.start_time)], [2, run.id]], run) for run in runs], query)


def _page(found: list[tuple[Place, Run]], query: RunQuery) -> Page[Run]:
    after, limit = query.after, query.limit
    rest = [item for item in found if after is None or precedes(after, item[0], query.orders)]

    def compared(left: tuple[Place, Run], right: tuple[Place, Run]) -> int:
        return -1 if precedes(left[0], right[0], query.orders) else 1

    rest.sort(key=cmp_to_key(compared))
    next_cursor = query.cursor_after(rest[limit - 1][0]) if len(rest) > limit else None
    return Page(items=tuple(run for _, run in rest[:limit]), next_cursor=next_cursor)
