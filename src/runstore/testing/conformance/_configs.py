"""CFG: nested, typed, merged."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstore.backend import Store
from runstore.errors import InvalidValueError
from runstore.testing.bench import Bench, at_once, new_experiment, new_run
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.strategies import NASTY_FLOATS, NASTY_NAMES, configs, effort
from runstore.testing.values import merged, plain


class ConfigClauses(ConformanceBase):
    """CFG.1 to CFG.6."""

    @clause("CFG.1")
    def test_every_kind_of_value_reads_back_equal_and_of_the_same_type(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store)
        config = {
            "none": None,
            "numbers": [1, 1.0, True, 0, 0.0, -0.0, False, 10**30, -(2**63), 2**64],
            "floats": list(NASTY_FLOATS),
            "texts": ["", "1", "1.0", "true", "null", "NaN", *NASTY_NAMES, "two\nlines\ttab"],
            "nested": {"a": {"b": {"c": {"d": [[], {}, [[{"e": [None]}]]]}}}},
            "empty": {},
            "one": 1,
            "one float": 1.0,
            "one true": True,
        }

        store.log_config(run_id, config)

        assert plain(bench.open().get_config(run_id)) == plain(config)

    @clause("CFG.1", "CFG.2", "CFG.3")
    def test_whatever_configs_are_logged_read_back_merged_and_typed(self, bench: Bench) -> None:
        store = bench.open()
        experiment_id = new_experiment(store)

        @effort(40, share=bench.harness.effort)
        @given(st.lists(configs(), max_size=3))
        def check(given_configs: list[dict[str, Any]]) -> None:
            run_id, expected = store.ensure_run(experiment_id), dict[str, Any]()
            for config in given_configs:
                store.log_config(run_id, config)
                expected = merged(expected, config)
            assert plain(store.get_config(run_id)) == plain(expected)

        check()

    @clause("CFG.2")
    def test_logging_again_merges_key_by_key_and_the_last_value_wins(self, store: Store) -> None:
        run_id = new_run(store)

        store.log_config(run_id, {"a": {"x": 1, "y": {"z": [1, 2]}}, "b": 1, "c": {"d": 1}})
        store.log_config(run_id, {"a": {"y": {"z": [3]}, "new": None}, "b": {"now": "nested"}, "c": 5})

        assert store.get_config(run_id) == {
            "a": {"x": 1, "y": {"z": [3]}, "new": None},
            "b": {"now": "nested"},
            "c": 5,
        }

    @clause("CFG.2")
    def test_the_same_config_twice_is_once(self, store: Store) -> None:
        run_id, config = new_run(store), {"lr": 0.1, "layers": [1, 2], "model": {"depth": 18}}

        store.log_config(run_id, config)
        store.log_config(run_id, config)

        assert plain(store.get_config(run_id)) == plain(config)

    @clause("CFG.2")
    def test_an_empty_mapping_takes_nothing_away_and_a_value_may_change_its_type(self, store: Store) -> None:
        run_id = new_run(store)

        store.log_config(run_id, {"a": {"b": 1}, "n": 1})
        store.log_config(run_id, {"a": {}, "n": 1.0})
        store.log_config(run_id, {})

        assert plain(store.get_config(run_id)) == plain({"a": {"b": 1}, "n": 1.0})

    @clause("CFG.2")
    def test_a_run_without_config_has_an_empty_one(self, store: Store) -> None:
        assert store.get_config(new_run(store)) == {}

    @clause("CFG.3")
    def test_odd_keys_survive_at_every_depth(self, store: Store) -> None:
        run_id = new_run(store)
        keys = ["", ".", "a.b", "$set", "$float", "$$float", "\\", "a\\.b", " ", "0", *NASTY_NAMES]
        config = {
            key: {inner: index for index, inner in enumerate(["", "a.b", "$inc"])} for key in keys if len(key) < 255
        }

        store.log_config(run_id, config)

        assert plain(store.get_config(run_id)) == plain(config)

    @clause("CFG.3")
    def test_a_dotted_key_is_not_a_nested_one(self, store: Store) -> None:
        run_id = new_run(store)

        store.log_config(run_id, {"a.b": 1, "a": {"b": 2}})
        store.log_config(run_id, {"a": {"b": 3}})

        assert store.get_config(run_id) == {"a.b": 1, "a": {"b": 3}}

    @clause("CFG.3")
    def test_keys_that_differ_in_case_or_form_are_different_keys(self, store: Store) -> None:
        run_id, config = (
            new_run(store),
            {"lr": 1, "LR": 2, "Lr": 3, "lr ": 4, "é": 5, "e\u0301": 6, "e": 7, "ß": 8, "ss": 9},
        )

        store.log_config(run_id, config)

        assert store.get_config(run_id) == config

    @clause("CFG.4")
    @pytest.mark.parametrize(
        "value",
        [object(), b"bytes", {1, 2}, 1j, {1: "integer key"}, "nul\0", "\ud800", {"nul\0": 1}, [1, [object()]], len],
        ids=lambda value: type(value).__name__,
    )
    def test_a_value_that_cannot_be_kept_is_refused_by_its_path(self, store: Store, value: Any) -> None:
        run_id = new_run(store)
        store.log_config(run_id, {"kept": 1})

        with pytest.raises(InvalidValueError, match=r"config\['model'\]\['odd'\]"):
            store.log_config(run_id, {"kept": 2, "model": {"fine": 1, "odd": value}})

        assert store.get_config(run_id) == {"kept": 1}

    @clause("CFG.4")
    def test_long_texts_lists_and_integers_are_kept_whole(self, store: Store) -> None:
        run_id, config = new_run(store), {"text": "ü" * 70_000, "list": list(range(5000)), "integer": 3**2000}

        store.log_config(run_id, config)

        assert store.get_config(run_id) == config

    @clause("CFG.5")
    def test_a_config_of_one_mebibyte_is_accepted(self, store: Store) -> None:
        run_id = new_run(store)
        config = {f"group-{group}": {f"key-{key}": "x" * 250 for key in range(64)} for group in range(64)}

        store.log_config(run_id, config)
        store.log_config(run_id, {"group-0": {"key-0": "changed"}})

        assert store.get_config(run_id) == merged(config, {"group-0": {"key-0": "changed"}})

    @clause("CFG.6")
    def test_eight_writers_of_different_keys_lose_none(self, bench: Bench) -> None:
        stores = [bench.open(), bench.open()]
        run_id = new_run(stores[0])

        def write(index: int) -> None:
            for key in range(4):
                stores[index % 2].log_config(run_id, {"shared": {f"{index}.{key}": index}, f"own-{index}": key})

        at_once(write, 8)

        expected = {"shared": {f"{index}.{key}": index for index in range(8) for key in range(4)}}
        assert stores[0].get_config(run_id) == expected | {f"own-{index}": 3 for index in range(8)}
