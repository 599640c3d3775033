"""Questions for pages: what is refused before a database is asked, and cursors that were changed on their way."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstore import InvalidValueError, QueryError
from runstore.query.searches import (
    RunQuery,
    check_children,
    check_experiments,
    check_search,
    decode_cursor,
    encode_cursor,
)

ORDER = ["config.lr desc", "end_time", "metric.train.loss"]
PLACE: list[tuple[int, Any]] = [(3, True), (0, 1_000_000), (1, 0), (0, -5), (2, "run-1")]


def asked(cursor: Any = None, *, order_by: Any = tuple(ORDER), **named: Any) -> RunQuery:
    arguments: dict[str, Any] = {"filter": "attempt = 1", "experiment_id": None, "limit": 10} | named
    return check_search(arguments.pop("filter"), order_by=order_by, cursor=cursor, **arguments)


def forged(place: Any) -> str:
    return encode_cursor(asked().key, json.dumps(place).encode())


def test_a_cursor_gives_its_place_back_to_the_query_it_was_made_by() -> None:
    cursor = asked().cursor_after(PLACE)

    assert asked(cursor).after == PLACE
    assert asked(asked().cursor_after([[3, 1.0], [0, 1_000_000], [1, 0], [0, -5], [2, "run-1"]])).after == PLACE


@pytest.mark.parametrize(
    "other",
    [
        {"filter": "attempt = 2"},
        {"filter": None},
        {"experiment_id": "e"},
        {"order_by": ORDER[:-1]},
        {"order_by": [*ORDER[:-1], "metric.train.loss desc"]},
    ],
)
def test_a_cursor_of_another_query_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(QueryError, match="next_cursor"):
        asked(asked().cursor_after(PLACE), **other)


def test_a_cursor_of_another_list_is_refused() -> None:
    runs, children = asked().cursor_after(PLACE), check_children("r", limit=1, cursor=None)
    experiments = check_experiments(limit=1, cursor=None)

    with pytest.raises(QueryError):
        check_experiments(limit=1, cursor=runs)
    with pytest.raises(QueryError):
        check_children("r", limit=1, cursor=experiments.cursor_after("e"))
    with pytest.raises(QueryError):
        check_children("s", limit=1, cursor=children.cursor_after([(0, 1), (2, "a")]))


@given(st.data())
def test_a_cursor_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    cursor = asked().cursor_after(PLACE)
    at = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.characters())
    changed = cursor[:at] + other + cursor[at + 1 :]

    if decoded(changed) == decoded(cursor):  # the last bits of base64 carry nothing
        assert asked(changed).after == PLACE
    else:
        with pytest.raises(QueryError):
            asked(changed)


def decoded(cursor: str) -> bytes | None:
    try:
        return base64.b64decode(cursor, altchars=b"-_", validate=True)
    except ValueError:
        return None


@given(st.text() | st.binary() | st.integers() | st.floats() | st.lists(st.text()) | st.just("A" * 5_000_000))
def test_anything_at_all_as_a_cursor_is_refused(cursor: Any) -> None:
    for check in (
        asked,
        lambda found: check_children("r", limit=1, cursor=found),
        lambda found: check_experiments(limit=1, cursor=found),
    ):
        with pytest.raises(QueryError):
            check(cursor)


@pytest.mark.parametrize(
    ("term", "pair"),
    [
        (0, [3, 1]),
        (0, [3, "true"]),
        (0, [6, 0]),
        (0, [-1, 0]),
        (0, [0, "1"]),
        (0, [0, True]),
        (0, [0, 10**400]),
        (0, [0, None]),
        (0, [2, 5]),
        (0, [2, "a\0"]),
        (0, [2, "\ud800"]),
        (0, [2, "x" * 65_536]),
        (0, [4, "x"]),
        (0, [2]),
        (0, [2, "a", "b"]),
        (0, "2a"),
        (0, [[2, "a"]]),
        (1, [0, 1.5]),
        (1, [0, 2**63]),
        (1, [0, -(2**70)]),
        (1, [2, "a"]),
        (1, [1, 0]),
        (2, [2, "a"]),
        (2, [3, True]),
        (3, [5, 0]),
        (3, [0, "2026"]),
        (4, [0, 1]),
        (4, [5, 0]),
    ],
)
def test_a_place_that_no_run_can_have_is_refused(term: int, pair: object) -> None:
    place: list[Any] = [list(each) for each in PLACE]
    place[term] = pair

    with pytest.raises(QueryError):
        asked(forged(place))


@pytest.mark.parametrize("place", [None, 5, "x", {}, [], PLACE[:-1], [*PLACE, [2, "a"]], [PLACE] * 5])
def test_a_place_of_another_shape_is_refused(place: object) -> None:
    with pytest.raises(QueryError):
        asked(forged(place))


@pytest.mark.parametrize("depth", [10, 100_000])
def test_a_place_nested_without_end_is_refused(depth: int) -> None:
    body = b"[" * depth + b"]" * depth

    with pytest.raises(QueryError):
        asked(encode_cursor(asked().key, body))


@pytest.mark.parametrize("name", [5, None, "", "a\0", "x" * 256, ["a"], "line\nbreak"])
def test_a_place_among_experiments_is_a_name(name: object) -> None:
    cursor = encode_cursor("experiments", json.dumps(name).encode())
    assert decode_cursor("experiments", cursor)

    with pytest.raises(QueryError):
        check_experiments(limit=1, cursor=cursor)


@pytest.mark.parametrize("experiment_id", [5, "", "a\0", "x" * 256, b"e", ["e"], "\ud800"])
def test_an_experiment_id_that_none_can_have_is_refused(experiment_id: object) -> None:
    with pytest.raises(InvalidValueError, match="experiment_id"):
        asked(experiment_id=experiment_id)
