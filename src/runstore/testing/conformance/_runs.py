"""RUN: a run exists once ``ensure_run`` has returned."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from runstore.backend import Store
from runstore.errors import (
    ConflictError,
    ExperimentNotFoundError,
    InvalidValueError,
    RunDeletedError,
    RunNotFoundError,
)
from runstore.model import RunStatus
from runstore.testing import children
from runstore.testing.bench import Bench, at_once, new_experiment, new_run, point, state_of, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.strategies import BAD_NAMES, NASTY_NAMES
from runstore.values.ids import experiment_id_of

START = datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC)


class RunClauses(ConformanceBase):
    """RUN.1 to RUN.10."""

    @clause("RUN.1")
    def test_a_new_run_is_in_progress_under_a_new_time_ordered_id(self, store: Store) -> None:
        experiment_id = new_experiment(store)

        ids = [store.ensure_run(experiment_id) for _ in range(5)]

        run = store.get_run(ids[0])
        assert len(set(ids)) == 5
        assert ids == sorted(ids)
        assert (run.status, run.experiment_id, run.attempt, run.end_time, run.failure) == (
            RunStatus.IN_PROGRESS,
            experiment_id,
            1,
            None,
            None,
        )
        assert (run.training_mode, run.name, run.parent_run_id, run.client_id, run.source_path) == (
            "centralized",
            None,
            None,
            None,
            None,
        )
        assert run.start_time.utcoffset() == timedelta(0)

    @clause("RUN.2")
    def test_ensuring_a_run_that_exists_changes_nothing(self, bench: Bench) -> None:
        store = bench.open()
        run_id = new_run(store, name="first", tags={"a": "1"}, provenance={"host": "h"}, start_time=START)
        store.log_config(run_id, {"lr": 0.1})
        before = state_of(store, run_id)

        ids = [
            store.ensure_run(run_id=run_id),
            store.ensure_run(store.get_run(run_id).experiment_id, run_id=run_id, name="second", tags={"b": "2"}),
            bench.open().ensure_run(run_id=run_id, training_mode="federated", source_path="/elsewhere", resume=True),
        ]

        assert ids == [run_id] * 3
        assert state_of(store, run_id) == before

    @clause("RUN.2")
    def test_ensuring_a_run_from_another_process_changes_nothing(self, bench: Bench) -> None:
        store = bench.open()
        name = unique()
        run_id = store.ensure_run(store.get_or_create_experiment(name), name="first")
        before = state_of(store, run_id)

        found = bench.child(children.ensure_run, name, run_id).result()

        assert (found, state_of(store, run_id)) == (run_id, before)

    @clause("RUN.3")
    def test_the_caller_may_choose_the_id(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        chosen = [unique() + name if len(name) < 200 else name[:200] + unique() for name in NASTY_NAMES]

        ids = [store.ensure_run(experiment_id, run_id=each) for each in chosen]

        assert ids == chosen
        assert [store.get_run(each).id for each in chosen] == chosen

    @clause("RUN.3")
    def test_ids_that_differ_in_case_or_trailing_space_are_different_runs(self, store: Store) -> None:
        experiment_id, base = new_experiment(store), unique("Run")

        for run_id in (base, base.upper(), base.lower(), base + " "):
            store.ensure_run(experiment_id, run_id=run_id, name=run_id)

        names = {run.name for run in store.search_runs(experiment_id=experiment_id).items}
        assert names == {base, base.upper(), base.lower(), base + " "}

    @clause("RUN.3")
    @pytest.mark.parametrize("run_id", BAD_NAMES, ids=ascii)
    def test_an_id_that_cannot_be_kept_is_refused(self, store: Store, run_id: str) -> None:
        experiment_id = new_experiment(store)

        with pytest.raises(InvalidValueError, match="run_id"):
            store.ensure_run(experiment_id, run_id=run_id)

        assert store.search_runs(experiment_id=experiment_id).items == ()

    @clause("RUN.4")
    def test_creating_without_an_experiment_is_a_value_error_that_names_the_argument(self, store: Store) -> None:
        absent = unique("run")

        with pytest.raises(ValueError, match="experiment_id"):
            store.ensure_run()
        with pytest.raises(InvalidValueError, match="experiment_id"):
            store.ensure_run(run_id=absent)

        with pytest.raises(RunNotFoundError):
            store.get_run(absent)

    @clause("RUN.4")
    def test_an_unknown_experiment_is_named_and_nothing_is_written(self, store: Store) -> None:
        absent, run_id = experiment_id_of(unique()), unique("run")

        with pytest.raises(ExperimentNotFoundError, match=absent):
            store.ensure_run(absent, run_id=run_id)

        with pytest.raises(RunNotFoundError):
            store.get_run(run_id)

    @clause("RUN.5")
    def test_an_existing_run_under_another_experiment_is_a_conflict(self, store: Store) -> None:
        run_id, other = new_run(store), new_experiment(store)
        before = state_of(store, run_id)

        with pytest.raises(ConflictError, match=run_id):
            store.ensure_run(other, run_id=run_id)
        with pytest.raises(ConflictError, match=run_id):
            store.ensure_run(other, run_id=run_id, resume=True)

        assert state_of(store, run_id) == before

    @clause("RUN.6")
    def test_resuming_a_finished_run_opens_a_new_attempt_and_keeps_what_was_logged(self, store: Store) -> None:
        run_id = new_run(store, name="kept", tags={"t": "1"})
        store.log_metrics(run_id, [point("loss", 1, 0.5)])
        store.log_config(run_id, {"lr": 0.1})
        before = state_of(store, run_id)
        store.finalize(run_id, "failed", error=ValueError("boom"))

        store.ensure_run(run_id=run_id, resume=True)

        run, after = store.get_run(run_id), state_of(store, run_id)
        assert (run.status, run.end_time, run.attempt, run.failure) == (RunStatus.IN_PROGRESS, None, 2, None)
        assert after["run"] == {**before["run"], "attempt": 2}
        assert {key: after[key] for key in after if key != "run"} == {
            key: before[key] for key in before if key != "run"
        }

    @clause("RUN.6")
    def test_without_resume_a_finished_run_stays_finished(self, store: Store) -> None:
        run_id = new_run(store)
        store.finalize(run_id, "completed")
        before = state_of(store, run_id)

        store.ensure_run(run_id=run_id)

        assert state_of(store, run_id) == before

    @clause("RUN.6")
    def test_each_resume_of_a_finished_run_counts_one_attempt_and_of_a_live_one_none(self, store: Store) -> None:
        run_id = new_run(store)

        for _ in range(3):
            store.ensure_run(run_id=run_id, resume=True)
            store.finalize(run_id, "interrupted")
            store.ensure_run(run_id=run_id, resume=True)
            store.ensure_run(run_id=run_id, resume=True)

        assert store.get_run(run_id).attempt == 4

    @clause("RUN.6")
    def test_sixteen_threads_resuming_one_finished_run_open_one_attempt(self, bench: Bench) -> None:
        store, other = bench.open(), bench.open()
        run_id = new_run(store)
        store.finalize(run_id, "completed")

        at_once(lambda index: (store, other)[index % 2].ensure_run(run_id=run_id, resume=True), 16)

        run = store.get_run(run_id)
        assert (run.attempt, run.status, run.end_time) == (2, RunStatus.IN_PROGRESS, None)

    @clause("RUN.7")
    def test_a_child_needs_a_parent_that_was_begun(self, store: Store) -> None:
        experiment_id, absent, run_id = new_experiment(store), unique("parent"), unique("run")

        with pytest.raises(RunNotFoundError, match=absent):
            store.ensure_run(experiment_id, run_id=run_id, parent_run_id=absent)

        assert store.search_runs(experiment_id=experiment_id).items == ()

    @clause("RUN.7")
    def test_children_are_listed_in_creation_order_page_by_page(self, store: Store) -> None:
        parent = new_run(store)
        experiment_id = store.get_run(parent).experiment_id
        children_ids = [
            store.ensure_run(
                experiment_id,
                parent_run_id=parent,
                client_id=f"hospital-{number}",
                start_time=START + timedelta(seconds=number),
            )
            for number in range(7)
        ]
        store.ensure_run(experiment_id, parent_run_id=children_ids[0])

        pages = [store.list_children(parent, limit=3)]
        while pages[-1].next_cursor:
            pages.append(store.list_children(parent, limit=3, cursor=pages[-1].next_cursor))

        runs = [run for page in pages for run in page.items]
        assert [run.id for run in runs] == children_ids
        assert [run.client_id for run in runs] == [f"hospital-{number}" for number in range(7)]
        assert {run.parent_run_id for run in runs} == {parent}

    @clause("RUN.7")
    def test_children_of_one_start_time_are_listed_by_id(self, store: Store) -> None:
        parent = new_run(store)
        experiment_id, prefix = store.get_run(parent).experiment_id, unique()
        for letter in "bBaäA":
            store.ensure_run(experiment_id, run_id=f"{prefix}{letter}", parent_run_id=parent, start_time=START)

        found = [run.id.removeprefix(prefix) for run in store.list_children(parent).items]

        assert found == ["A", "B", "a", "b", "ä"]

    @clause("RUN.7")
    def test_a_run_without_children_has_an_empty_list(self, store: Store) -> None:
        page = store.list_children(new_run(store))

        assert (page.items, page.next_cursor) == ((), None)

    @clause("RUN.8", "MET.9")
    def test_what_was_given_at_creation_reads_back_equal(self, bench: Bench) -> None:
        store = bench.open()
        experiment_id, parent = new_experiment(store), new_run(store)
        given: dict[str, Any] = {
            "training_mode": "federated",
            "parent_run_id": parent,
            "client_id": "Klinik Ä",
            "name": "Versuch 🫁 / 1",
            "source_path": "C:\\Daten\\röntgen $HOME/../x",
            "tags": {"owner": "Ö'Neil", "$set": "1", "a.b": ""},
            "provenance": {
                "host": "node-1",
                "pid": 4711,
                "versions": {"torch": "2.15", "numpy.core": None, "$where": [1, 1.0, True]},
                "load": float("inf"),
            },
            "start_time": START,
        }

        run_id = store.ensure_run(experiment_id, **given)

        run = bench.open().get_run(run_id)
        assert {name: getattr(run, name) for name in given} == given
        assert repr(run.provenance) == repr(given["provenance"])

    @clause("RUN.8")
    def test_tags_keep_odd_keys_and_values(self, store: Store) -> None:
        tags = dict(zip(NASTY_NAMES, reversed(NASTY_NAMES), strict=True))
        tags |= {"empty": "", "lines": "a\nb\tc", "Case": "1", "case": "2"}

        run_id = new_run(store, tags=tags)

        assert store.get_run(run_id).tags == tags

    @clause("RUN.8")
    def test_a_start_time_of_another_zone_is_the_same_moment_in_utc(self, store: Store) -> None:
        india = datetime(2026, 3, 29, 7, 29, 59, 999_999, tzinfo=timezone(timedelta(hours=5, minutes=30)))

        start = store.get_run(new_run(store, start_time=india)).start_time

        assert (start, start.utcoffset()) == (START, timedelta(0))

    @clause("RUN.8")
    @pytest.mark.parametrize(
        "given",
        [
            {"training_mode": ""},
            {"training_mode": "x" * 51},
            {"tags": {"k": 1}},
            {"tags": {"": "v"}},
            {"name": "nul\0"},
            {"source_path": "\ud800"},
            {"provenance": {"f": object()}},
            {"start_time": datetime(2026, 1, 1)},  # noqa: DTZ001 - the naive time is what must be refused
        ],
        ids=lambda given: next(iter(given)),
    )
    def test_an_argument_that_cannot_be_kept_is_refused_and_no_run_is_made(
        self, store: Store, given: dict[str, Any]
    ) -> None:
        experiment_id = new_experiment(store)

        with pytest.raises(InvalidValueError, match=next(iter(given))):
            store.ensure_run(experiment_id, **given)

        assert store.search_runs(experiment_id=experiment_id).items == ()

    @clause("RUN.9")
    def test_sixteen_threads_racing_for_one_run_id_make_one_run(self, bench: Bench) -> None:
        store, other = bench.open(), bench.open()
        experiment_id, run_id = new_experiment(store), unique("run")

        ids = at_once(lambda index: (store, other)[index % 2].ensure_run(experiment_id, run_id=run_id), 16)

        assert ids == [run_id] * 16
        assert [run.id for run in store.search_runs(experiment_id=experiment_id).items] == [run_id]

    @clause("RUN.10")
    @pytest.mark.parametrize(
        "call",
        [
            lambda store, run_id, _: store.log_metrics(run_id, [point("loss", 0, 1.0)]),
            lambda store, run_id, _: store.log_config(run_id, {"lr": 0.1}),
            lambda store, run_id, path: store.log_artifact(run_id, path),
            lambda store, run_id, path: store.log_artifact(run_id, path, copy=False),
            lambda store, run_id, _: store.finalize(run_id, "completed"),
            lambda store, run_id, _: store.heartbeat(run_id, lease_s=60.0),
            lambda store, run_id, _: store.get_run(run_id),
            lambda store, run_id, _: store.list_children(run_id),
            lambda store, run_id, _: store.get_config(run_id),
            lambda store, run_id, _: store.get_summaries(run_id),
            lambda store, run_id, _: store.get_history(run_id, "loss", "train"),
            lambda store, run_id, _: store.sample_history(run_id, "loss", "train"),
            lambda store, run_id, _: store.list_artifacts(run_id),
            lambda store, run_id, _: store.open_artifact(run_id, "weights.bin"),
            lambda store, run_id, _: store.rename_run(run_id, "x"),
            lambda store, run_id, _: store.set_tags(run_id, {"k": "v"}),
            lambda store, run_id, _: store.remove_tags(run_id, ["k"]),
            lambda store, run_id, _: store.set_note(run_id, "x"),
            lambda store, run_id, _: store.archive_run(run_id),
            lambda store, run_id, _: store.unarchive_run(run_id),
            lambda store, run_id, _: store.delete_run(run_id),
            lambda store, run_id, _: store.restore_run(run_id),
        ],
        ids=[
            "log_metrics",
            "log_config",
            "log_artifact",
            "log_artifact by reference",
            "finalize",
            "heartbeat",
            "get_run",
            "list_children",
            "get_config",
            "get_summaries",
            "get_history",
            "sample_history",
            "list_artifacts",
            "open_artifact",
            "rename_run",
            "set_tags",
            "remove_tags",
            "set_note",
            "archive_run",
            "unarchive_run",
            "delete_run",
            "restore_run",
        ],
    )
    def test_a_run_that_does_not_exist_is_named_and_not_made(
        self, store: Store, tmp_path: Path, call: Callable[[Store, str, Path], object]
    ) -> None:
        path = tmp_path / "weights.bin"
        path.write_bytes(b"w")
        absent = unique("absent")

        with pytest.raises(RunNotFoundError, match=absent) as refused:
            call(store, absent, path)

        assert not isinstance(refused.value, RunDeletedError)
        with pytest.raises(RunNotFoundError):
            store.get_run(absent)
