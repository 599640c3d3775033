"""A state machine over every verb and read of a store; its model is plain dictionaries.

Each example works through two handles and, where the backend can be reached from one, a second process; handles are
closed and opened again on the way. After each step what was touched is read back through another handle. A failure
shows the shrunk calls as a short script against the public API.
"""

# ruff: noqa: D102 - a rule is named after the verb that it calls

from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as Settings  # noqa: N812 - a class by its use
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from runstore.backend import Presence, Store
from runstore.errors import InvalidValueError, RunDeletedError, RunFinalizedError, RunNotFoundError
from runstore.model import EPOCH, MetricPoint
from runstore.testing.bench import Bench, unique
from runstore.testing.harness import Unsupported
from runstore.testing.model import RunModel
from runstore.testing.strategies import configs, metric_points, names
from runstore.values.ids import experiment_id_of

STEPS = 30
"""Rules in one example."""

SERIES_NAMES = st.sampled_from(("loss", "loss", "loss", "auroc")) | names()
"""Few names mostly, so that points meet."""

TAG_KEYS = st.sampled_from(("a", "A", "b")) | names()

CHANGES = st.one_of(
    st.tuples(st.just("rename_run"), st.tuples(st.none() | names())),
    st.tuples(st.just("set_tags"), st.tuples(st.dictionaries(TAG_KEYS, names(), max_size=2))),
    st.tuples(st.just("remove_tags"), st.tuples(st.lists(TAG_KEYS, max_size=2))),
    st.tuples(st.just("set_note"), st.tuples(st.sampled_from((None, "a", "ä\n🫁", "x" * 5000)))),
    st.tuples(st.sampled_from(("archive_run", "unarchive_run")), st.just(())),
)
"""Changes of a run: the verb and what it is given."""

STATUSES = ("completed", "failed", "interrupted")


def run_machine(bench: Bench, folder: Path, *, settings: Settings) -> None:
    """Runs the machine against a backend; raises what the first (shrunk) failing example raised."""
    try:
        remote = bench.remote() if bench.harness.is_immediate else None
    except Unsupported:
        remote = None
    run_state_machine_as_test(
        lambda: StoreMachine(bench, folder, remote),  # type: ignore[arg-type]  # takes any callable
        settings=Settings(settings, stateful_step_count=STEPS),
    )


class StoreMachine(RuleBasedStateMachine):
    """All verbs and reads of a store, in any order, through any handle."""

    runs = Bundle("runs")
    handle = st.integers(0, 2)

    def __init__(self, bench: Bench, folder: Path, remote: Store | None) -> None:
        super().__init__()
        bench.begin_script()
        self._bench = bench
        self._folder = folder
        self._stores = [bench.open(), bench.open()]
        if remote is not None:
            self._stores.append(remote)
        self._mark = unique("")[1:13]
        self._descriptions: dict[str, str | None] = {}
        self._runs: dict[str, RunModel] = {}
        self._batches: dict[str, list[MetricPoint]] = {}

    def _store(self, handle: int) -> Store:
        return self._stores[handle % len(self._stores)]

    # Verbs

    @rule(handle=handle, name=names(), description=st.none() | st.text("ab", max_size=2))
    def get_or_create_experiment(self, handle: int, name: str, description: str | None) -> None:
        name = self._named(name)

        found = self._store(handle).get_or_create_experiment(name, description=description)

        if self._descriptions.get(name) is None:
            self._descriptions[name] = description
        experiment = self._store(handle + 1).get_experiment(experiment_id_of(name))
        assert found == experiment_id_of(name)
        assert (experiment.name, experiment.description) == (name, self._descriptions[name])
        assert self._store(handle + 2).find_experiment(name) == experiment

    @initialize(target=runs)
    def begin(self) -> str:
        found: str = self.ensure_new_run(0, "first", {})  # type: ignore[assignment]  # a rule called gives its value
        return found

    @rule(target=runs, handle=handle, name=names(), tags=st.dictionaries(TAG_KEYS, names(), max_size=2))
    def ensure_new_run(self, handle: int, name: str, tags: dict[str, str]) -> str:
        store = self._store(handle)
        experiment = self._named("e")
        self._descriptions.setdefault(experiment, None)

        run_id = store.ensure_run(store.get_or_create_experiment(experiment), name=name, tags=tags)

        assert run_id not in self._runs
        self._runs[run_id] = RunModel(experiment_id=experiment_id_of(experiment), name=name, tags=tags)
        self._check(run_id, handle + 1)
        return run_id

    @rule(target=runs, handle=handle, name=names(), parent=runs)
    def ensure_child_under_chosen_id(self, handle: int, name: str, parent: str) -> str:
        run_id = self._named(name)
        experiment_id = self._runs[parent].experiment_id
        known = self._runs.get(run_id)
        if known is not None and known.presence is not Presence.SHOWN:
            with pytest.raises(RunDeletedError):
                self._store(handle).ensure_run(experiment_id, run_id=run_id, parent_run_id=parent)
            return run_id

        found = self._store(handle).ensure_run(experiment_id, run_id=run_id, parent_run_id=parent)

        assert found == run_id
        if run_id not in self._runs:
            self._runs[run_id] = RunModel(experiment_id=experiment_id, name=None, tags={}, parent=parent)
        self._check(run_id, handle + 1)
        return run_id

    @rule(handle=handle, run_id=runs, resume=st.booleans())
    def ensure_again(self, handle: int, run_id: str, resume: bool) -> None:  # noqa: FBT001 - drawn
        model = self._runs[run_id]

        with self._refused(model.presence is not Presence.SHOWN):
            assert self._store(handle).ensure_run(run_id=run_id, resume=resume) == run_id
            if resume:
                model.reopen()

        self._check(run_id, handle + 1)

    @rule(handle=handle, run_id=runs, points=st.lists(metric_points(SERIES_NAMES), max_size=6))
    def log_metrics(self, handle: int, run_id: str, points: list[MetricPoint]) -> None:
        with self._refused_on_delivery_if_purged(run_id):
            self._store(handle).log_metrics(run_id, points)

            self._runs[run_id].add_points(points)
            self._batches[run_id] = points
        self._check(run_id, handle + 1)

    @rule(handle=handle, run_id=runs, values=st.lists(st.sampled_from((0.0, 1.0, -1.0)), min_size=1, max_size=3))
    def log_metrics_of_one_series_in_falling_steps(self, handle: int, run_id: str, values: list[float]) -> None:
        for step, value in reversed(list(enumerate(values))):
            self.log_metrics(handle, run_id, [MetricPoint(name="loss", value=value, step=step, logged_at=EPOCH)])

    @rule(handle=handle, run_id=runs)
    def send_the_last_batch_again(self, handle: int, run_id: str) -> None:
        points = self._batches.get(run_id, [])
        with self._refused_on_delivery_if_purged(run_id):
            self._store(handle).log_metrics(run_id, points)

            self._runs[run_id].add_points(points)
        self._check(run_id, handle + 1)

    @rule(handle=handle, run_id=runs, points=st.lists(metric_points(), max_size=3), bad=st.sampled_from((-1, 2**63)))
    def log_metrics_with_a_bad_point(self, handle: int, run_id: str, points: list[MetricPoint], bad: int) -> None:
        with pytest.raises(InvalidValueError, match=rf"points\[{len(points)}\]\.step"):
            self._store(handle).log_metrics(run_id, [*points, MetricPoint(name="bad", value=1.0, step=bad)])

        self._check(run_id, handle + 1)

    @rule(handle=handle, points=st.lists(metric_points(), max_size=2))
    def log_metrics_of_an_unknown_run(self, handle: int, points: list[MetricPoint]) -> None:
        with pytest.raises(RunNotFoundError):
            self._store(handle).log_metrics(self._named("absent run"), points)

    @rule(handle=handle, run_id=runs, config=configs())
    def log_config(self, handle: int, run_id: str, config: dict[str, Any]) -> None:
        with self._refused_on_delivery_if_purged(run_id):
            self._store(handle).log_config(run_id, config)

            self._runs[run_id].merge_config(config)
        self._check(run_id, handle + 1)

    @rule(
        handle=handle,
        run_id=runs,
        name=st.sampled_from(("a", "A", "dir/a", "ä 🫁", "$x")),
        content=st.binary(max_size=5),
    )
    def log_artifact(self, handle: int, run_id: str, name: str, content: bytes) -> None:
        path = self._folder / "artifact"
        path.write_bytes(content)

        with self._refused_if_purged(run_id):
            self._store(handle).log_artifact(run_id, path, name=name)
            path.unlink()

            self._runs[run_id].artifacts[name] = content
        self._check(run_id, handle + 1)

    @rule(handle=handle, run_id=runs, status=st.sampled_from(STATUSES))
    def finalize(self, handle: int, run_id: str, status: str) -> None:
        model = self._runs[run_id]

        if model.presence is Presence.PURGED:
            with pytest.raises(RunDeletedError):
                self._store(handle).finalize(run_id, status)
        elif model.status not in {"in_progress", status}:
            with pytest.raises(RunFinalizedError):
                self._store(handle).finalize(run_id, status)
        else:
            self._store(handle).finalize(run_id, status)
            model.status = status

        self._check(run_id, handle + 1)

    @rule(handle=handle, run_id=runs)
    def heartbeat(self, handle: int, run_id: str) -> None:
        with self._refused_if_purged(run_id):
            self._store(handle).heartbeat(run_id, lease_s=3600.0)

        self._check(run_id, handle + 1)

    # Changes

    @rule(handle=handle, run_id=runs, change=CHANGES)
    def change_run(self, handle: int, run_id: str, change: tuple[str, Any]) -> None:
        model, (verb, given) = self._runs[run_id], change

        with self._refused(model.presence is not Presence.SHOWN):
            getattr(self._store(handle), verb)(run_id, *given)
            model.change(verb, *given)

        self._check(run_id, handle + 1)

    @rule(handle=handle, run_id=runs, purges=st.sampled_from((False, False, False, True)))
    def delete_run(self, handle: int, run_id: str, purges: bool) -> None:  # noqa: FBT001 - drawn
        store, model = self._store(handle), self._runs[run_id]
        store.delete_run(run_id)
        if model.presence is Presence.SHOWN:
            model.presence = Presence.DELETED
        self._check(run_id, handle + 1)

        store.collect_garbage(deleted_before=datetime.now(UTC) + timedelta(days=1), dry_run=not purges)

        for each, deleted in self._runs.items():
            if purges and deleted.presence is Presence.DELETED:
                deleted.presence = Presence.PURGED
                self._check(each, handle + 1)

    @rule(handle=handle, run_id=runs)
    def restore_run(self, handle: int, run_id: str) -> None:
        with self._refused_if_purged(run_id):
            self._store(handle).restore_run(run_id)
            self._runs[run_id].presence = Presence.SHOWN

        self._check(run_id, handle + 1)

    # Handles

    @rule(handle=st.integers(0, 1))
    def reopen(self, handle: int) -> None:
        self._stores[handle].close()
        self._stores[handle] = self._bench.open()

    # Reads over many runs

    @rule(handle=handle, status=st.sampled_from((*STATUSES, "in_progress")))
    def search_runs(self, handle: int, status: str) -> None:
        experiment_id = experiment_id_of(self._named("e"))

        page = self._store(handle).search_runs(f"status = '{status}'", experiment_id=experiment_id, limit=1000)

        expected = {run_id for run_id, model in self._runs.items() if model.is_listed and model.status == status}
        assert {run.id for run in page.items} == expected
        assert [run.start_time for run in page.items] == sorted((run.start_time for run in page.items), reverse=True)

    @rule(handle=handle, run_id=runs)
    def list_children(self, handle: int, run_id: str) -> None:
        with self._refused(self._runs[run_id].presence is not Presence.SHOWN):
            children = [run.id for run in self._store(handle).list_children(run_id).items]

            assert children == [
                each for each, model in self._runs.items() if model.parent == run_id and model.is_listed
            ]

    @rule(handle=handle)
    def read_many(self, handle: int) -> None:
        store = self._store(handle)

        configs_found, summaries = store.get_configs(list(self._runs)), store.get_summaries_of(list(self._runs))

        shown = {run_id: model for run_id, model in self._runs.items() if model.presence is Presence.SHOWN}
        assert configs_found.keys() == summaries.keys() == shown.keys()
        for run_id, model in shown.items():
            model.check_config(configs_found[run_id])
            model.check_summaries(summaries[run_id])

    def teardown(self) -> None:
        try:
            for run_id in self._runs:
                self._check(run_id, 0)
        finally:
            for store in self._stores[:2]:
                store.close()

    def _named(self, name: str) -> str:
        return f"{self._mark}{name}"[:255]

    @staticmethod
    def _refused(is_refused: bool) -> AbstractContextManager[object]:  # noqa: FBT001 - says what the block must do
        """Asserts that the block is refused because of a deletion, if it must be."""
        return pytest.raises(RunNotFoundError) if is_refused else nullcontext()

    def _refused_if_purged(self, run_id: str) -> AbstractContextManager[object]:
        return self._refused(self._runs[run_id].presence is Presence.PURGED)

    def _refused_on_delivery_if_purged(self, run_id: str) -> AbstractContextManager[object]:
        """As above, of what a store that is not immediate may take first and refuse later."""
        if self._bench.harness.is_immediate:
            return self._refused_if_purged(run_id)
        return suppress(RunDeletedError)

    def _check(self, run_id: str, handle: int) -> None:
        """Reads all of a run and compares it with the model."""
        self._runs[run_id].check(self._store(handle), run_id)
