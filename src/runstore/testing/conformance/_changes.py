"""CHG: what is stored is changed, by anybody, at any time. Deletion stands in ``_deletions.py``."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from runstore.backend import Store
from runstore.errors import ExperimentNotFoundError, InvalidValueError
from runstore.model import RunStatus
from runstore.testing.bench import Bench, at_once, new_experiment, new_run, point, points_of, state_of, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._endings import TERMINAL, until
from runstore.testing.strategies import BAD_NAMES, NASTY_NAMES
from runstore.values.checks import MAX_TEXT_LENGTH

START: Final = datetime(2026, 8, 1, tzinfo=UTC)

CHANGES: Final[Mapping[str, Callable[[Store, str], None]]] = {
    "rename_run": lambda store, run_id: store.rename_run(run_id, "another"),
    "set_tags": lambda store, run_id: store.set_tags(run_id, {"owner": "another", "new": ""}),
    "remove_tags": lambda store, run_id: store.remove_tags(run_id, ["owner", "absent"]),
    "set_note": lambda store, run_id: store.set_note(run_id, "looks odd\n\n* look again"),
    "archive_run": lambda store, run_id: store.archive_run(run_id),
    "unarchive_run": lambda store, run_id: store.unarchive_run(run_id),
}
"""Every change of a run but its deletion, by the verb that makes it."""

of_each_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


class ChangeClauses(ConformanceBase):
    """CHG.1 to CHG.4, CHG.7 and CHG.11."""

    @clause("CHG.1")
    @pytest.mark.parametrize("status", ["in_progress", *TERMINAL])
    def test_a_run_takes_another_name_and_nothing_else_of_it_changes(self, bench: Bench, status: str) -> None:
        store = bench.open()
        run_id = full_run(store, status=status)
        before = state_of(store, run_id)

        for name in (*NASTY_NAMES[-3:], None, "last"):
            store.rename_run(run_id, name)

            assert state_of(bench.open(), run_id) == with_run(before, name=name)
        experiment_id = store.get_run(run_id).experiment_id
        found = store.search_runs("name = 'last'", experiment_id=experiment_id).items
        assert [run.id for run in found] == [run_id]
        assert store.search_runs("name = 'first'", experiment_id=experiment_id).items == ()

    @clause("CHG.1")
    @pytest.mark.parametrize("name", [*BAD_NAMES, 5], ids=ascii)
    def test_a_name_that_cannot_be_kept_is_refused_and_the_old_one_stays(self, store: Store, name: Any) -> None:
        run_id = new_run(store, name="first")

        with pytest.raises(InvalidValueError, match="name"):
            store.rename_run(run_id, name)

        assert store.get_run(run_id).name == "first"

    @clause("CHG.1")
    def test_no_change_is_a_heartbeat(self, store: Store) -> None:
        run_id = new_run(store)
        store.heartbeat(run_id, lease_s=0.05)
        until(store, run_id, RunStatus.LOST)
        before = store.get_run(run_id).heartbeat_at

        for change in CHANGES.values():
            change(store, run_id)

        run = store.get_run(run_id)
        assert (run.heartbeat_at, run.status) == (before, RunStatus.LOST)

    @clause("CHG.2")
    @pytest.mark.parametrize("status", ["in_progress", *TERMINAL])
    def test_tags_are_laid_over_those_that_a_run_has_and_removed_by_key(self, bench: Bench, status: str) -> None:
        store = bench.open()
        run_id = full_run(store, status=status, tags={"owner": "me", "Owner": "other", "a.b": "1"})
        before = state_of(store, run_id)

        store.set_tags(run_id, {"owner": "you", "$set": "ä\n", "empty": ""})
        store.remove_tags(run_id, ["a.b", "absent", "OWNER", "owner ", "A.b"])
        store.set_tags(run_id, {})
        store.remove_tags(run_id, [])

        wanted = {"owner": "you", "Owner": "other", "$set": "ä\n", "empty": ""}
        assert state_of(bench.open(), run_id) == with_run(before, tags=wanted)

    @clause("CHG.2", "READ.2")
    def test_filters_see_the_tags_of_now(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        run_id = store.ensure_run(experiment_id, tags={"owner": "me", "stage": "1"})
        store.set_tags(run_id, {"owner": "you"})
        store.remove_tags(run_id, ["stage"])

        def count(filter_text: str) -> int:
            return len(store.search_runs(filter_text, experiment_id=experiment_id).items)

        assert [count("tag.owner = 'you'"), count("tag.owner = 'me'")] == [1, 0]
        assert [count("tag.stage = '1'"), count("tag.stage is null")] == [0, 1]

    @clause("CHG.2")
    def test_odd_keys_and_values_of_tags_are_kept_and_removed(self, store: Store) -> None:
        run_id = new_run(store, tags={"kept": "1"})
        tags = dict(zip(NASTY_NAMES, reversed(NASTY_NAMES), strict=True))

        store.set_tags(run_id, tags)
        assert store.get_run(run_id).tags == tags | {"kept": "1"}
        store.remove_tags(run_id, NASTY_NAMES)

        assert store.get_run(run_id).tags == {"kept": "1"}

    @clause("CHG.2", "RUN.11")
    def test_tags_that_go_over_the_bound_together_are_refused_and_change_nothing(self, store: Store) -> None:
        run_id = new_run(store, tags={f"{number}": "x" * MAX_TEXT_LENGTH for number in range(15)})
        before = state_of(store, run_id)

        with pytest.raises(InvalidValueError, match=r"tags.*at most \d+"):
            store.set_tags(run_id, {f"more {number}": "x" * MAX_TEXT_LENGTH for number in range(2)})
        assert state_of(store, run_id) == before

        store.set_tags(run_id, {"0": "", "small": "1"})
        assert store.get_run(run_id).tags["small"] == "1"

    @clause("CHG.2")
    @pytest.mark.parametrize("tags", [{"k": 1}, {"": "v"}, {"k": "nul\0"}, {1: "v"}, ["k"]], ids=repr)
    def test_tags_that_cannot_be_kept_are_refused_and_change_nothing(self, store: Store, tags: Any) -> None:
        run_id = new_run(store, tags={"owner": "me"})

        with pytest.raises(InvalidValueError, match="tags"):
            store.set_tags(run_id, tags)
        for keys in ("owner", [1], None):
            with pytest.raises(InvalidValueError, match="keys"):
                store.remove_tags(run_id, keys)  # type: ignore[arg-type]

        assert store.get_run(run_id).tags == {"owner": "me"}

    @clause("CHG.3")
    def test_a_note_is_kept_exactly_and_replaced(self, bench: Bench) -> None:
        store = bench.open()
        run_id = full_run(store, status="failed")
        before = state_of(store, run_id)

        for note in ("# odd\n\nat step 3:\t`NaN` 🫁 'x' $y %s", "x", "🫁" * MAX_TEXT_LENGTH, " ", None):
            store.set_note(run_id, note)

            assert state_of(bench.open(), run_id) == with_run(before, note=note)
        store.set_note(run_id, "again")
        store.set_note(run_id, "")
        assert store.get_run(run_id).note is None

    @clause("CHG.3", "RUN.6")
    def test_a_note_and_new_tags_outlive_a_resume_and_a_second_end(self, store: Store) -> None:
        run_id = new_run(store, name="first", tags={"owner": "me"})
        store.set_note(run_id, "kept")
        store.set_tags(run_id, {"stage": "2"})
        store.rename_run(run_id, "second")

        store.finalize(run_id, "interrupted")
        store.ensure_run(run_id=run_id, resume=True, name="first", tags={"stage": "1"})
        store.log_metrics(run_id, [point("loss", 1, 0.5)])
        store.finalize(run_id, "completed")

        run = store.get_run(run_id)
        assert (run.note, run.tags, run.name, run.attempt) == ("kept", {"owner": "me", "stage": "2"}, "second", 2)

    @clause("CHG.3")
    @pytest.mark.parametrize(
        "note", ["x" * (MAX_TEXT_LENGTH + 1), "nul\0", "\ud800", 5], ids=lambda note: ascii(note)[:9]
    )
    def test_a_note_that_cannot_be_kept_is_refused_and_the_old_one_stays(self, store: Store, note: Any) -> None:
        run_id = new_run(store)
        store.set_note(run_id, "old")

        with pytest.raises(InvalidValueError, match="note"):
            store.set_note(run_id, note)

        assert store.get_run(run_id).note == "old"

    @clause("CHG.4")
    def test_an_archived_run_is_left_out_of_lists_and_shown_by_its_id(self, bench: Bench) -> None:
        store = bench.open()
        parent = full_run(store, status="completed")
        experiment_id = store.get_run(parent).experiment_id
        run_id, other = (store.ensure_run(experiment_id, parent_run_id=parent, name=name) for name in "ab")
        store.log_metrics(run_id, [point("loss", 1, 0.5)])
        before = state_of(store, run_id)

        store.archive_run(run_id)

        reader = bench.open()
        archived_at = reader.get_run(run_id).archived_at
        assert archived_at is not None
        assert abs(archived_at - datetime.now(UTC)) < timedelta(hours=1)
        assert state_of(reader, run_id) == with_run(before, archived_at=archived_at)
        assert ids_of(reader, experiment_id) == {parent, other}
        assert ids_of(reader, experiment_id, "name = 'a'") == set()
        assert ids_of(reader, experiment_id, "archived = true") == {run_id}
        assert ids_of(reader, experiment_id, "archived = false") == {parent, other}
        assert ids_of(reader, experiment_id, "name = 'a' and archived in (true, false)") == {run_id}
        assert ids_of(reader, experiment_id, "archived is not null") == {parent, run_id, other}
        assert [run.id for run in reader.list_children(parent).items] == [other]
        assert reader.get_summaries_of([run_id]).keys() == reader.get_configs([run_id]).keys() == {run_id}

    @clause("CHG.4")
    def test_an_archived_run_takes_what_is_logged_and_comes_back_as_it_was(self, store: Store) -> None:
        run_id = new_run(store, name="first")
        before = store.get_run(run_id)

        store.archive_run(run_id)
        store.log_metrics(run_id, [point("loss", 1, 0.5)])
        assert store.ensure_run(run_id=run_id) == run_id
        store.unarchive_run(run_id)

        assert points_of(store, run_id, "loss") == [(1, 0.5)]
        assert (store.get_run(run_id).archived_at, store.get_run(run_id).name) == (None, before.name)
        assert ids_of(store, before.experiment_id) == {run_id}

    @clause("CHG.4")
    def test_pages_without_archived_runs_are_full_and_whole(self, store: Store) -> None:
        experiment_id = new_experiment(store)
        ids = [store.ensure_run(experiment_id, start_time=START + timedelta(seconds=number)) for number in range(9)]
        for run_id in ids[::2]:
            store.archive_run(run_id)

        first = store.search_runs(experiment_id=experiment_id, order_by=["start_time"], limit=3)
        second = store.search_runs(
            experiment_id=experiment_id, order_by=["start_time"], limit=3, cursor=first.next_cursor
        )

        assert [run.id for run in (*first.items, *second.items)] == ids[1::2]
        assert (len(first.items), second.next_cursor) == (3, None)

    @clause("CHG.7")
    def test_a_description_is_replaced_and_removed(self, bench: Bench) -> None:
        store, name = bench.open(), unique()
        experiment_id = store.get_or_create_experiment(name, description="first")
        before = store.get_experiment(experiment_id)

        for description in ("second\n🫁", "x" * MAX_TEXT_LENGTH, None, "last"):
            store.describe_experiment(experiment_id, description)

            found = bench.open().get_experiment(experiment_id)
            assert (found.description, found.name, found.created_at) == (description, name, before.created_at)
        assert store.get_or_create_experiment(name, description="first") == experiment_id
        assert store.get_experiment(experiment_id).description == "last"

    @clause("CHG.7")
    def test_an_experiment_that_does_not_exist_is_named_and_not_made(self, store: Store) -> None:
        absent = unique()

        with pytest.raises(ExperimentNotFoundError, match=absent):
            store.describe_experiment(absent, "x")
        with pytest.raises(ExperimentNotFoundError, match=absent):
            store.delete_experiment(absent)
        with pytest.raises(ExperimentNotFoundError):
            store.get_experiment(absent)

    @clause("CHG.7")
    def test_a_description_that_cannot_be_kept_is_refused(self, store: Store) -> None:
        experiment_id = store.get_or_create_experiment(unique(), description="old")

        for description in ("x" * (MAX_TEXT_LENGTH + 1), "nul\0", 5):
            with pytest.raises(InvalidValueError, match="description"):
                store.describe_experiment(experiment_id, description)  # type: ignore[arg-type]

        assert store.get_experiment(experiment_id).description == "old"

    @clause("CHG.11")
    @of_each_change
    def test_a_change_made_twice_is_made_once(self, bench: Bench, change: Callable[[Store, str], None]) -> None:
        stores = [bench.open(), bench.open()]
        run_id = full_run(stores[0], status="completed")

        change(stores[0], run_id)
        once = state_of(stores[1], run_id)
        change(stores[1], run_id)

        assert state_of(stores[0], run_id) == once

    @clause("CHG.11")
    def test_of_changes_that_contradict_each_other_the_later_stands(self, bench: Bench) -> None:
        store, other = bench.open(), bench.open()
        run_id = new_run(store, tags={"a": "0"})

        for each, text in ((store, "1"), (other, "2"), (store, "3")):
            each.rename_run(run_id, text)
            each.set_note(run_id, text)
            each.set_tags(run_id, {"a": text})
        other.remove_tags(run_id, ["a"])
        other.archive_run(run_id)
        store.unarchive_run(run_id)

        run = other.get_run(run_id)
        assert (run.name, run.note, run.tags, run.archived_at) == ("3", "3", {}, None)

    @clause("CHG.11")
    def test_changes_and_writes_at_once_are_all_kept(self, bench: Bench) -> None:
        stores = [bench.open(), bench.open()]
        run_id = new_run(stores[0], tags={f"old {number}": "0" for number in range(8)})

        def work(index: int) -> None:
            store = stores[index % 2]
            store.set_tags(run_id, {f"new {index}": "1"})
            store.remove_tags(run_id, [f"old {index}"])
            store.log_metrics(run_id, [point(f"m{index}", 0, 1.0)])
            store.log_config(run_id, {f"c{index}": 1})
            store.set_note(run_id, "same")
            store.rename_run(run_id, "same")

        at_once(work, 8)

        run = stores[0].get_run(run_id)
        assert (run.tags, run.name, run.note) == ({f"new {index}": "1" for index in range(8)}, "same", "same")
        assert len(stores[0].get_summaries(run_id)) == len(stores[0].get_config(run_id)) == 8


def full_run(store: Store, *, status: str = "in_progress", **given: Any) -> str:
    """The id of a run that has something of everything, with this status."""
    run_id = new_run(store, **{"name": "first", "tags": {"owner": "me"}, "provenance": {"host": "h"}, **given})
    store.log_config(run_id, {"lr": 0.1, "model": {"depth": 18}})
    store.log_metrics(run_id, [point(name, step, step / 2) for name in ("loss", "auroc") for step in range(5)])
    if status != "in_progress":
        store.finalize(run_id, status, error=ValueError("boom") if status == "failed" else None)
    return run_id


def with_run(state: Mapping[str, Any], **fields: Any) -> Mapping[str, Any]:
    """What :func:`runstore.testing.bench.state_of` gives, with these fields of the run."""
    return {**state, "run": {**state["run"], **fields}}


def ids_of(store: Store, experiment_id: str, filter_text: str | None = None) -> set[str]:
    """Which runs of an experiment a search finds."""
    return {run.id for run in store.search_runs(filter_text, experiment_id=experiment_id).items}
