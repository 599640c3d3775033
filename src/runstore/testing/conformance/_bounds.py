"""READ.7 to READ.9: what is answered at every bound, what is refused beyond it, and what reading never does."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import pytest

from runstore.backend import Store
from runstore.errors import InvalidValueError, QueryError, ReadOnlyError
from runstore.query import check_children, check_search
from runstore.query.searches import encode_cursor
from runstore.testing.bench import Bench, new_experiment, point, state_of, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._changes import CHANGES
from runstore.testing.conformance._reading import pages
from runstore.values.ids import experiment_id_of

START = datetime(2026, 5, 1, tzinfo=UTC)
LONGEST = 65_535


def nested(levels: int) -> str:
    """``or`` and ``and`` by turns, each inside the other's parentheses; true of the run whose tag n is ``7``."""
    text = "tag.n = '7'"
    for level in range(levels):
        text = f"(config.n = -{level} or attempt = 1 and {text})"
    return text


WITHIN = {
    "nesting": nested(10),
    "not": "not " * 10 + "tag.n = '7'",
    "parentheses": "(" * 10 + "tag.n = '7'" + ")" * 10,
    "or": " or ".join([*(f"tag.n = 'no {number}'" for number in range(99)), "tag.n = '7'"]),
    "and": " and ".join([*(f"id != 'no {number}'" for number in range(99)), "tag.n = '7'"]),
    "in, numbers": f"config.n in ({', '.join(map(str, range(7, 4001, 4)))}, 0.5)",
    "in, texts": f"tag.n in ({', '.join(repr(f'no {number}') for number in range(999))}, '7')",
    "not in": f"config.n not in ({', '.join(str(number) for number in range(1001) if number != 7)})",
    "pattern, text": f"source_path like '{'7' * 999}%'",
    "pattern, one": f"source_path like '{'_' * 998}%7' and tag.n = '7'",
    "pattern, any": f"source_path like '{'%7' * 500}'",
    "pattern, escapes": "tag.stars like '" + "\\%" * 500 + "'",
    "pattern, stars": f"tag.stars not like '%{'*' * 998}%' and tag.n = '7'",
    "filter": "tag.n = '7'".ljust(20_000),
    "number": "config.n = 7 and config.n < 1.7976931348623157e308 and config.n > 5e-324",
}
"""Questions at a bound, all of which the run with the tag n ``7`` alone is the answer to."""

BEYOND = {
    "nesting": nested(11),
    "not": "not " * 100 + "tag.n = '7'",
    "parentheses": "(" * 66 + "tag.n = '7'" + ")" * 66,
    "tests": " or ".join([f"tag.n = '{number}'" for number in range(101)]),
    "in": f"config.n in ({', '.join(map(str, range(1001)))})",
    "pattern": f"source_path like '{'*' * 17_000}'",
    "filter": "tag.n = '7'".ljust(20_001),
    "number": "config.n < 1e999",
}

WRONG: dict[str, Callable[[Store], object]] = {
    "an experiment's id that is no text": lambda store: store.search_runs(experiment_id=cast("str", 5)),
    "an empty experiment's id": lambda store: store.search_runs(experiment_id=""),
    "an experiment's id with NUL": lambda store: store.search_runs(experiment_id="a\0"),
    "an experiment's id with a lone surrogate": lambda store: store.search_runs(experiment_id="\ud800"),
    "a limit of none": lambda store: store.search_runs(limit=0),
    "a limit that is no number": lambda store: store.list_experiments(limit=cast("int", "5")),
    "a limit without end": lambda store: store.search_runs(limit=2**63),
    "run ids that are no texts": lambda store: store.get_configs([cast("str", 5)]),
    "a run id with NUL among others": lambda store: store.get_configs(["a\0"]),
    "a run id that is too long among others": lambda store: store.get_summaries_of(["x" * 256]),
    "an empty run id among others": lambda store: store.get_summaries_of([""]),
    "one run id for many": lambda store: store.get_configs("abc"),
    "no run ids at all": lambda store: store.get_summaries_of(cast("list[str]", None)),
    "children of no text": lambda store: store.list_children(cast("str", 5)),
}


def _change(change: Callable[[Store, str], None], store: Store, run_id: str, _: str) -> None:
    change(store, run_id)


VERBS: dict[str, Callable[[Store, str, str], object]] = {
    "get_or_create_experiment": lambda store, _, name: store.get_or_create_experiment(name),
    "ensure_run": lambda store, run_id, _: store.ensure_run(run_id=run_id),
    "log_metrics": lambda store, run_id, _: store.log_metrics(run_id, [point("x", 0, 1.0)]),
    "log_config": lambda store, run_id, _: store.log_config(run_id, {"a": 2}),
    "log_artifact": lambda store, run_id, _: store.log_artifact(run_id, __file__),
    "finalize": lambda store, run_id, _: store.finalize(run_id, "completed"),
    "heartbeat": lambda store, run_id, _: store.heartbeat(run_id, lease_s=60.0),
    **{verb: partial(_change, change) for verb, change in CHANGES.items()},
    "delete_run": lambda store, run_id, _: store.delete_run(run_id),
    "restore_run": lambda store, run_id, _: store.restore_run(run_id),
    "describe_experiment": lambda store, _, name: store.describe_experiment(experiment_id_of(name), "x"),
    "delete_experiment": lambda store, _, name: store.delete_experiment(experiment_id_of(name)),
    "thin_histories": lambda store, *_: store.thin_histories(ended_before=datetime.now(UTC)),
    "collect_garbage": lambda store, *_: store.collect_garbage(dry_run=False),
}


PLACES = (
    *(b"[]", b"[[]]", b"null", b"{}", b"5", b"1e999", b"[" * 10_000),
    *(b'["x"]', b"[[0,9" + b"9" * 400 + b"]]", b'[[2,"\\ud800"]]', b"[[0,1],[0,2]]"),
    *(
        b'[[5,0],[2,"n"],["x",1],[2,"id"]]',
        b'[[5,0],[2,"n"],[0,"yesterday"],[2,"id"]]',
        b'[[9,0],[2,"n"],[0,1],[2,"id"]]',
    ),
)
"""What may stand in a cursor, and is the place of no run and of no experiment."""


class BoundClauses(ConformanceBase):
    """READ.7 to READ.9, and READ.2 to READ.4 where texts are long."""

    @clause("READ.8")
    @pytest.mark.parametrize("filter_text", list(WITHIN.values()), ids=list(WITHIN))
    def test_a_filter_at_a_bound_is_answered(self, bench: Bench, filter_text: str) -> None:
        store = bench.open()
        experiment_id = bench.once(make_long_runs)

        found = store.search_runs(filter_text, experiment_id=experiment_id).items

        assert [run.name for run in found] == ["7"]

    @clause("READ.8")
    @pytest.mark.parametrize("filter_text", list(BEYOND.values()), ids=list(BEYOND))
    def test_a_filter_beyond_a_bound_is_refused(self, store: Store, filter_text: str) -> None:
        with pytest.raises(QueryError):
            store.search_runs(filter_text)

    @clause("READ.3", "READ.4", "READ.8")
    @pytest.mark.parametrize("direction", ["", " desc"], ids=["up", "down"])
    def test_texts_that_differ_at_their_end_alone_are_put_in_order_on_every_page(
        self, bench: Bench, direction: str
    ) -> None:
        store = bench.open()
        experiment_id = bench.once(make_long_runs)
        expected = sorted("123456789", reverse=bool(direction))

        for field in ("source_path", "tag.long", "config.long"):
            for limit in (2, 9):
                order_by = [f"{field}{direction}"]
                found = pages(store, experiment_id=experiment_id, order_by=order_by, limit=limit)
                assert [run.name for run in found] == expected, f"by {field}, {limit} runs a page"

    @clause("READ.3", "READ.8")
    def test_a_longer_text_is_sorted_by_its_first_65535_characters(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        for minute, end in enumerate("ba"):
            run_id = store.ensure_run(experiment_id, name=end, start_time=START + timedelta(minutes=minute))
            store.log_config(run_id, {"text": "x" * LONGEST + end})

        found = pages(store, experiment_id=experiment_id, order_by=["config.text"], limit=1)

        assert [run.name for run in found] == ["b", "a"]

    @clause("READ.3", "READ.4", "READ.8")
    @pytest.mark.parametrize(
        "fields",
        [
            ["tag.long", "config.long", "source_path desc", "config.n", "status", "tag.stars", "tag.long desc"],
            [f"metric.train.m{number}" for number in range(9)],
            [f"config.absent{number} desc" for number in range(9)],
            ["end_time", "client_id desc", "parent_run_id", "attempt", "training_mode desc", "experiment_id"],
        ],
        ids=["texts", "metrics", "absent", "attributes"],
    )
    def test_ten_terms_are_sorted_by_on_every_page(self, bench: Bench, fields: list[str]) -> None:
        store = bench.open()
        experiment_id = bench.once(make_long_runs)
        order_by = [*(f"tag.absent{number}" for number in range(9 - len(fields))), *fields, "name"]

        found = pages(store, experiment_id=experiment_id, order_by=order_by, limit=2)
        assert [run.name for run in found] == sorted("123456789")

        with pytest.raises(QueryError, match="10"):
            store.search_runs(order_by=[*order_by, "id"])

    @clause("READ.3", "READ.4")
    @pytest.mark.parametrize("first", ["start_time", "start_time desc", "training_mode", "attempt", "tag.group"])
    @pytest.mark.parametrize("second", ["metric.train.odd desc", "metric.train.odd", "config.odd desc"])
    def test_what_some_runs_lack_leaves_none_out_of_any_page(self, bench: Bench, first: str, second: str) -> None:
        store = bench.open()
        experiment_id = bench.once(make_lacking_runs)
        query: dict[str, Any] = {"experiment_id": experiment_id, "order_by": [first, second]}

        whole = [run.name for run in store.search_runs(**query).items]
        paged = [[run.name for run in pages(store, **query, limit=limit)] for limit in (1, 2, 4)]

        assert sorted(map(str, whole)) == list("123456789")
        assert paged == [whole] * 3

    @clause("READ.2", "READ.5")
    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("%a%a%a%c%b%a%", ""),
            ("%a%c%", "1"),
            ("%a" * 500, "2"),
            ("%a" * 499 + "%", "1 2"),
            ("%a" * 499 + "%b", ""),
            ("c%", "2"),
            ("%c", "1"),
            ("%_" * 300, "1 2"),
            ("_%a_%", "1 2"),
        ],
    )
    def test_a_pattern_that_asks_for_much_trying_is_answered(self, store: Store, pattern: str, expected: str) -> None:
        experiment_id = new_experiment(store)
        for name, path in {"1": "a" * 30_000 + "c", "2": "c" + "a" * 30_000, "3": "", "4": "b"}.items():
            run_id = store.ensure_run(experiment_id, name=name, source_path=path, tags={"t": path})
            store.log_config(run_id, {"c": path})

        for field in ("source_path", "tag.t", "config.c"):
            found = store.search_runs(f"{field} like '{pattern}'", experiment_id=experiment_id, order_by=["name"]).items
            assert [run.name for run in found] == expected.split(), field

    @clause("READ.5")
    @pytest.mark.parametrize("field", ["name", "tag.t", "config.c"])
    def test_texts_that_servers_take_for_each_other_are_told_apart(self, bench: Bench, field: str) -> None:
        store = bench.open()
        experiment_id = bench.once(make_like_runs)

        for name in ALIKE:
            for test in (f"= '{name}'", f"like '{name}'"):
                found = store.search_runs(f"{field} {test}", experiment_id=experiment_id).items
                assert [run.name for run in found] == [name], f"{field} {test!a}"
        for direction in ("", " desc"):
            ordered = pages(store, experiment_id=experiment_id, order_by=[field + direction], limit=9)
            assert [run.name for run in ordered] == sorted(ALIKE, reverse=bool(direction))

    @clause("READ.7")
    @pytest.mark.parametrize("call", list(WRONG.values()), ids=list(WRONG))
    def test_an_argument_that_can_name_nothing_is_refused(self, store: Store, call: Callable[[Store], object]) -> None:
        with pytest.raises(InvalidValueError):
            call(store)

    @clause("READ.7")
    @pytest.mark.parametrize("order_by", [5, None, {"name": 1}, [5], [None], ["name\0"], ["\ud800"], [""], [["name"]]])
    def test_an_order_that_is_none_is_refused(self, store: Store, order_by: Any) -> None:
        with pytest.raises(QueryError):
            store.search_runs(order_by=order_by)

    @clause("READ.7")
    def test_a_cursor_that_was_changed_on_its_way_is_refused_by_every_list(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        parent = store.ensure_run(experiment_id)
        for _ in range(2):
            new_experiment(store)
            store.ensure_run(experiment_id, parent_run_id=parent)
        lists: list[Callable[..., Any]] = [
            lambda **asked: store.search_runs(experiment_id=experiment_id, order_by=["config.a", "name"], **asked),
            lambda **asked: store.list_children(parent, **asked),
            store.list_experiments,
        ]

        for page in lists:
            cursor = page(limit=1).next_cursor
            assert page(limit=1, cursor=cursor).items
            content = base64.urlsafe_b64decode(cursor + "==")
            for broken in (
                *(
                    "",
                    "x",
                    "é",
                    "\ud800",
                    "\0",
                    "=" * 5,
                    "A" * 10_000,
                    cursor[1:],
                    cursor[:-5],
                    cursor + cursor,
                    5,
                    b"x",
                    [cursor],
                ),
                *(base64.urlsafe_b64encode(other).decode() for other in _changed(content)),
            ):
                with pytest.raises(QueryError):
                    page(limit=1, cursor=broken)
            for other in lists:
                if other is not page:
                    with pytest.raises(QueryError):
                        other(limit=1, cursor=cursor)

    @clause("READ.7")
    @pytest.mark.parametrize("place", PLACES, ids=repr)
    def test_a_cursor_of_this_query_with_a_place_of_another_shape_is_refused(self, store: Store, place: bytes) -> None:
        experiment_id = new_experiment(store)
        parent = store.ensure_run(experiment_id)
        order_by = ["config.a", "name"]
        runs = check_search(None, experiment_id=experiment_id, order_by=order_by, limit=1, cursor=None).key
        children = check_children(parent, limit=1, cursor=None).key

        with pytest.raises(QueryError):
            store.search_runs(experiment_id=experiment_id, order_by=order_by, cursor=encode_cursor(runs, place))
        with pytest.raises(QueryError):
            store.list_children(parent, cursor=encode_cursor(children, place))
        with pytest.raises(QueryError):
            store.list_experiments(cursor=encode_cursor("experiments", place))

    @clause("READ.9")
    @pytest.mark.parametrize("verb", list(VERBS))
    def test_a_verb_of_a_reader_is_refused_and_changes_nothing(self, bench: Bench, verb: str) -> None:
        store, name = bench.open(), unique("experiment")
        run_id = store.ensure_run(store.get_or_create_experiment(name), name="before")
        store.log_config(run_id, {"a": 1})
        before = state_of(store, run_id)
        reader = bench.open_reader()

        with pytest.raises(ReadOnlyError, match=verb):
            VERBS[verb](reader, run_id, name)

        assert state_of(reader, run_id) == before


ALIKE = (
    *("a", "A", "a ", " a", "á", "a\u0301", "ab", "a\u200b", "ss", "ß", "ſ", "K", "\u212a", "i", "İ", "ı"),  # noqa: RUF001 - what servers fold
    *("\ue000", "\ufffd", "\ufffe", "\uffff", "\U00010000", "\U0010fffd", "h" * 64, "h" * 65, "h" * 64 + " "),
)
"""Texts that some server takes for each other, by case, form, blanks at the end or what it cannot show."""


def make_like_runs(store: Store) -> str:
    """The experiment of one run for each of :data:`ALIKE`."""
    experiment_id = new_experiment(store)
    for name in ALIKE:
        store.log_config(store.ensure_run(experiment_id, name=name, tags={"t": name}), {"c": name})
    return experiment_id


def make_lacking_runs(store: Store) -> str:
    """The experiment of nine runs, ``1`` to ``9``; every third one has neither the metric nor the config's key."""
    experiment_id = new_experiment(store)
    for number in (5, 1, 9, 3, 7, 2, 8, 4, 6):
        moment = START + timedelta(minutes=number % 4)
        run_id = store.ensure_run(experiment_id, name=str(number), start_time=moment, tags={"group": "a"})
        if number % 3:
            store.log_config(run_id, {"odd": float(number)})
            store.log_metrics(run_id, [point("odd", 0, float(number % 2), "train")])
    return experiment_id


def make_long_runs(store: Store) -> str:
    """The experiment of nine runs, ``1`` to ``9``, whose texts are as long as they may be and differ at the end."""
    experiment_id = new_experiment(store)
    for number in (5, 1, 9, 3, 7, 2, 8, 4, 6):
        long = "🫁" * (LONGEST - 1) + str(number)
        tags = {"n": str(number), "long": long, "stars": "%" * 500 if number == 7 else "*" * 999}
        path = "7" * 2000 if number == 7 else str(number) * 10
        run_id = store.ensure_run(
            experiment_id,
            name=str(number),
            source_path=path,
            tags=tags,
            start_time=START + timedelta(minutes=number % 4),
        )
        store.log_config(run_id, {"n": number, "long": long})
    return experiment_id


def _changed(content: bytes) -> list[bytes]:
    """A cursor's content with a bit turned, cut, and with other places at its end."""
    turned = [
        bytes([*content[:at], content[at] ^ 1, *content[at + 1 :]])
        for at in range(0, len(content), max(1, len(content) // 9))
    ]
    return [*turned, content[: len(content) // 2], b"", *PLACES, *(content[:12] + place for place in PLACES)]
