"""Filters and orders, evaluated in Python with the reference semantics of :mod:`runstore.query_reference`.

A backend with many runs would translate the tree that ``parse_filter`` gives into SQL; the kit then compares the two.
"""

from collections.abc import Mapping, Sequence
from functools import cmp_to_key
from typing import Any

from runstore.config import flatten_config
from runstore.model import Page, Run, SeriesSummary, to_microseconds
from runstore.query import Attribute, Order, decode_cursor, encode_cursor, parse_filter, parse_order, query_key
from runstore.query_reference import leaf_value, lookup_in, matches, precedes, sort_key

Place = list[list[Any]]


def search_page(  # noqa: PLR0913 - a search's arguments, keyword-only
    runs: Sequence[Run],
    configs: Mapping[str, Mapping[str, Any]],
    summaries: Mapping[str, Sequence[SeriesSummary]],
    *,
    filter: str | None,  # noqa: A002 - the protocol's name
    order_by: Sequence[str],
    scope: str | None,
    limit: int,
    cursor: str | None,
) -> Page[Run]:
    """The page of those runs that match."""
    node, orders = parse_filter(filter), parse_order(order_by)
    found: list[tuple[Place, Run]] = []
    for run in runs:
        lookup = lookup_in(
            run,
            leaves={
                leaf.key: leaf_value(leaf.kind, leaf.number, leaf.text) for leaf in flatten_config(configs[run.id])
            },
            summaries={(each.name, str(each.dataset_type)): each for each in summaries[run.id]},
        )
        if matches(node, lookup):
            place = sort_key(orders, lookup, start_us=to_microseconds(run.start_time), run_id=run.id)
            found.append((place, run))
    return _page(found, orders, key=query_key("runs", node, orders, scope), limit=limit, cursor=cursor)


def children_page(runs: Sequence[Run], *, parent: str, limit: int, cursor: str | None) -> Page[Run]:
    """The page of a run's children, in creation order."""
    orders = (Order(Attribute("start_time"), descending=False),)
    found: list[tuple[Place, Run]] = []
    for run in runs:
        start_us = to_microseconds(run.start_time)
        found.append(([[0, start_us], [0, start_us], [2, run.id]], run))
    return _page(found, orders, key=query_key("children", parent), limit=limit, cursor=cursor)


def _page(
    found: list[tuple[Place, Run]], orders: Sequence[Order], *, key: str, limit: int, cursor: str | None
) -> Page[Run]:
    after = None if cursor is None else decode_cursor(key, cursor)
    rest = [item for item in found if after is None or precedes(after, item[0], orders)]

    def compared(left: tuple[Place, Run], right: tuple[Place, Run]) -> int:
        return -1 if precedes(left[0], right[0], orders) else 1

    rest.sort(key=cmp_to_key(compared))
    next_cursor = encode_cursor(key, rest[limit - 1][0]) if len(rest) > limit else None
    return Page(items=tuple(run for _, run in rest[:limit]), next_cursor=next_cursor)
