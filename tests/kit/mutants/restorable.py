"""Planted bugs in the list of what can be restored (CHG.12)."""

from collections.abc import Sequence

from msgspec.structs import replace

from kit.mutants.base import Mutant
from runstore.backend import RunChange, Sweep
from runstore.model import DeletedRun, Garbage
from runstore.query import DeletedQuery


class PurgedRunsAreListed(Mutant, breaks="CHG.12"):
    """Lists a run that cannot be restored."""

    gone: Sequence[DeletedRun] = ()

    def sweep(self, asked: Sweep) -> Garbage:
        before = super().read_deleted(DeletedQuery(limit=1000))
        found = super().sweep(asked)
        if not asked.dry_run:
            self.gone = before
        return found

    def read_deleted(self, asked: DeletedQuery) -> Sequence[DeletedRun]:
        return [*super().read_deleted(asked), *self.gone][: asked.limit]


class DeletedRunsOfEveryExperimentAreListed(Mutant, breaks="CHG.12"):
    def read_deleted(self, asked: DeletedQuery) -> Sequence[DeletedRun]:
        return super().read_deleted(replace(asked, experiment_id=None))


class TheFirstDeletedStandsFirst(Mutant, breaks="CHG.12"):
    def read_deleted(self, asked: DeletedQuery) -> Sequence[DeletedRun]:
        return super().read_deleted(asked)[::-1]


class RunsOfDeletedExperimentsAreNotListed(Mutant, breaks="CHG.12"):
    def read_deleted(self, asked: DeletedQuery) -> Sequence[DeletedRun]:
        found = super().read_deleted(asked)
        return [run for run in found if self.find_experiment_by_id(run.experiment_id) is not None]


class PagesOfDeletedRunsLoseThoseOfOneMoment(Mutant, breaks="CHG.12"):
    """Goes on behind the moment of the last run, whatever others were deleted then."""

    def read_deleted(self, asked: DeletedQuery) -> Sequence[DeletedRun]:
        after = asked.after and (asked.after[0] - 1, "")
        return super().read_deleted(replace(asked, after=after))


class DeletingAgainTakesANewTime(Mutant, breaks="CHG.12"):
    def change_run(self, run_id: str, change: RunChange) -> None:
        entry = self.database.runs.get(run_id)
        if change.is_deleted and entry is not None:
            entry.deleted_us = None
        super().change_run(run_id, change)
