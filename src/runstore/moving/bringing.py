"""Bringing runs into a store: whole, as often as it takes, and never twice.

A run is placed first, as one that goes on; then come its config, its points and its files; last it is placed as it is. So
a run that was cut off never looks complete, and the next call goes on with it.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from runstore.backend import BackendStore, NewExperiment, PlacedRun
from runstore.errors import RunStoreError
from runstore.local.clock import now_us
from runstore.model import Run
from runstore.moving.arriving import ArrivingRun
from runstore.moving.files import FileSender
from runstore.moving.points import PointSender
from runstore.moving.report import Outcome, Progress, Quiet, Report, Trouble
from runstore.values import EMPTY_CONFIG, ConfigDocument

CUT_OFF_LEASE_S: Final = 600.0
"""How long after the last sign of it a run whose bringing was cut off counts as alive. No other run has it."""


def bring(
    store: BackendStore,
    runs: Iterable[ArrivingRun],
    *,
    is_thorough: bool = False,
    keeps_changes: bool = False,
    told: Progress | None = None,
) -> Report:
    """Brings runs into a store, with all that they have. What is there already is not sent again.

    A run that cannot be brought is told, and the others are.

    Args:
        store: opened to write, without a recorder: ``open_store(url, durable=False)``.
        runs: in any order; parents before their children are a little faster.
        is_thorough: whether to compare all points and bytes of the runs that are there. Otherwise points are taken to be
            equal where their summaries are, and bytes to be those whose SHA-256 was recorded.
        keeps_changes: whether the name, tags and note that a run has in the store stay, and whether it is archived: of one that
            has ended, whatever comes; of one that goes on, what comes is laid over them. Otherwise they are as they come.
        told: who is told how it goes.

    Raises:
        StoreUnavailableError, StoreFailureError: the store, or what the runs come from, cannot go on. What was brought is
            there, and the same call again brings the rest.
    """
    bringing = _Bringing(store, told or Quiet(), is_thorough=is_thorough, keeps_changes=keeps_changes)
    for arriving in runs:
        bringing.take(arriving)
    return bringing.finish()


class _Bringing:
    """One call of :func:`bring`."""

    def __init__(self, store: BackendStore, told: Progress, *, is_thorough: bool, keeps_changes: bool) -> None:
        self._store = store
        self._told = told
        self._is_thorough = is_thorough
        self._keeps_changes = keeps_changes
        self._outcomes: Counter[Outcome] = Counter()
        self._troubles: list[Trouble] = []
        self._experiments: set[str] = set()
        self._orphans: dict[str, tuple[PlacedRun, Outcome]] = {}
        self._points = PointSender(store, told)
        self._files = FileSender(store, told, self._trouble)

    def take(self, arriving: ArrivingRun) -> None:
        """Brings one run, or tells why not."""
        try:
            outcome = self._bring(arriving)
        except RunStoreError as error:
            if not error.is_mistake:
                raise
            self._trouble(Trouble(run_id=arriving.run.id, reason=str(error)))
            outcome = Outcome.REFUSED
        self._outcomes[outcome] += 1
        self._told.done(arriving.run.id, outcome)

    def finish(self) -> Report:
        """Gives the runs whose parents came after them their parents."""
        for run_id, (placed, outcome) in self._orphans.items():
            parent = placed.parent_run_id
            if parent is not None and self._store.presence_of(parent) is not None:
                if self._descends(parent, run_id):
                    self._trouble(_circle(placed))
                    continue
                self._store.place_run(placed)
                if outcome is Outcome.UNCHANGED:
                    self._outcomes.subtract([Outcome.UNCHANGED])
                    self._outcomes.update([Outcome.UPDATED])
                continue
            reason = f"its parent {parent!r} is not in the store it came to; bring that one as well, and this one again"
            self._trouble(Trouble(run_id=run_id, what="parent", reason=reason, is_minor=True))
        return Report(
            runs={outcome: count for outcome, count in self._outcomes.items() if count},
            points=self._points.sent,
            files=self._files.sent,
            bytes=self._files.bytes,
            troubles=tuple(self._troubles),
        )

    def _bring(self, arriving: ArrivingRun) -> Outcome:
        run_id = arriving.run.id
        experiment = NewExperiment.checked(arriving.experiment, description=arriving.description)
        whole = PlacedRun.checked(replace(arriving.run, experiment_id=experiment.id))
        config = ConfigDocument.checked(arriving.config)
        found = self._found(whole)
        if found is not None and self._keeps_changes:
            whole = _with_changes(whole, PlacedRun.checked(found))
        self._make_experiment(experiment)
        # Without its parent, as long as that is not there; it is given to it at the end.
        is_orphan = whole.parent_run_id is not None and self._store.presence_of(whole.parent_run_id) is None
        is_circle = not is_orphan and found is not None and self._is_circle(whole, found)
        if is_circle:
            self._trouble(_circle(whole))
        placed = replace(whole, parent_run_id=None) if is_orphan or is_circle else whole
        if found is None:
            self._store.place_run(placed.begun(now_us=now_us(), lease_s=CUT_OFF_LEASE_S))
        is_new = found is None
        is_changed = self._merge_config(run_id, config, is_new=is_new)
        is_changed |= self._points.send(arriving, is_new=is_new, is_thorough=self._is_thorough)
        is_changed |= self._files.send(arriving, is_new=is_new, is_thorough=self._is_thorough)
        # What is written counts as a heartbeat of a run that goes on, so that its own is put right afterwards.
        outcome = Outcome.UNCHANGED
        if found is None or is_changed or PlacedRun.checked(found) != placed:
            self._store.place_run(placed)
            outcome = Outcome.NEW if found is None else Outcome.UPDATED
        if is_orphan:
            self._orphans[run_id] = whole, outcome
        return outcome

    def _found(self, placed: PlacedRun) -> Run | None:
        found = self._store.find_run(placed.id)
        if found is None:
            placed.check_presence(self._store.presence_of(placed.id))
        else:
            placed.check_found(found.experiment_id, found.attempt)
        return found

    def _make_experiment(self, experiment: NewExperiment) -> None:
        if experiment.id not in self._experiments:
            self._store.make_experiment(experiment)
            self._experiments.add(experiment.id)

    def _merge_config(self, run_id: str, config: ConfigDocument, *, is_new: bool) -> bool:
        stored = ConfigDocument(EMPTY_CONFIG if is_new else self._store.read_configs([run_id])[run_id])
        is_more = config.merged_over(stored).text != stored.text
        if is_more:
            self._store.merge_config(run_id, config)
        return is_more

    def _is_circle(self, placed: PlacedRun, found: Run) -> bool:
        """Whether a run that is there would get a parent that descends from it; nothing descends from a new one."""
        parent = placed.parent_run_id
        return parent is not None and parent != found.parent_run_id and self._descends(parent, placed.id)

    def _descends(self, run_id: str, ancestor: str) -> bool:
        """Whether a run of the store is the other one, or descends from it."""
        seen: set[str] = set()
        above: str | None = run_id
        while above is not None and above != ancestor and above not in seen:
            seen.add(above)
            found = self._store.find_run(above)
            above = None if found is None else found.parent_run_id
        return above == ancestor

    def _trouble(self, trouble: Trouble) -> None:
        self._troubles.append(trouble)
        self._told.failed(trouble)


def _circle(placed: PlacedRun) -> Trouble:
    reason = (
        f"its parent {placed.parent_run_id!r} is that run itself or descends from it, which no run can; it was brought "
        "without a parent"
    )
    return Trouble(run_id=placed.id, what="parent", reason=reason, is_minor=True)


def _with_changes(placed: PlacedRun, found: PlacedRun) -> PlacedRun:
    """The run with what people have given it in the store."""
    if found.status.is_final:
        return replace(placed, name=found.name, tags=found.tags, note=found.note, archived_us=found.archived_us)
    return replace(
        placed,
        name=placed.name or found.name,
        tags=dict(sorted({**found.tags, **placed.tags}.items())),
        note=placed.note or found.note,
        archived_us=placed.archived_us or found.archived_us,
    )
