"""Planted bugs in what changes runs (CHG)."""

import time
from collections.abc import Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from kit.mutants.base import Mutant
from runstore.artifacts import Blobs
from runstore.backend import (
    ExperimentChange,
    NewExperiment,
    NewRun,
    Presence,
    RunChange,
    RunEnd,
    StepRange,
    Sweep,
    Thinning,
)
from runstore.errors import RunDeletedError, RunFinalizedError
from runstore.model import Garbage, Run, SeriesSummary, Thinned
from runstore.query import RunQuery
from runstore.series import SeriesColumns, sample


class EndedRunsTakeNoName(Mutant, breaks="CHG.1"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        run = self.find_run(run_id)
        if run is not None and run.status.is_final and change.name is not UNSET:
            return
        super().change_run(run_id, change)


class EndedRunsRefuseChanges(Mutant, breaks="CHG.2"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        run = self.find_run(run_id)
        if run is not None and run.status.is_final:
            raise RunFinalizedError.of(run_id, found=run.status, asked="changed")
        super().change_run(run_id, change)


class ChangesAreHeartbeats(Mutant, breaks="CHG.1"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        super().change_run(run_id, change)
        if change.is_deleted is UNSET:
            self._touch(self._entry(run_id), self.database.now_us())


class NoNameLeavesTheOldOne(Mutant, breaks="CHG.1"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        super().change_run(run_id, replace(change, name=UNSET) if change.name is None else change)


class TagsAreReplaced(Mutant, breaks="CHG.2"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        run = self.find_run(run_id)
        if run is not None and change.new_tags:
            gone = tuple(key for key in run.tags if key not in change.new_tags)
            change = replace(change, gone_tags=gone)
        super().change_run(run_id, change)


class TagsAreRemovedWhateverTheirCase(Mutant, breaks="CHG.2"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        run = self.find_run(run_id)
        if run is not None and change.gone_tags:
            gone = {key.lower() for key in change.gone_tags}
            change = replace(change, gone_tags=tuple(key for key in run.tags if key.lower() in gone))
        super().change_run(run_id, change)


class NotesAreLostByAResume(Mutant, breaks="CHG.3"):
    def reopen_run(self, run_id: str) -> None:
        super().reopen_run(run_id)
        entry = self._entry(run_id)
        entry.run = replace(entry.run, note=None)


class NotesAreCut(Mutant, breaks="CHG.3"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        super().change_run(run_id, replace(change, note=change.note[:20_000]) if change.note else change)


class NotesAreStripped(Mutant, breaks="CHG.3"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        super().change_run(run_id, replace(change, note=change.note.strip() or None) if change.note else change)


class ArchivedRunsAreListed(Mutant, breaks="CHG.4"):
    def read_runs(self, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
        return super().read_runs(replace(asked, with_archived=True))


class ArchivedRunsAreNotFound(Mutant, breaks="CHG.4"):
    def find_run(self, run_id: str) -> Run | None:
        found = super().find_run(run_id)
        return None if found is None or found.archived_at is not None else found


class ArchivedRunsAreTakenOutOfThePage(Mutant, breaks="CHG.4"):
    """Leaves them out after the page was cut, which then is short."""

    def read_runs(self, asked: RunQuery) -> tuple[Sequence[Run], Sequence[Any] | None]:
        runs, place = super().read_runs(replace(asked, with_archived=True))
        return [run for run in runs if asked.with_archived or run.archived_at is None], place


class BeginningADeletedRunRestoresIt(Mutant, breaks="CHG.5"):
    def begin_run(self, new: NewRun) -> None:
        if self.presence_of(new.id) is Presence.DELETED:
            self._entry(new.id).deleted_us = None
        super().begin_run(new)


class DeletingForgetsPoints(Mutant, breaks="CHG.5"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        super().change_run(run_id, change)
        if change.is_deleted is True:
            self._entry(run_id).series.clear()


class DeletedRunsTakeNothing(Mutant, breaks="CHG.5"):
    """Drops what comes for a deleted run, as if nobody could restore it."""

    def append(self, run_id: str, series: SeriesColumns) -> None:
        super().append(run_id, {} if self.presence_of(run_id) is Presence.DELETED else series)


class DeletedRunsDoNotEnd(Mutant, breaks="CHG.5"):
    def end_run(self, run_id: str, end: RunEnd) -> None:
        if self.presence_of(run_id) is not Presence.DELETED:
            super().end_run(run_id, end)


class DeletedRunsAreRenamed(Mutant, breaks="CHG.5"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        if self.presence_of(run_id) is Presence.DELETED and change.name is not UNSET:
            entry = self._entry(run_id)
            entry.run = change.over(entry.run)
        super().change_run(run_id, change)


class SummariesShowDeletedRuns(Mutant, breaks="CHG.5"):
    def read_summaries(self, run_ids: Sequence[str]) -> dict[str, list[SeriesSummary]]:
        return {
            run_id: list(self._summaries(self.database.runs[run_id]).values())
            for run_id in run_ids
            if run_id in self.database.runs
        }


class CountsShowDeletedRuns(Mutant, breaks="CHG.5"):
    """Counts by a look at the ids alone, when a filter asks for one."""

    def read_count(self, asked: RunQuery) -> int:
        found = super().read_count(asked)
        return found or sum(entry.deleted_us is not None for entry in self.database.runs.values())


class DeletedParentsAreRefused(Mutant, breaks="CHG.5"):
    """Stops whoever begins a run below one that somebody has deleted."""

    def insert_run(self, new: NewRun) -> bool:
        if new.parent_run_id is not None and self.presence_of(new.parent_run_id) is Presence.DELETED:
            raise RunDeletedError.of(new.parent_run_id)
        return super().insert_run(new)


class PurgedParentsAreForgotten(Mutant, breaks="CHG.6"):
    def insert_run(self, new: NewRun) -> bool:
        is_gone = new.parent_run_id in self.database.purged
        return super().insert_run(replace(new, parent_run_id=None) if is_gone else new)


class PurgingForgetsTheId(Mutant, breaks="CHG.6"):
    def sweep(self, asked: Sweep) -> Garbage:
        found = super().sweep(asked)
        self.database.purged.clear()
        return found


class PurgingTakesChildrenAlong(Mutant, breaks="CHG.6"):
    def sweep(self, asked: Sweep) -> Garbage:
        found = super().sweep(asked)
        for run_id, entry in list(self.database.runs.items()):
            if entry.run.parent_run_id in self.database.purged:
                del self.database.runs[run_id]
        return found


class PurgingGoesByTheDayAlone(Mutant, breaks="CHG.6"):
    """Purges what was deleted later, too."""

    def sweep(self, asked: Sweep) -> Garbage:
        return super().sweep(replace(asked, deleted_before_us=asked.deleted_before_us + 86_400_000_000))


class NewDescriptionsOnlyFillAGap(Mutant, breaks="CHG.7"):
    def change_experiment(self, experiment_id: str, change: ExperimentChange) -> None:
        found = self.find_experiment_by_id(experiment_id)
        is_there = found is not None and found.description is not None
        super().change_experiment(experiment_id, replace(change, description=UNSET) if is_there else change)


class DeletingAnExperimentKeepsItsRuns(Mutant, breaks="CHG.8"):
    def change_experiment(self, experiment_id: str, change: ExperimentChange) -> None:
        super().change_experiment(experiment_id, change)
        for entry in self.database.runs.values():
            if change.is_deleted and entry.run.experiment_id == experiment_id:
                entry.deleted_us = None


class MakingAnExperimentRestoresItsRuns(Mutant, breaks="CHG.8"):
    def make_experiment(self, new: NewExperiment) -> None:
        if new.id in self.database.hidden_experiments:
            for entry in self.database.runs.values():
                if entry.run.experiment_id == new.id:
                    entry.deleted_us = None
        super().make_experiment(new)


class DeletedExperimentsStayHidden(Mutant, breaks="CHG.8"):
    def insert_run(self, new: NewRun) -> bool:
        hidden = dict(self.database.hidden_experiments)
        is_made = super().insert_run(new)
        self.database.hidden_experiments |= hidden
        return is_made


class ThinningChangesTheCount(Mutant, breaks="CHG.9"):
    """Thins to a sample, and summarizes what is left."""

    def thin(self, asked: Thinning) -> Thinned:
        for run_id, entry in self.database.runs.items():
            end = entry.run.end_time
            if end is None or end.timestamp() * 1e6 >= asked.ended_before_us:
                continue
            for key, series in entry.series.items():
                whole = self.read_history(run_id, key, StepRange())
                kept = set(sample(whole, 100).steps) if whole is not None else set()
                series.points = {step: point for step, point in series.points.items() if step in kept}
                series.summary = None
        return Thinned(series=0, points=1_000_000)


class ThinningKeepsTheMeanOfEachPiece(Mutant, breaks="CHG.9"):
    """Thins to every tenth point, and loses extremes."""

    def thin(self, asked: Thinning) -> Thinned:
        for entry in self.database.runs.values():
            end = entry.run.end_time
            if end is None or end.timestamp() * 1e6 >= asked.ended_before_us:
                continue
            summaries = self._summaries(entry)
            for key, series in entry.series.items():
                series.points = {step: point for step, point in series.points.items() if step % 10 == 0}
                series.summary = summaries[key]
        return Thinned(series=0, points=1_000_000)


class RunsThatEndLaterAreThinnedToo(Mutant, breaks="CHG.9"):
    def thin(self, asked: Thinning) -> Thinned:  # noqa: ARG002 - the moment is what it does not look at
        for entry in self.database.runs.values():
            summaries = self._summaries(entry)
            for key, series in entry.series.items():
                ends = [min(series.points), max(series.points)]
                series.points = {step: series.points[step] for step in ends}
                series.summary = summaries[key]
        return Thinned(series=0, points=1_000_000)


class DryRunsRemove(Mutant, breaks="CHG.10"):
    def sweep(self, asked: Sweep) -> Garbage:
        return replace(super().sweep(replace(asked, dry_run=False)), is_dry_run=asked.dry_run)


class DryRunsCountBytesOfDeletedRunsAsKept(Mutant, breaks="CHG.10"):
    def sweep(self, asked: Sweep) -> Garbage:
        return replace(super().sweep(asked), files=0) if asked.dry_run else super().sweep(asked)


class YoungBytesAreTaken(Mutant, breaks="CHG.10"):
    def sweep(self, asked: Sweep) -> Garbage:
        return super().sweep(replace(asked, kept_before_us=2**62))


class BytesThatAreKeptAgainStayOld(Mutant, breaks="CHG.10"):
    """Does not note that bytes it keeps already were needed once more, so that they are removed before their record is written."""

    @property
    def blobs(self) -> Blobs:
        kept = self.database.blobs._bytes  # noqa: SLF001 - behind its back
        before = dict(kept)
        return _StayOld(super().blobs, kept, before)


class _StayOld:
    def __init__(self, blobs: Any, kept: dict[str, tuple[bytes, int]], before: dict[str, tuple[bytes, int]]) -> None:
        self._blobs, self._kept, self._before = blobs, kept, before

    def put(self, path: Any) -> Any:
        found = self._blobs.put(path)
        if found.sha256 in self._before:
            self._kept[found.sha256] = self._before[found.sha256]
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blobs, name)


class DeletedRunsNameNoBytes(Mutant, breaks="CHG.10"):
    """Removes the bytes of runs that can still be restored."""

    def sweep(self, asked: Sweep) -> Garbage:
        deleted = {run_id: entry for run_id, entry in self.database.runs.items() if entry.deleted_us is not None}
        artifacts = {run_id: entry.artifacts for run_id, entry in deleted.items()}
        for entry in deleted.values():
            entry.artifacts = {}
        found = super().sweep(asked)
        for run_id, entry in deleted.items():
            entry.artifacts = artifacts[run_id]
        return found


class ThirtyDaysAreADay(Mutant, breaks="CHG.10"):
    def sweep(self, asked: Sweep) -> Garbage:
        return super().sweep(replace(asked, deleted_before_us=asked.deleted_before_us + 31 * 86_400_000_000))


class ArchivingAgainTakesANewTime(Mutant, breaks="CHG.11"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        if change.is_archived is True:
            super().change_run(run_id, replace(change, is_archived=False))
        super().change_run(run_id, change)


class TheFirstChangeStands(Mutant, breaks="CHG.11"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        run = self.find_run(run_id)
        if run is not None and run.note is not None:
            change = replace(change, note=UNSET)
        super().change_run(run_id, change)


class TagsAreWrittenAsTheyWereRead(Mutant, breaks="CHG.11"):
    """Reads the tags, thinks, and writes them back: of two at once one is lost."""

    def change_run(self, run_id: str, change: RunChange) -> None:
        run = self.find_run(run_id)
        if run is None or not (change.new_tags or change.gone_tags):
            super().change_run(run_id, change)
            return
        changed = change.over(run)
        time.sleep(0.005)
        self._entry(run_id).run = replace(self._entry(run_id).run, tags=changed.tags)


class LateChangesStand(Mutant, breaks="CHG.11"):
    """Takes what comes late for a change of now."""

    def change_run(self, run_id: str, change: RunChange) -> None:
        super().change_run(run_id, replace(change, is_late=False))


class LateRestorationsStand(Mutant, breaks="CHG.11"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        super().change_run(run_id, replace(change, is_late=change.is_late and change.is_deleted is not False))


class RemovedTagsAreForgotten(Mutant, breaks="CHG.11"):
    """Remembers when the tags were set that a run has, and not when others were removed."""

    def change_run(self, run_id: str, change: RunChange) -> None:
        changed = None if self.presence_of(run_id) is None else self._entry(run_id).changed
        super().change_run(run_id, change)
        if change.gone_tags:
            self._entry(run_id).changed = changed


class ClocksDecide(Mutant, breaks="CHG.11"):
    """Leaves out a change of now, too, if its time is older than that of the one before."""

    def change_run(self, run_id: str, change: RunChange) -> None:
        super().change_run(run_id, replace(change, is_late=True))


class LateDescriptionsStand(Mutant, breaks="CHG.11"):
    def change_experiment(self, experiment_id: str, change: ExperimentChange) -> None:
        super().change_experiment(experiment_id, replace(change, is_late=change.is_late and change.is_deleted))


class LateDeletionsTakeAll(Mutant, breaks="CHG.8"):
    def change_experiment(self, experiment_id: str, change: ExperimentChange) -> None:
        super().change_experiment(experiment_id, replace(change, is_late=change.is_late and not change.is_deleted))


class LateCallsMakeExperimentsAgain(Mutant, breaks="CHG.8"):
    def make_experiment(self, new: NewExperiment) -> None:
        super().make_experiment(replace(new, late_us=None))
