"""The changes of a store: of runs and experiments that have begun already."""

from typing import Any, Final

from bson.int64 import Int64
from msgspec import UNSET

from runstore.backend import ExperimentChange, Presence, RunChange, Sweep, Thinning
from runstore.errors import ExperimentNotFoundError
from runstore.model import Garbage, Thinned
from runstore_mongo.connection import ConflictingWriteError
from runstore_mongo.documents.names import EXPERIMENTS, RUNS, Document
from runstore_mongo.documents.records import SHOWN, presence_of, tag_documents, tags_of
from runstore_mongo.points import thin_runs
from runstore_mongo.reading import MongoReads
from runstore_mongo.sweeping import Purge, named_files

_CHANGED: Final[Document] = dict.fromkeys(
    ("tags", "experiment_id", "archived_at", "deleted_at", "purged_at", "changed"), 1
)
"""What the outcome of a change depends on."""


class MongoEdits(MongoReads):
    """Changing, over a connection."""

    _is_place_named: bool

    def change_run(self, run_id: str, change: RunChange) -> None:
        self._connection.call("change a run", lambda: self._change_run(run_id, change))

    def _change_run(self, run_id: str, change: RunChange) -> None:
        runs = self._connection.collection(RUNS)
        known = runs.find_one({"_id": run_id}, _CHANGED)
        presence = presence_of(known)
        change.check_presence(run_id, presence)
        if known is None or presence is Presence.PURGED:
            return
        deleted_at = known.get("deleted_at")
        change, changed = change.standing(
            known.get("changed"), deleted_us=None if deleted_at is None else int(deleted_at)
        )
        if change.is_deleted is False:
            self._show_experiment(known["experiment_id"])
        fields = {**_fields_after(change, known), "changed": changed}
        guards = {name: known.get(name) for name in ("_id", "deleted_at", "changed")} | {"purged_at": None}
        if "tags" in fields:
            guards["tags"] = known["tags"]
        if not runs.update_one(guards, {"$set": fields}).matched_count:
            raise ConflictingWriteError
        if change.is_deleted is False:
            self._show_experiment_of(run_id, known["experiment_id"])

    def change_experiment(self, experiment_id: str, change: ExperimentChange) -> None:
        self._connection.call("change an experiment", lambda: self._change_experiment(experiment_id, change))

    def _change_experiment(self, experiment_id: str, change: ExperimentChange) -> None:
        experiments = self._connection.collection(EXPERIMENTS)
        scope = {"_id": experiment_id, **SHOWN}
        known = experiments.find_one({"_id": experiment_id}, {"deleted_at": 1, "described_at": 1})
        is_hidden = known is not None and known.get("deleted_at") is not None
        if known is None or (is_hidden and not change.is_deleted):
            raise ExperimentNotFoundError.of(experiment_id)
        described_at = known.get("described_at")
        change, described_us = change.standing(described_at)
        if change.description is not UNSET and not is_hidden:
            fields = {"description": change.description, "described_at": _time(described_us)}
            if not experiments.update_one({**scope, "described_at": described_at}, {"$set": fields}).matched_count:
                raise ConflictingWriteError
        if change.is_deleted and change.is_late:
            self._delete_experiment_late(experiment_id, change)
        elif change.is_deleted:
            self._delete_experiment(experiment_id, change.at_us)

    def _delete_experiment(self, experiment_id: str, at_us: int) -> None:
        """Deletes an experiment with its runs, also those that begin or are restored meanwhile.

        A standalone server has no transaction for it. So whoever shows a run looks at the experiment *after* that, and shows
        it; and whoever hides the experiment deletes its runs after that, too. Whichever comes later sees the other.
        """
        experiments, runs = self._connection.collection(EXPERIMENTS), self._connection.collection(RUNS)
        deletion = {"$set": {"deleted_at": Int64(at_us)}}
        # The runs first: should this be cut short, nearly always the experiment is shown still, and it is done again.
        runs.update_many({"experiment_id": experiment_id, **SHOWN}, deletion)
        experiments.update_one({"_id": experiment_id, **SHOWN}, deletion)
        runs.update_many({"experiment_id": experiment_id, **SHOWN}, deletion)
        if self._find(EXPERIMENTS, {"_id": experiment_id, **SHOWN}, {"_id": 1}) is not None:
            raise ConflictingWriteError  # a run came in between, and may be deleted now: the experiment goes with it

    def _delete_experiment_late(self, experiment_id: str, change: ExperimentChange) -> None:
        """Deletes what began before the deletion was asked for, and hides the experiment if no run is left that is shown."""
        experiments, runs = self._connection.collection(EXPERIMENTS), self._connection.collection(RUNS)
        of_experiment = {"experiment_id": experiment_id, **SHOWN}
        for run in list(runs.find(of_experiment, {"start_time": 1})):
            deletion = change.deletion_of(int(run["start_time"]))
            if deletion is not None:
                self._change_run(run["_id"], deletion)
        if runs.find_one(of_experiment, {"_id": 1}) is None:
            experiments.update_one({"_id": experiment_id, **SHOWN}, {"$set": {"deleted_at": Int64(change.at_us)}})
            if runs.find_one(of_experiment, {"_id": 1}) is not None:  # it came in between
                self._show_experiment(experiment_id)

    def thin(self, asked: Thinning) -> Thinned:
        return thin_runs(self._connection, ended_before_us=asked.ended_before_us)

    def sweep(self, asked: Sweep) -> Garbage:
        purge = Purge(self._connection, deleted_before_us=asked.deleted_before_us)
        due = purge.runs()
        points = purge.count_points(due)
        runs = len(due) if asked.dry_run else purge.remove(due)
        files, size = 0, 0
        if asked.collects_files(is_place_named=self._is_place_named):
            named = named_files(self._connection, deleted_before_us=asked.deleted_before_us)
            files, size = asked.collect(self.blobs, named, is_place_named=self._is_place_named)
        return Garbage(runs=runs, points=points, files=files, bytes=size, is_dry_run=asked.dry_run)

    def _show_experiment(self, experiment_id: str) -> None:
        """Shows an experiment again, if it was deleted."""
        scope = {"_id": experiment_id, "deleted_at": {"$ne": None}}
        self._connection.collection(EXPERIMENTS).update_one(scope, {"$set": {"deleted_at": None}})

    def _show_experiment_of(self, run_id: str, experiment_id: str) -> None:
        """Shows the experiment of a run that has begun or come back, if it is hidden and the run is not."""
        hidden = {"_id": experiment_id, "deleted_at": {"$ne": None}}
        if self._find(EXPERIMENTS, hidden, {"_id": 1}) is not None and self.has_run(run_id):
            self._show_experiment(experiment_id)


def _fields_after(change: RunChange, known: Document) -> Document:
    """The fields of a run that a change sets."""
    fields: Document = {}
    if change.name is not UNSET:
        fields["name"] = change.name
    if change.note is not UNSET:
        fields["note"] = change.note
    if change.new_tags or change.gone_tags:
        fields["tags"] = tag_documents(change.tags_over(tags_of(known)))
    if change.is_archived is not UNSET:
        fields["archived_at"] = _time(change.archived_us_over(known.get("archived_at")))
    if change.is_deleted is not UNSET:
        fields["deleted_at"] = _time(change.deleted_us_over(known.get("deleted_at")))
    return fields


def _time(moment_us: Any) -> Int64 | None:
    return None if moment_us is None else Int64(moment_us)
