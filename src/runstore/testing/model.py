"""What a run must look like, in plain dictionaries: the state machine's model. It calls nothing that a store calls."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from runstore.backend import Presence, Store
from runstore.errors import RunNotFoundError
from runstore.model import MetricPoint, RunStatus, SeriesSummary
from runstore.testing.values import expected_facts, facts_of, merged, plain


class RunModel:
    """One run: what was logged to it, and how it stands."""

    def __init__(
        self, *, experiment_id: str, name: str | None, tags: dict[str, str], parent: str | None = None
    ) -> None:
        self.experiment_id = experiment_id
        self.name = name
        self.tags = dict(tags)
        self.parent = parent
        self.status = "in_progress"
        self.attempt = 1
        self.config: dict[str, Any] = {}
        self.points: dict[tuple[str, str], dict[int, MetricPoint]] = {}
        self.artifacts: dict[str, bytes] = {}
        self.note: str | None = None
        self.is_archived = False
        self.presence = Presence.SHOWN

    @property
    def is_listed(self) -> bool:
        """Whether a search finds it that does not ask for archived runs."""
        return self.presence is Presence.SHOWN and not self.is_archived

    def reopen(self) -> None:
        """A resume."""
        if self.status != "in_progress":
            self.status, self.attempt = "in_progress", self.attempt + 1

    def add_points(self, points: Iterable[MetricPoint]) -> None:
        """A batch: the last write of a step wins."""
        for point in points:
            self.points.setdefault((point.name, str(point.dataset_type)), {})[point.step] = point

    def merge_config(self, config: dict[str, Any]) -> None:
        """A config, key by key."""
        self.config = merged(self.config, config)

    def change(self, verb: str, given: Any = None) -> None:
        """A change by this verb of an editor."""
        match verb:
            case "rename_run":
                self.name = given
            case "set_tags":
                self.tags |= given
            case "remove_tags":
                self.tags = {key: value for key, value in self.tags.items() if key not in given}
            case "set_note":
                self.note = given
            case _:
                self.is_archived = verb == "archive_run"

    def check(self, store: Store, run_id: str) -> None:
        """Asserts that a store shows all of this, or that it shows nothing of it where it was deleted."""
        if self.presence is not Presence.SHOWN:
            self.check_hidden(store, run_id)
            return
        run = store.get_run(run_id)
        assert (run.id, run.experiment_id, run.name, run.tags) == (run_id, self.experiment_id, self.name, self.tags)
        assert (run.parent_run_id, run.status, run.attempt) == (self.parent, RunStatus(self.status), self.attempt)
        assert (run.note, run.archived_at is not None) == (self.note, self.is_archived)
        assert (run.end_time is None) == (self.status == "in_progress")
        assert run.end_time is None or run.end_time >= run.start_time
        self.check_config(store.get_config(run_id))
        self.check_summaries(store.get_summaries(run_id))
        for (name, kind), points in self.points.items():
            found = [(each.step, each.value.hex(), each.logged_at) for each in store.get_history(run_id, name, kind)]
            wanted = [(step, float(points[step].value).hex(), points[step].logged_at) for step in sorted(points)]
            assert found == wanted, f"the history of {name!r} / {kind}"
        assert [record.name for record in store.list_artifacts(run_id)] == sorted(self.artifacts)
        for name, content in self.artifacts.items():
            with store.open_artifact(run_id, name) as stream:
                assert stream.read() == content, f"the bytes of {name!r}"

    def check_hidden(self, store: Store, run_id: str) -> None:
        """Asserts that no read shows the run, but for the list of those that can be restored."""
        restorable = {run.id for run in store.list_deleted(experiment_id=self.experiment_id, limit=1000).items}
        assert (run_id in restorable) == (self.presence is Presence.DELETED)
        for read in (store.get_run, store.get_config, store.get_summaries, store.list_artifacts, store.list_children):
            with pytest.raises(RunNotFoundError):
                read(run_id)
        for name, kind in self.points:
            with pytest.raises(RunNotFoundError):
                store.get_history(run_id, name, kind)
        quoted = run_id.replace("'", "''")
        assert store.search_runs(f"id = '{quoted}' and archived in (true, false)").items == ()

    def check_config(self, found: dict[str, Any]) -> None:
        """Asserts that a config is this one, types included."""
        assert plain(found) == plain(self.config)

    def check_summaries(self, found: Sequence[SeriesSummary]) -> None:
        """Asserts that the summaries are what these points give."""
        series = {(each.name, str(each.dataset_type)): facts_of(each) for each in found}
        assert list(series) == sorted(self.points)
        for key, points in self.points.items():
            assert series[key] == expected_facts([(step, float(points[step].value)) for step in sorted(points)])
