"""The filter language: what is read, what is refused and what it means."""

import math
from itertools import pairwise

import pytest

from runstore import QueryError
from runstore.query.meaning import Odd, Value, matches, precedes, sort_key
from runstore.query.parser import parse_filter, parse_order
from runstore.query.tree import (
    And,
    Attribute,
    Compare,
    ConfigKey,
    Field,
    In,
    Like,
    Metric,
    Not,
    Or,
    Order,
    Present,
    Tag,
)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("status = 'failed'", Compare(Attribute("status"), "=", "failed")),
        ("STATUS='failed' ", Compare(Attribute("status"), "=", "failed")),
        ("metric.train.loss < -1e-3", Compare(Metric("train", "loss", "last"), "<", -0.001)),
        ("metric.validation.auroc.max >= .9", Compare(Metric("validation", "auroc", "max"), ">=", 0.9)),
        ('metric.train."a ""b"".c".min = 1', Compare(Metric("train", 'a "b".c', "min"), "=", 1.0)),
        ("metric.other.lr/group-1 > 0", Compare(Metric("other", "lr/group-1", "last"), ">", 0.0)),
        ("config.model.depth in (18, 34)", In(ConfigKey("model.depth"), (18.0, 34.0), negated=False)),
        ('config."a.b".c != true', Compare(ConfigKey("a\\.b.c"), op="!=", value=True)),
        ('config."" = 1', Compare(ConfigKey(""), "=", 1.0)),
        ("config.layers.0 = 1", Compare(ConfigKey("layers.0"), "=", 1.0)),
        ("tag.owner not in ('me')", In(Tag("owner"), ("me",), negated=True)),
        ("name not like 'a''%'", Like(Attribute("name"), "a'%", negated=True)),
        ("end_time is null", Present(Attribute("end_time"), negated=True)),
        ("end_time is not null", Present(Attribute("end_time"), negated=False)),
        ("start_time >= '1970-01-01T00:00:01Z'", Compare(Attribute("start_time"), ">=", 1_000_000)),
        ("start_time >= '1970-01-02'", Compare(Attribute("start_time"), ">=", 86_400_000_000)),
    ],
)
def test_a_test_is_read_as_its_tree(text: str, tree: object) -> None:
    assert parse_filter(text) == tree


def test_and_binds_closer_than_or_and_not_closest() -> None:
    a, b, c = (Compare(Attribute("attempt"), "=", float(number)) for number in (1, 2, 3))

    assert parse_filter("attempt = 1 or attempt = 2 and not attempt = 3") == Or((a, And((b, Not(c)))))
    assert parse_filter("(attempt = 1 or attempt = 2) and attempt = 3") == And((Or((a, b)), c))


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_no_filter_is_none(text: str | None) -> None:
    assert parse_filter(text) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("status", "an operator"),
        ("status = ", "found the end"),
        ("status = done", "'done' at position 9"),
        ("status = 'done'", r"a status \(in_progress"),
        ("status = 'failed' attempt = 1", "'and', 'or' or the end"),
        ("(attempt = 1", r"'\)'"),
        ("attempt = 'x'", "a number"),
        ("nothing = 1", "a field"),
        ("metric.val.loss = 1", "a field.*train, validation, test, other"),
        ("metric.train.loss.median = 1", "a field"),
        ("attempt like '1'", "needs a text field"),
        ("start_time > 'yesterday'", "an ISO time"),
        ("config.a = 'x", "cannot read"),
        ("config.a = 1; drop table runs", "cannot read"),
        ("attempt = 1e999", "within float64"),
        ("not " * 11 + "attempt = 1", "over 10 levels deep at position 44"),
        ("(" * 5000, "levels deep"),
        ("x" * 20_001, "20,001 characters; at most 20,000"),
        (" or ".join(["attempt = 1"] * 101), "more than 100 tests; use 'in'"),
        (f"attempt in ({', '.join(['1'] * 1001)})", "more than 1,000 values"),
        (f"name like '{'a' * 1001}'", "1,001 characters; at most 1,000"),
        (5, "of type int"),
        ("name = 'a\x00b'", "NUL"),
        ("name = '\ud800'", "surrogate"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_place(text: str, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        parse_filter(text)


def test_orders_are_read_and_refused() -> None:
    assert parse_order(["metric.test.acc desc", "name", "start_time ASC"]) == (
        Order(Metric("test", "acc", "last"), descending=True),
        Order(Attribute("name"), descending=False),
        Order(Attribute("start_time"), descending=False),
    )
    with pytest.raises(QueryError, match="up"):
        parse_order(["name up"])


@pytest.mark.parametrize("terms", [["name"] * 11, ["name", 5], 5, {"name": "asc"}, ["name\0"], ["x" * 20_001], [""]])
def test_an_ordering_that_is_none_is_refused(terms: object) -> None:
    with pytest.raises(QueryError):
        parse_order(terms)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "not " * 10 + "attempt = 1",
        "(" * 10 + "attempt = 1" + ")" * 10,
        " or ".join(["attempt = 1"] * 100),
        f"attempt in ({', '.join(['1'] * 1000)})",
        f"name like '{'a' * 1000}'",
        "attempt = 1".ljust(20_000),
    ],
    ids=lambda text: text[:12],
)
def test_what_just_keeps_a_bound_is_read(text: str) -> None:
    assert parse_filter(text) is not None


_RUN: dict[Field, Value] = {
    ConfigKey("n"): 2.0,
    ConfigKey("nan"): math.nan,
    ConfigKey("text"): "a.c\n",
    ConfigKey("yes"): True,
    ConfigKey("null"): Odd.NULL,
    ConfigKey("list"): Odd.OTHER,
}


def _matches(text: str) -> bool:
    return matches(parse_filter(text), lambda field: _RUN.get(field, Odd.MISSING))


@pytest.mark.parametrize(
    "text",
    [
        "config.n = 2",
        "config.n != 3",
        "config.n in (1, 2)",
        "config.n not in (1, 'a')",
        "config.yes = true",
        "config.text like 'a.c_'",
        "config.text like '%c%'",
        "config.text not like 'abc_'",
        "config.null is null",
        "config.away is null",
        "config.list is not null",
        "config.nan is not null",
        "not config.away = 1",
        "not config.nan != 1",
    ],
)
def test_a_run_matches(text: str) -> None:
    assert _matches(text)


@pytest.mark.parametrize(
    "text",
    [
        "config.away = 1",
        "config.away != 1",
        "config.away not in (1)",
        "config.away not like 'a'",
        "config.nan = 1",
        "config.nan != 1",
        "config.nan < 1",
        "config.nan not in (1)",
        "config.n != 'a'",
        "config.n not in ('a')",
        "config.yes = 1",
        "config.n = true",
        "config.text like 'A%'",
        "config.text > 1",
        "config.list = 'x'",
        "config.null != 'x'",
        "config.n like '2'",
    ],
)
def test_a_run_that_lacks_a_comparable_value_does_not_match(text: str) -> None:
    assert not _matches(text)


def test_ranks_ascend_in_both_directions_and_values_turn_with_the_order() -> None:
    values: list[Value] = [1.0, 2.0, math.inf, "a", "b", False, True, Odd.NULL, Odd.MISSING]
    for term, expected in (
        ("config.x", values),
        ("config.x desc", [2.0, 1.0, math.inf, "b", "a", True, False, Odd.NULL, Odd.MISSING]),
    ):
        orders = parse_order([term])
        places = [sort_key(orders, lambda _, value=value: value, start_us=0, run_id="r") for value in expected]  # type: ignore[misc]

        assert all(precedes(left, right, orders) for left, right in pairwise(places))
