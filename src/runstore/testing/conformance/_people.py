"""READ: what is there for people's convenience: walking through pages, naming a run, tables."""

import math
from datetime import timedelta

import pytest

from runstore.backend import Store
from runstore.errors import InvalidValueError, QueryError, RunNotFoundError
from runstore.testing.bench import Bench, new_experiment, point, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._reading import START, make_runs


class PeopleClauses(ConformanceBase):
    """READ.13 to READ.15."""

    @clause("READ.13")
    def test_walking_through_runs_gives_each_once_in_the_order_of_the_search(self, bench: Bench) -> None:
        store = bench.open()
        experiment_id = bench.once(make_runs)

        page = store.search_runs(experiment_id=experiment_id, order_by=["name desc"])
        walked = list(store.iter_runs(experiment_id=experiment_id, order_by=["name desc"]))
        few = list(store.iter_runs("config.lr > 0", experiment_id=experiment_id, order_by=["name"], limit=2))

        assert walked == list(page) == list(page.items)
        assert (len(page), page[0], page[1:]) == (6, page.items[0], page.items[1:])
        assert [run.name for run in few] == ["Gamma", "alpha"]
        assert list(store.iter_runs(experiment_id=unique())) == []

    @clause("READ.13")
    def test_walking_goes_on_behind_the_first_page(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        ids = {
            store.ensure_run(experiment_id, start_time=START + timedelta(seconds=number % 7)) for number in range(1003)
        }

        walked = [run.id for run in store.iter_runs(experiment_id=experiment_id)]
        most = [run.id for run in store.iter_runs(experiment_id=experiment_id, limit=1002)]

        assert len(walked) == len(ids)
        assert set(walked) == ids
        assert most == walked[:1002]

    @clause("READ.13", "READ.7")
    def test_a_mistake_is_told_before_the_first_run_is_asked_for(self, store: Store) -> None:
        with pytest.raises(QueryError):
            store.iter_runs("colour = 'red'")
        with pytest.raises(InvalidValueError, match="limit"):
            store.iter_runs(limit=0)

    @clause("READ.14")
    def test_a_run_is_found_by_its_id_a_part_of_it_its_name_or_how_new_it_is(self, store: Store) -> None:
        experiment_id, mark = new_experiment(store), unique()
        first = store.ensure_run(experiment_id, run_id=f"a{mark}b%_", name=f"unet {mark}", start_time=START)
        second = store.ensure_run(
            experiment_id, run_id=f"c{mark}dé", name="same", start_time=START + timedelta(seconds=1)
        )
        third = store.ensure_run(
            experiment_id, run_id=f"e{mark}f", name="same", start_time=START + timedelta(seconds=2)
        )

        for reference, found in {
            first: first,
            first[:-1]: first,
            first[1:]: first,
            f"unet {mark}": first,
            second[-5:]: second,
            "@1": third,
            "@3": first,
        }.items():
            assert store.resolve_run(reference, experiment_id=experiment_id) == found, reference
        assert store.resolve_run(first) == first
        assert store.resolve_run(third[:8]) == third

    @clause("READ.14")
    def test_what_means_several_runs_or_none_is_refused(self, store: Store) -> None:
        experiment_id, mark = new_experiment(store), unique()
        first = store.ensure_run(experiment_id, run_id=f"{mark}-first", name="same")
        second = store.ensure_run(experiment_id, run_id=f"{mark}-second", name="same")

        for several in ("same", mark):
            with pytest.raises(InvalidValueError, match=f"{mark}-first") as caught:
                store.resolve_run(several, experiment_id=experiment_id)
            assert second in str(caught.value)
        for none in (unique(), f"{first}%", "_" * len(first), mark[:3], "@3", f"x{first}"):
            with pytest.raises(RunNotFoundError):
                store.resolve_run(none, experiment_id=experiment_id)
        with pytest.raises(RunNotFoundError):
            store.resolve_run(first, experiment_id=new_experiment(store))
        for nothing in ("", " ", "@100000"):
            with pytest.raises(InvalidValueError):
                store.resolve_run(nothing)

    @clause("READ.14")
    def test_archived_runs_are_found_by_all_but_how_new_they_are_and_deleted_ones_by_nothing(
        self, store: Store
    ) -> None:
        experiment_id, mark = new_experiment(store), unique()
        shown, archived, deleted = (
            store.ensure_run(experiment_id, run_id=f"{part}-{mark}", start_time=START + timedelta(seconds=second))
            for second, part in enumerate(("shown", "archived", "deleted"))
        )
        store.archive_run(archived)
        store.delete_run(deleted)

        assert store.resolve_run("archived", experiment_id=experiment_id) == archived
        assert store.resolve_run("@1", experiment_id=experiment_id) == shown
        for reference in (deleted, "deleted", "@2"):
            with pytest.raises(RunNotFoundError):
                store.resolve_run(reference, experiment_id=experiment_id)

    @clause("READ.15")
    def test_a_table_of_runs_has_what_reading_each_run_gives(self, bench: Bench) -> None:
        store = bench.open()
        experiment_id = bench.once(make_runs)
        columns = [
            "id", "name", "experiment", "status", "start_time", "end_time", "duration", "attempt", "tag.owner",
            "config.lr", "config.flip", 'config."a.b"', "config.opt.name", "metric.validation.auroc",
            "metric.validation.auroc.max", "metric.validation.auroc.count",
        ]  # fmt: skip

        rows = list(store.runs_frame(experiment_id=experiment_id, columns=columns, order_by=["name"], as_="frame"))

        runs = store.search_runs(experiment_id=experiment_id, order_by=["name"])
        experiment = store.get_experiment(experiment_id).name
        assert [row["id"] for row in rows] == [run.id for run in runs]
        for row, run in zip(rows, runs, strict=True):
            assert list(row) == columns
            assert row["experiment"] == experiment
            assert (row["name"], row["status"], row["attempt"]) == (run.name, run.status, run.attempt)
            assert (row["start_time"], row["end_time"]) == (run.start_time, run.end_time)
            assert row["duration"] == run.duration_s
            assert row["tag.owner"] == run.tags["owner"]
        lrs = {row["name"]: row["config.lr"] for row in rows}
        last = {row["name"]: row["metric.validation.auroc"] for row in rows}
        assert (lrs["alpha"], lrs["beta"], lrs["zeta"]) == (0.1, 1, None)
        assert math.isnan(lrs["del_ta"])
        assert (last["alpha"], last["del_ta"], last["zeta"]) == (0.8, -math.inf, None)
        assert math.isnan(last["Gamma"])
        assert {row["name"]: row["metric.validation.auroc.count"] for row in rows} == {
            "Gamma": 1, "alpha": 3, "beta": 1, "del_ta": 2, "eps%ilon": 2, "zeta": None,
        }  # fmt: skip
        assert {row["name"]: row["config.flip"] for row in rows if row["config.flip"] is not None} == {
            "alpha": "true", "beta": "false", "Gamma": "true",
        }  # fmt: skip

    @clause("READ.15")
    def test_a_group_of_columns_stands_for_all_that_the_runs_have(self, bench: Bench) -> None:
        store = bench.open()
        experiment_id = bench.once(make_runs)

        def columns(*asked: str) -> tuple[str, ...]:
            found: tuple[str, ...] = store.runs_frame(experiment_id=experiment_id, columns=asked, as_="frame").columns
            return found

        assert columns("config.*") == (
            'config."a.b"', "config.depth", "config.flip", "config.lr", "config.opt.name",
        )  # fmt: skip
        assert columns("tag.*", "metric.*", "metric.validation.*.max") == (
            "tag.owner", "metric.validation.auroc", "metric.validation.auroc.max",
        )  # fmt: skip
        assert columns("metric.train.*") == ()

    @clause("READ.15")
    def test_a_table_of_histories_has_the_points_of_each_series(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        first, second = (store.ensure_run(experiment_id) for _ in range(2))
        values = {0: 0.5, 3: math.nan, 4: -0.0, 2**62: math.inf}
        for run_id in (first, second):
            store.log_metrics(run_id, [point("b", step, value) for step, value in values.items()])
            store.log_metrics(run_id, [point("a", 1, 1.0), point("b", 1, 1.0, "train")])

        whole = store.history_frame([second, first], as_="frame")
        part = store.history_frame(first, ("b", "validation"), min_step=3, max_step=4, as_="frame")

        expected = [
            (run_id, each.name, str(each.dataset_type), repr(found.value), found.step, found.logged_at)
            for run_id in (second, first)
            for each in store.get_summaries(run_id)
            for found in store.get_history(run_id, each.name, each.dataset_type)
        ]
        assert expected == list(
            zip(
                *(whole[name] for name in ("run_id", "name", "dataset_type")),
                map(repr, whole["value"]),
                *(whole[name] for name in ("step", "logged_at")),
                strict=True,
            )
        )
        assert part["step"] == [3, 4]
        assert list(map(repr, part["value"])) == ["nan", "-0.0"]
