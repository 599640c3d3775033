"""CHG: what was kept in a journal for some time comes after others have changed the same."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from runstore.backend import ExperimentChange, NewExperiment, RunChange, Store
from runstore.errors import ExperimentNotFoundError, RunDeletedError
from runstore.model import from_microseconds, to_microseconds
from runstore.testing.bench import Bench, new_run, state_of, unique
from runstore.testing.conformance._base import ConformanceBase, clause
from runstore.testing.conformance._changes import full_run, ids_of

_HOUR_US: Final = 3_600_000_000

CONTRARY: Final[Mapping[str, tuple[Mapping[str, Any], Callable[[Store, str], None]]]] = {
    "rename_run": ({"name": "late"}, lambda store, run_id: store.rename_run(run_id, None)),
    "set_note": ({"note": "late"}, lambda store, run_id: store.set_note(run_id, "")),
    "set_tags": ({"new_tags": {"owner": "late"}}, lambda store, run_id: store.set_tags(run_id, {"owner": "you"})),
    "set_tags, removed since": (
        {"new_tags": {"owner": "late"}},
        lambda store, run_id: store.remove_tags(run_id, ["owner"]),
    ),
    "remove_tags": ({"gone_tags": ("owner",)}, lambda store, run_id: store.set_tags(run_id, {"owner": "me"})),
    "archive_run": ({"is_archived": True}, lambda store, run_id: store.unarchive_run(run_id)),
    "unarchive_run": ({"is_archived": False}, lambda store, run_id: store.archive_run(run_id)),
    "delete_run": ({"is_deleted": True}, lambda store, run_id: store.restore_run(run_id)),
}
"""Changes that come late, and what somebody has done since, by the verb that was journaled."""


class LateClauses(ConformanceBase):
    """CHG.8 and CHG.11, of calls that come late."""

    @clause("CHG.11")
    @pytest.mark.parametrize(("late", "since"), CONTRARY.values(), ids=CONTRARY)
    def test_a_change_that_comes_late_changes_nothing_that_was_changed_since(
        self, bench: Bench, late: Mapping[str, Any], since: Callable[[Store, str], None]
    ) -> None:
        store, other = bench.open(), bench.open()
        run_id = full_run(store, status="completed")
        store.delete_run(run_id)
        store.restore_run(run_id)
        asked_us = _now_us()
        since(other, run_id)
        before = state_of(other, run_id)

        for _ in range(2):
            store.change_run(run_id, RunChange(at_us=asked_us, is_late=True, **late))

        assert state_of(other, run_id) == before

    @clause("CHG.11")
    @pytest.mark.parametrize("way", ["the run", "its experiment"])
    def test_a_restoration_that_comes_late_does_not_undo_a_later_deletion(self, bench: Bench, way: str) -> None:
        store, other = bench.open(), bench.open()
        run_id = full_run(store)
        experiment_id = store.get_run(run_id).experiment_id
        store.delete_run(run_id)
        store.restore_run(run_id)
        asked_us = _now_us()
        if way == "the run":
            other.delete_run(run_id)
        else:
            other.delete_experiment(experiment_id)

        store.change_run(run_id, RunChange(at_us=asked_us, is_deleted=False, is_late=True))

        with pytest.raises(RunDeletedError):
            other.get_run(run_id)
        other.restore_run(run_id)
        assert ids_of(other, experiment_id) == {run_id}

    @clause("CHG.11")
    def test_a_change_that_comes_late_is_made_where_nobody_changed_the_same_since(self, bench: Bench) -> None:
        store, other = bench.open(), bench.open()
        run_id = new_run(store, name="first", tags={"a": "1", "b": "1", "c": "1"})
        for change in ({"name": "older"}, {"new_tags": {"a": "older", "b": "older"}}, {"note": "older"}):
            other.change_run(run_id, RunChange(at_us=_now_us() - _HOUR_US, **change))
        asked_us = _now_us()
        other.set_tags(run_id, {"b": "since"})
        other.remove_tags(run_id, ["absent"])

        store.change_run(run_id, RunChange(at_us=asked_us, name="late", is_late=True))
        tags = {"a": "late", "b": "late", "absent": "late", "new": "late"}
        store.change_run(run_id, RunChange(at_us=asked_us, new_tags=tags, is_late=True))
        store.change_run(run_id, RunChange(at_us=asked_us, gone_tags=("b", "c"), is_late=True))
        store.change_run(run_id, RunChange(at_us=asked_us, is_archived=True, is_late=True))

        run = other.get_run(run_id)
        assert (run.name, run.note, run.tags) == ("late", "older", {"a": "late", "b": "since", "new": "late"})
        assert run.archived_at == from_microseconds(asked_us)

    @clause("CHG.11")
    def test_a_change_of_now_stands_whatever_the_clock_of_an_earlier_one_said(self, bench: Bench) -> None:
        store, other = bench.open(), bench.open()
        run_id = new_run(store, tags={"a": "0"})
        ahead_us = _now_us() + _HOUR_US

        for given in ({"name": "ahead"}, {"note": "ahead"}, {"new_tags": {"a": "ahead"}}, {"is_archived": True}):
            store.change_run(run_id, RunChange(at_us=ahead_us, **given))
        other.rename_run(run_id, "now")
        other.set_note(run_id, "now")
        other.remove_tags(run_id, ["a"])
        other.unarchive_run(run_id)
        store.change_run(run_id, RunChange(at_us=ahead_us - 1, name="late", new_tags={"a": "late"}, is_late=True))

        run = other.get_run(run_id)
        assert (run.name, run.note, run.tags, run.archived_at) == ("now", "now", {}, None)

    @clause("CHG.11")
    def test_a_description_that_comes_late_does_not_replace_a_later_one(self, bench: Bench) -> None:
        store, other, name = bench.open(), bench.open(), unique()
        experiment_id = store.get_or_create_experiment(name, description="first")
        asked_us = _now_us()
        other.describe_experiment(experiment_id, None)

        store.change_experiment(experiment_id, ExperimentChange(at_us=asked_us, description="late", is_late=True))
        store.make_experiment(_asked(name, asked_us, description="late"))

        assert other.get_experiment(experiment_id).description is None
        store.change_experiment(experiment_id, ExperimentChange(at_us=_now_us(), description="new", is_late=True))
        assert other.get_experiment(experiment_id).description == "new"

    @clause("CHG.8")
    def test_what_was_asked_for_before_its_deletion_does_not_make_an_experiment_again(self, bench: Bench) -> None:
        store, other, name = bench.open(), bench.open(), unique()
        experiment_id = store.get_or_create_experiment(name)
        asked_us = _now_us()
        other.delete_experiment(experiment_id)

        store.make_experiment(_asked(name, asked_us))
        with pytest.raises(ExperimentNotFoundError):
            other.get_experiment(experiment_id)
        run_id = store.ensure_run(experiment_id)
        assert ids_of(other, experiment_id) == {run_id}

        other.delete_experiment(experiment_id)
        bench.open().make_experiment(_asked(name, _now_us() + 1))
        assert other.get_experiment(experiment_id).name == name

    @clause("CHG.8")
    def test_a_deletion_that_comes_late_spares_what_began_or_was_restored_after_it(self, bench: Bench) -> None:
        store, other = bench.open(), bench.open()
        old, restored = full_run(store), None
        experiment_id = store.get_run(old).experiment_id
        restored = full_run(store, experiment_id=experiment_id)
        asked_us = max(to_microseconds(store.get_run(each).start_time) for each in (old, restored))
        late = ExperimentChange(at_us=asked_us, is_deleted=True, is_late=True)
        other.delete_run(restored)
        other.restore_run(restored)
        new = other.ensure_run(experiment_id, start_time=from_microseconds(asked_us + 1))

        store.change_experiment(experiment_id, late)

        assert ids_of(other, experiment_id) == {restored, new}
        assert other.get_experiment(experiment_id).id == experiment_id
        with pytest.raises(RunDeletedError):
            other.get_run(old)
        other.delete_run(restored)
        other.delete_run(new)
        store.change_experiment(experiment_id, late)
        with pytest.raises(ExperimentNotFoundError):
            other.get_experiment(experiment_id)


def _now_us() -> int:
    return to_microseconds(datetime.now(UTC))


def _asked(name: str, asked_us: int, *, description: str | None = None) -> NewExperiment:
    """What a call of ``get_or_create_experiment`` asked for at that time."""
    new = NewExperiment.checked(name, description=description)
    return NewExperiment(id=new.id, name=name, description=description, late_us=asked_us)
