"""The changes: what each receives is checked here, once, and handed on in canonical form."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import final

from runstore.backend.changes import ExperimentChange, RunChange, Sweep, Thinning
from runstore.local.clock import now_us
from runstore.model import Garbage, Thinned
from runstore.values.checks import check_name, check_run_id


class Edits(ABC):
    """The methods of :class:`runstore.protocol.RunEditor`, final, over operations on checked values."""

    @final
    def rename_run(self, run_id: str, name: str | None) -> None:
        self.change_run(check_run_id(run_id), RunChange.of_name(name))

    @final
    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        self.change_run(check_run_id(run_id), RunChange.of_new_tags(tags))

    @final
    def remove_tags(self, run_id: str, keys: Iterable[str]) -> None:
        self.change_run(check_run_id(run_id), RunChange.of_gone_tags(keys))

    @final
    def set_note(self, run_id: str, note: str | None) -> None:
        self.change_run(check_run_id(run_id), RunChange.of_note(note))

    @final
    def archive_run(self, run_id: str) -> None:
        self.change_run(check_run_id(run_id), RunChange(at_us=now_us(), is_archived=True))

    @final
    def unarchive_run(self, run_id: str) -> None:
        self.change_run(check_run_id(run_id), RunChange(at_us=now_us(), is_archived=False))

    @final
    def delete_run(self, run_id: str) -> None:
        self.change_run(check_run_id(run_id), RunChange(at_us=now_us(), is_deleted=True))

    @final
    def restore_run(self, run_id: str) -> None:
        self.change_run(check_run_id(run_id), RunChange(at_us=now_us(), is_deleted=False))

    @final
    def describe_experiment(self, experiment_id: str, description: str | None) -> None:
        experiment_id = check_name(experiment_id, "experiment_id")
        self.change_experiment(experiment_id, ExperimentChange.of_description(description))

    @final
    def delete_experiment(self, experiment_id: str) -> None:
        experiment_id = check_name(experiment_id, "experiment_id")
        self.change_experiment(experiment_id, ExperimentChange(at_us=now_us(), is_deleted=True))

    @final
    def thin_histories(self, *, ended_before: datetime) -> Thinned:
        return self.thin(Thinning.checked(ended_before))

    @final
    def collect_garbage(
        self, *, deleted_before: datetime | None = None, owns_artifacts: bool | None = None, dry_run: bool = True
    ) -> Garbage:
        return self.sweep(Sweep.checked(deleted_before, owns_artifacts=owns_artifacts, dry_run=dry_run))

    # --- operations ---------------------------------------------------------------------------------------------

    @abstractmethod
    def change_run(self, run_id: str, change: RunChange) -> None:
        """Changes a run, whole or not at all. It is no heartbeat. To restore a run is to show its experiment again.

        Raises:
            RunNotFoundError: no such run.
            RunDeletedError: as :meth:`runstore.backend.RunChange.check_presence` says.
            InvalidValueError: the tags together go over the bound.
        """

    @abstractmethod
    def change_experiment(self, experiment_id: str, change: ExperimentChange) -> None:
        """Changes an experiment. Deleting one that is deleted already changes nothing.

        Raises:
            ExperimentNotFoundError: no such experiment, or it was deleted and takes no other change.
        """

    @abstractmethod
    def thin(self, asked: Thinning) -> Thinned:
        """Leaves of each history what its roll-ups show, piece by piece; summaries stay as they are.

        A backend that makes summaries of its points may leave them all. What was thinned takes no more points (CHG.13).
        """

    @abstractmethod
    def sweep(self, asked: Sweep) -> Garbage:
        """Purges deleted runs past their time and removes bytes that no record names, piece by piece.

        Other writers go on meanwhile. What was cut short is taken up by the next call.
        """
