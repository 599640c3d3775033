"""READ.10 and READ.11: how many runs match, and what keys and values are in use."""

import math
from pathlib import Path
from typing import Any

import pytest

from runstore.backend import Store
from runstore.errors import InvalidValueError, QueryError
from runstore.model import DatasetType
from runstore.testing.bench import Bench, new_experiment, point, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._reading import make_runs, pages

VALUES: tuple[dict[str, Any], ...] = (
    {"lr": 0.1, "opt": "adam", "flip": True, "a.b": {"c d": 1}},
    {"lr": 1, "opt": "Adam", "flip": "true"},
    {"lr": 1.0, "opt": "adam", "flip": 1},
    {"lr": True, "opt": "it's", "flip": None},
    {"lr": math.nan, "opt": ["adam"], "flip": {}},
    {"lr": -0.0, "opt": "adamantine " * 20},
    {"lr": 0, "opt": "adamantine " * 20},
    {"lr": math.inf, "opt": "adamantine " * 20 + "!"},
)


class FacetClauses(ConformanceBase):
    """READ.10 and READ.11."""

    @clause("READ.10")
    @pytest.mark.parametrize(
        "filter_text",
        [
            None,
            "status = 'completed'",
            "config.lr > 0.0005",
            "metric.validation.auroc > 0.5",
            "metric.validation.auroc.max is null",
            "not config.lr = 0.1",
            "tag.owner = 'me' and metric.validation.auroc is not null",
            "name = 'zeta' or status = 'completed' and config.lr = 0.1",
            "name like '%ta' and tag.owner != 'me'",
            "config.absent = 1",
        ],
    )
    def test_a_count_is_what_a_search_finds(self, bench: Bench, filter_text: str | None) -> None:
        store = bench.open()
        experiment_id = bench.once(make_runs)

        found = pages(store, filter=filter_text, experiment_id=experiment_id, limit=2)

        assert store.count_runs(filter_text, experiment_id=experiment_id) == len(found)

    @clause("READ.10", "READ.11")
    def test_archived_and_deleted_runs_are_not_counted(self, store: Store) -> None:
        experiment_id, key = new_experiment(store), unique()
        kept, archived, deleted = (
            store.ensure_run(experiment_id, name=name, tags={key: name}) for name in ("kept", "archived", "deleted")
        )
        for run_id in (kept, archived, deleted):
            store.log_config(run_id, {key: 1})
            store.log_metrics(run_id, [point(key, 0, 0.5)])
            store.finalize(run_id, "completed")

        store.archive_run(archived)
        store.delete_run(deleted)

        for filter_text, count in {
            None: 1,
            f"tag.{key} != ''": 1,
            f"metric.validation.{key} = 0.5": 1,
            "archived = true": 1,
            "archived = false": 1,
            f"tag.{key} = 'archived' and archived = true": 1,
            "archived = true or archived = false": 2,
        }.items():
            assert store.count_runs(filter_text, experiment_id=experiment_id) == count
        for filter_text in (f"tag.{key} != ''", f"config.{key} = 1", f"metric.validation.{key} = 0.5"):
            assert store.count_runs(filter_text) == 1  # of all experiments: no other run has the key
        for of in ("tag", "config", "metric"):
            assert [each.runs for each in store.list_keys(of, prefix=key)] == [1]
        assert [each.value for each in store.list_values(f"tag.{key}")] == ["kept"]
        assert [(each.value, each.runs) for each in store.list_values(f"config.{key}")] == [(1.0, 1)]
        assert [each.value for each in store.list_values("name", experiment_id=experiment_id)] == ["kept"]
        found = store.list_values("archived", experiment_id=experiment_id)
        assert [(each.value, each.runs) for each in found] == [(False, 1), (True, 1)]

    @clause("READ.11")
    def test_keys_in_use_come_with_how_many_runs_have_them(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        for number in range(3):
            run_id = store.ensure_run(experiment_id, tags={"team": "a", **({"b c": "x"} if number else {})})
            store.log_config(run_id, {"model": {"depth": 18}, "a.b": {"c": None}, **({"Z": 1} if number else {})})
            store.log_metrics(run_id, [point("loss", step, 0.5, dataset_type="train") for step in range(number + 1)])
            if number < 2:
                store.log_metrics(run_id, [point("loss", 0, 0.5), point("per.class", 0, 0.5)])

        tags = store.list_keys("tag", experiment_id=experiment_id)
        settings = store.list_keys("config", experiment_id=experiment_id)
        metrics = store.list_keys("metric", experiment_id=experiment_id)

        assert [(each.field, each.key, each.runs) for each in tags] == [
            ("tag.team", "team", 3),
            ('tag."b c"', "b c", 2),
        ]
        assert [(each.field, each.key, each.runs) for each in settings] == [
            ('config."a.b".c', "a\\.b.c", 3),
            ("config.model.depth", "model.depth", 3),
            ("config.Z", "Z", 2),
        ]
        assert [(each.field, each.key, each.dataset_type, each.runs) for each in metrics] == [
            ("metric.train.loss", "loss", DatasetType.TRAIN, 3),
            ("metric.validation.loss", "loss", DatasetType.VALIDATION, 2),
            ('metric.validation."per.class"', "per.class", DatasetType.VALIDATION, 2),
        ]
        for each in (*tags, *settings[1:], *metrics):  # the first setting is null
            assert store.count_runs(f"{each.field} is not null", experiment_id=experiment_id) == each.runs

    @clause("READ.11")
    def test_keys_and_values_are_found_by_their_beginning_and_cut_to_those_of_most_runs(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        for owners in (("ann",), ("ann", "Ann"), ("bob", "Ann"), ("an%", "a_n")):
            tags = {f"owner{number}": owner for number, owner in enumerate(owners)}
            store.ensure_run(experiment_id, tags=tags)

        keys = store.list_keys("tag", experiment_id=experiment_id, prefix="own")
        first = store.list_keys("tag", experiment_id=experiment_id, limit=1)

        assert [(each.key, each.runs) for each in keys] == [("owner0", 4), ("owner1", 3)]
        assert first == keys[:1]
        for prefix, expected in {"a": ["ann", "an%"], "an%": ["an%"], "A": [], "": ["ann", "an%", "bob"]}.items():
            found = store.list_values("tag.owner0", experiment_id=experiment_id, prefix=prefix)
            assert [each.value for each in found] == expected
        most = store.list_values("tag.owner0", experiment_id=experiment_id, limit=1)
        assert [(each.value, each.runs) for each in most] == [("ann", 2)]

    @clause("READ.11")
    def test_values_are_those_that_a_filter_can_ask_for(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        for values in VALUES:
            store.log_config(store.ensure_run(experiment_id), values)
        long = "adamantine " * 20

        for field, expected in {
            "config.lr": [(0.0, 2), (1.0, 2), (0.1, 1), (True, 1)],
            "config.opt": [("adam", 2), (long, 2), ("Adam", 1), (long + "!", 1), ("it's", 1)],
            "config.flip": [(1.0, 1), ("true", 1), (True, 1)],
            'config."a.b"."c d"': [(1.0, 1)],
            "config.absent": [],
        }.items():
            found = store.list_values(field, experiment_id=experiment_id)
            assert [(each.value, each.runs) for each in found] == expected
            assert [repr(each.value) for each in found] == [repr(value) for value, _ in expected]  # 1 is not True
            for each in found:
                asked = f"{field} = {each.literal}"
                assert store.count_runs(asked, experiment_id=experiment_id) == each.runs

    @clause("READ.11")
    def test_attributes_have_values_too(self, store: Store) -> None:
        mark = unique()
        first, second = (store.get_or_create_experiment(f"{mark}{letter}") for letter in "ab")
        parent = store.ensure_run(first, client_id=mark, source_path=f"{mark}/data")
        for experiment_id in (first, second, second):
            run_id = store.ensure_run(experiment_id, client_id=mark, parent_run_id=parent)
            store.finalize(run_id, "failed")

        def counted(field: str, **asked: Any) -> list[tuple[Any, int]]:
            return [(each.value, each.runs) for each in store.list_values(field, **asked)]

        assert counted("client_id", prefix=mark) == [(mark, 4)]
        assert counted("experiment", prefix=mark) == [(f"{mark}a", 2), (f"{mark}b", 2)]
        assert counted("experiment_id", experiment_id=first) == [(first, 2)]
        assert counted("status", experiment_id=first) == [("failed", 1), ("in_progress", 1)]
        assert counted("parent", experiment_id=second) == [(parent, 2)]
        assert counted("source_path", experiment_id=first) == [(f"{mark}/data", 1)]
        assert counted("attempt", experiment_id=first) == [(1.0, 2)]
        assert counted("name", experiment_id=first) == []
        assert counted("status", experiment_id=unique()) == []

    @clause("READ.11")
    def test_artifacts_are_counted_by_name(self, store: Store, tmp_path: Path) -> None:
        experiment_id, file = new_experiment(store), tmp_path / "file"
        file.write_bytes(b"bytes")
        runs = [store.ensure_run(experiment_id) for _ in range(2)]
        for name, run_ids in {"roc.png": runs, "model.pt": runs[:1]}.items():
            for run_id in run_ids:
                store.log_artifact(run_id, file, name=name)

        for name in ("runstore.health/1", "runstore.health/2", "runstore.healthy"):
            store.log_artifact(runs[0], "films:1", name=name, copy=False)

        found = store.list_values("artifact", experiment_id=experiment_id)

        assert [(each.value, each.literal, each.runs) for each in found] == [
            ("roc.png", "'roc.png'", 2),
            ("model.pt", "'model.pt'", 1),
            ("runstore.healthy", "'runstore.healthy'", 1),
        ]
        for prefix, names in {"runstore.": ["runstore.healthy"], "runstore.health/": []}.items():
            begun = store.list_values("artifact", experiment_id=experiment_id, prefix=prefix, limit=1)
            assert [each.value for each in begun] == names

    @clause("READ.7", "READ.11")
    def test_what_cannot_be_counted_is_refused(self, store: Store) -> None:
        for field in (
            "metric.train.loss",
            "start_time",
            "end_time",
            "duration",
            "id",
            "nonsense",
            "tag",
            "status = 'x'",
            7,
        ):
            with pytest.raises(QueryError):
                store.list_values(field)  # type: ignore[arg-type]
        with pytest.raises(InvalidValueError, match="config, metric, tag"):
            store.list_keys("attribute")  # type: ignore[arg-type]
        for limit in (0, 10_001, "all"):
            with pytest.raises(InvalidValueError):
                store.list_values("status", limit=limit)  # type: ignore[arg-type]
        with pytest.raises(QueryError):
            store.count_runs("nonsense = 1")
