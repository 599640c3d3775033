"""READ: what people's tools see. Equivalence of generated filters stands in ``_filters.py``."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runstore.backend import Store
from runstore.errors import InvalidValueError, QueryError
from runstore.model import Run
from runstore.testing.bench import Bench, new_experiment, new_run, point, state_of, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.strategies import NASTY_NAMES

START = datetime(2026, 6, 1, tzinfo=UTC)

RUNS: Mapping[str, Mapping[str, Any]] = {
    "alpha": {"config": {"lr": 0.1, "depth": 18, "flip": True}, "auroc": [0.7, 0.9, 0.8], "status": "completed"},
    "beta": {"config": {"lr": 1, "depth": "18", "flip": False}, "auroc": [0.95], "status": "failed"},
    "Gamma": {"config": {"lr": 1e-3, "depth": None, "flip": "true"}, "auroc": [math.nan], "status": None},
    "del_ta": {"config": {"lr": math.nan, "depth": [18]}, "auroc": [math.inf, -math.inf], "status": "interrupted"},
    "eps%ilon": {
        "config": {"a.b": 1, "depth": {}, "opt": {"name": "Adam"}},
        "auroc": [-1.0, 0.0],
        "status": "completed",
    },
    "zeta": {"config": {}, "auroc": [], "status": None},
}


class ReadingClauses(ConformanceBase):
    """READ.2 to READ.7."""

    @clause("READ.2")
    @pytest.mark.parametrize(
        ("filter_text", "expected"),
        [
            ("name = 'alpha'", "alpha"),
            ("name != 'alpha'", "beta Gamma del_ta eps%ilon zeta"),
            ("name = 'gamma'", ""),
            ("name like '%ta'", "beta del_ta zeta"),
            ("name like 'del\\_t_'", "del_ta"),
            ("name like 'eps\\%%'", "eps%ilon"),
            ("name like '_eta'", "beta zeta"),
            ("name not like '%ta'", "alpha Gamma eps%ilon"),
            ("name in ('alpha', 'zeta', 'nobody')", "alpha zeta"),
            ("name not in ('alpha', 'zeta')", "beta Gamma del_ta eps%ilon"),
            ("status = 'completed'", "alpha eps%ilon"),
            ("status in ('failed', 'interrupted')", "beta del_ta"),
            ("tag.owner = 'me'", "alpha Gamma eps%ilon"),
            ("tag.owner != 'me'", "beta del_ta zeta"),
            ("tag.absent != 'me'", ""),
            ("tag.owner in ('me', 'nobody')", "alpha Gamma eps%ilon"),
            ("tag.owner in ('ME', 'nobody')", ""),
            ("tag.owner not in ('me', 'nobody')", "beta del_ta zeta"),
            ("tag.absent in ('me')", ""),
            ("tag.absent not in ('me')", ""),
            ("tag.owner like 'm_'", "alpha Gamma eps%ilon"),
            ("tag.owner like 'M%'", ""),
            ("tag.owner not like 'm%'", "beta del_ta zeta"),
            ("tag.absent like '%'", ""),
            ("tag.absent not like 'm%'", ""),
            ("client_id is null", "alpha beta Gamma del_ta eps%ilon zeta"),
            ("config.lr = 0.1", "alpha"),
            ("config.lr = 1", "beta"),
            ("config.lr = 1.0", "beta"),
            ("config.lr != 0.1", "beta Gamma"),
            ("config.lr > 0.0005", "alpha beta Gamma"),
            ("config.lr < 1e-2", "Gamma"),
            ("config.lr in (0.1, 0.001)", "alpha Gamma"),
            ("config.lr not in (0.1, 5)", "beta Gamma"),
            ("config.depth = 18", "alpha"),
            ("config.depth = '18'", "beta"),
            ("config.depth != 18", ""),
            ("config.depth is null", "Gamma zeta"),
            ("config.depth is not null", "alpha beta del_ta eps%ilon"),
            ("config.flip = true", "alpha"),
            ("config.flip = false", "beta"),
            ("config.flip = 'true'", "Gamma"),
            ("config.flip = 1", ""),
            ("config.flip != true", "beta"),
            ('config."a.b" = 1', "eps%ilon"),
            ("config.a.b = 1", ""),
            ("config.opt.name = 'Adam'", "eps%ilon"),
            ("config.opt.name like 'Ad%'", "eps%ilon"),
            ("config.absent != 1", ""),
            ("metric.validation.auroc > 0.5", "alpha beta"),
            ("metric.validation.auroc.last = 0.8", "alpha"),
            ("metric.validation.auroc.max >= 0.9", "alpha beta"),
            ("metric.validation.auroc.min < 0", "eps%ilon"),
            ("metric.validation.auroc.first = 0.7", "alpha"),
            ("metric.validation.auroc.count = 2", "del_ta eps%ilon"),
            ("metric.validation.auroc != 0.8", "beta del_ta eps%ilon"),
            ("metric.validation.auroc < 0", "del_ta"),
            ("metric.validation.auroc.first > 1e308", "del_ta"),
            ("metric.validation.auroc.max is null", "Gamma del_ta zeta"),
            ("metric.validation.auroc is not null", "alpha beta Gamma del_ta eps%ilon"),
            ("metric.train.auroc > 0", ""),
            ("not config.lr = 0.1", "beta Gamma del_ta eps%ilon zeta"),
            ("not (config.lr != 0.1)", "alpha del_ta eps%ilon zeta"),
            ("status = 'completed' and config.lr = 0.1", "alpha"),
            ("status = 'failed' or config.lr = 0.1", "alpha beta"),
            ("name = 'zeta' or status = 'completed' and config.lr = 0.1", "alpha zeta"),
            ("(name = 'zeta' or status = 'completed') and not config.lr = 0.1", "eps%ilon zeta"),
            ("start_time >= '2026-06-01T00:03:00+00:00'", "del_ta eps%ilon zeta"),
            ("start_time = '2026-06-01T00:01:00Z'", "beta"),
            ("start_time < '2026-06-01T02:01:00+02:00'", "alpha"),
            ("end_time is null", "Gamma zeta"),
            ("attempt = 1", "alpha beta Gamma del_ta eps%ilon zeta"),
            ("attempt > 1", ""),
            ("training_mode = 'centralized'", "alpha beta Gamma del_ta eps%ilon zeta"),
            ("", "alpha beta Gamma del_ta eps%ilon zeta"),
        ],
    )
    def test_a_filter_finds_these_runs(self, bench: Bench, filter_text: str, expected: str) -> None:
        store = bench.open()
        experiment_id = bench.once(make_runs)

        found = store.search_runs(filter_text, experiment_id=experiment_id, order_by=["start_time"])

        assert [run.name for run in found.items] == expected.split()

    @clause("READ.3")
    @pytest.mark.parametrize(
        ("order_by", "expected"),
        [
            (["name"], "Gamma alpha beta del_ta eps%ilon zeta"),
            (["name desc"], "zeta eps%ilon del_ta beta alpha Gamma"),
            (["start_time desc"], "zeta eps%ilon del_ta Gamma beta alpha"),
            ([], "alpha beta Gamma del_ta eps%ilon zeta"),
            (["config.lr"], "Gamma alpha beta del_ta eps%ilon zeta"),
            (["config.lr desc"], "beta alpha Gamma del_ta eps%ilon zeta"),
            (["config.depth"], "alpha beta Gamma del_ta eps%ilon zeta"),
            (["config.depth desc"], "alpha beta Gamma del_ta eps%ilon zeta"),
            (["config.flip"], "Gamma beta alpha del_ta eps%ilon zeta"),
            (["config.flip desc"], "Gamma alpha beta del_ta eps%ilon zeta"),
            (["metric.validation.auroc"], "eps%ilon alpha beta Gamma del_ta zeta"),
            (["metric.validation.auroc desc"], "beta alpha eps%ilon Gamma del_ta zeta"),
            (["metric.validation.auroc.max desc"], "beta alpha eps%ilon Gamma del_ta zeta"),
            (["status", "name desc"], "eps%ilon alpha beta zeta Gamma del_ta"),
            (["tag.owner desc", "name"], "beta del_ta zeta Gamma alpha eps%ilon"),
            (["attempt", "config.absent"], "alpha beta Gamma del_ta eps%ilon zeta"),
        ],
        ids=repr,
    )
    def test_an_order_ranks_numbers_then_non_finite_then_others_then_missing(
        self, bench: Bench, order_by: list[str], expected: str
    ) -> None:
        store = bench.open()
        experiment_id = bench.once(make_runs)

        whole = store.search_runs(experiment_id=experiment_id, order_by=order_by)
        paged = pages(store, experiment_id=experiment_id, order_by=order_by, limit=2)

        assert [run.name for run in whole.items] == expected.split()
        assert [run.name for run in paged] == expected.split()

    @clause("READ.3")
    def test_ties_are_broken_by_start_time_and_then_by_id_in_code_points(self, store: Store) -> None:
        experiment_id, prefix = new_experiment(store), unique()
        for suffix, minutes in {"b": 0, "a": 0, "B": 0, "ä": 0, "z": -1, "A": 1}.items():
            moment = START + timedelta(minutes=minutes)
            store.ensure_run(experiment_id, run_id=f"{prefix}{suffix}", name="same", start_time=moment)

        for order_by in (["name"], ["name desc"], ["config.absent"], []):
            found = store.search_runs(experiment_id=experiment_id, order_by=order_by).items
            assert [run.id.removeprefix(prefix) for run in found] == ["z", "B", "a", "b", "ä", "A"]

    @clause("READ.4")
    def test_a_search_without_an_experiment_sees_all_of_them(self, store: Store) -> None:
        mark = unique()
        ids = {new_run(store, tags={"mark": mark}) for _ in range(3)}

        found = store.search_runs(f"tag.mark = '{mark}'").items

        assert {run.id for run in found} == ids
        assert store.search_runs(experiment_id=unique()).items == ()

    @clause("READ.4")
    @pytest.mark.parametrize("limit", [0, -1, 10_001, True, "5"], ids=repr)
    def test_a_page_size_outside_1_to_10000_is_refused(self, store: Store, limit: Any) -> None:
        with pytest.raises(InvalidValueError, match="limit"):
            store.search_runs(limit=limit)
        with pytest.raises(InvalidValueError, match="limit"):
            store.list_experiments(limit=limit)

    @clause("READ.5")
    def test_user_text_in_names_keys_and_filters_is_only_ever_text(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        texts = [name for name in NASTY_NAMES if len(name) < 100]
        for number, text in enumerate(texts):
            run_id = store.ensure_run(experiment_id, name=text, tags={text: text}, source_path=text)
            store.log_config(run_id, {text: {"value": text}})
            store.log_metrics(run_id, [point(text, 0, number)])

        for number, text in enumerate(texts):
            quoted, key = text.replace("'", "''"), text.replace('"', '""')
            for filter_text in (
                f"name = '{quoted}'",
                f"source_path in ('{quoted}')",
                f"tag.\"{key}\" = '{quoted}'",
                f"config.\"{key}\".value = '{quoted}'",
                f'metric.validation."{key}" = {number} and metric.validation."{key}".count = 1',
            ):
                found = store.search_runs(filter_text, experiment_id=experiment_id).items
                assert [run.name for run in found] == [text], filter_text

    @clause("READ.5")
    def test_a_pattern_matches_its_text_alone_and_case_counts(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        names = ["a%b", "a_b", "axb", "aXb", "a\\b", "a.b", "a*b", "(a)b", "[a]b", "a\u0301b", "ab", "a🫁b", "a^$b"]
        for name in names:
            store.ensure_run(experiment_id, name=name)

        def found(pattern: str) -> set[str | None]:
            return {run.name for run in store.search_runs(f"name like '{pattern}'", experiment_id=experiment_id).items}

        assert found("a\\%b") == {"a%b"}
        assert found("a\\_b") == {"a_b"}
        assert found("a\\\\b") == {"a\\b"}
        assert found("a.b") == {"a.b"}
        assert found("a*b") == {"a*b"}
        assert found("[a]b") == {"[a]b"}
        assert found("axb") == {"axb"}
        assert found("a_b") == set(names) - {"ab", "(a)b", "[a]b", "a^$b"}
        assert found("a%") == set(names) - {"(a)b", "[a]b"}
        assert found("%") == set(names)

    @clause("READ.6")
    def test_reading_many_runs_gives_what_reading_each_gives(self, store: Store) -> None:
        ids = [new_run(store) for _ in range(3)]
        for index, run_id in enumerate(ids[:2]):
            store.log_config(run_id, {"index": index, "nested": {"a.b": [index, float(index)]}})
            store.log_metrics(run_id, [point(f"m{number}", index, 0.5) for number in range(3)])
        asked = [ids[1], unique("absent"), *ids, ids[0]]

        assert store.get_configs(asked) == {run_id: store.get_config(run_id) for run_id in ids}
        assert store.get_summaries_of(asked) == {run_id: store.get_summaries(run_id) for run_id in ids}
        assert (store.get_configs([]), store.get_summaries_of([])) == ({}, {})

    @clause("READ.7")
    @pytest.mark.parametrize(
        "filter_text",
        ["name", "name =", "name = alpha", "colour = 'red'", "name = 'a' and", "(name = 'a'", "name in ()", "name like 5",
         "config.lr ~ 5", "metric.val.auroc > 1", "start_time > 'yesterday'", "name = 'a'; drop table runs", "'a' = name"],
    )  # fmt: skip
    def test_a_filter_that_cannot_be_understood_is_refused(self, store: Store, filter_text: str) -> None:
        with pytest.raises(QueryError):
            store.search_runs(filter_text)

    @clause("READ.7")
    def test_an_order_or_cursor_that_cannot_be_understood_is_refused(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        for _ in range(3):
            store.ensure_run(experiment_id)
        cursor = store.search_runs(experiment_id=experiment_id, limit=1).next_cursor
        assert cursor is not None

        for order_by in (["colour"], ["name sideways"], ["name; drop table runs"]):
            with pytest.raises(QueryError):
                store.search_runs(order_by=order_by)
        for broken in ("", "x", cursor[:-6], "' or 1=1 --"):
            with pytest.raises(QueryError):
                store.search_runs(experiment_id=experiment_id, cursor=broken)
        with pytest.raises(QueryError):
            store.search_runs(experiment_id=experiment_id, order_by=["name"], cursor=cursor)
        with pytest.raises(QueryError):
            store.search_runs("name = 'a'", experiment_id=experiment_id, cursor=cursor)
        with pytest.raises(QueryError):
            store.list_experiments(cursor=cursor)

    @clause("DUR.6")
    def test_values_returned_never_change_under_later_writes(self, store: Store) -> None:
        run_id = new_run(store, tags={"t": "1"}, provenance={"host": {"name": "a"}})
        store.log_metrics(run_id, [point("x", 1, 1.0)])
        store.log_config(run_id, {"a": {"b": [1]}})
        run, config, summaries = store.get_run(run_id), store.get_config(run_id), store.get_summaries(run_id)
        history = store.get_history(run_id, "x", "validation")
        copies = (repr(run), repr(config), repr(summaries), list(history))

        store.log_metrics(run_id, [point("x", 1, 9.0), point("x", 2, 2.0)])
        store.log_config(run_id, {"a": {"b": [2], "c": 1}})
        store.finalize(run_id, "completed")

        assert (repr(run), repr(config), repr(summaries), list(history)) == copies

    @clause("DUR.6")
    def test_changing_what_was_given_or_returned_changes_nothing_stored(self, store: Store) -> None:
        tags, provenance, config = {"t": "1"}, {"host": {"name": "a"}}, {"a": {"b": [1]}}
        run_id = new_run(store, tags=tags, provenance=provenance)
        store.log_config(run_id, config)
        store.log_metrics(run_id, [point("x", 1, 1.0)])
        before = repr(state_of(store, run_id))

        tags["t"], provenance["host"]["name"], config["a"]["b"][0] = "2", "b", 2
        run, returned = store.get_run(run_id), store.get_config(run_id)
        run.tags["t"], run.provenance["host"]["name"], returned["a"]["b"][0] = "3", "c", 3
        store.get_configs([run_id])[run_id]["a"]["b"][0] = 4
        store.get_history(run_id, "x", "validation").values[0] = 5.0
        store.search_runs(experiment_id=run.experiment_id).items[0].tags["t"] = "6"

        assert repr(state_of(store, run_id)) == before


def make_runs(store: Store) -> str:
    """The experiment of :data:`RUNS`, started a minute apart."""
    experiment_id = new_experiment(store)
    for minute, (name, facts) in enumerate(RUNS.items()):
        moment = START + timedelta(minutes=minute)
        owner = "me" if minute % 2 == 0 and minute != 3 else "you"
        run_id = store.ensure_run(experiment_id, name=name, start_time=moment, tags={"owner": owner})
        store.log_config(run_id, facts["config"])
        store.log_metrics(run_id, [point("auroc", step, value) for step, value in enumerate(facts["auroc"])])
        if facts["status"]:
            store.finalize(run_id, facts["status"])
    return experiment_id


def pages(store: Store, **query: Any) -> list[Run]:
    """All runs of a query, page by page."""
    page = store.search_runs(**query)
    runs = list(page.items)
    while page.next_cursor is not None:
        assert len(page.items) == query["limit"]
        page = store.search_runs(**query, cursor=page.next_cursor)
        runs += page.items
    return runs
