"""A store on a MongoDB database: opening, closing, and the operations that write.

Whatever one document can hold together changes by one update of it, which is atomic on every server: a run with its
config, its summaries and the points of a call. Where a verb touches several documents (a folder of artifacts, the series
of a run that has very many) it does so in one transaction on a replica set; a standalone server has none, and there a
call that was cut off leaves whole documents, and the same call again completes them.
"""

import logging
import os
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from bson import encode
from bson.int64 import Int64
from pymongo import ReplaceOne
from pymongo.errors import PyMongoError

from runstore.artifacts import Blobs, blobs_at
from runstore.backend import NewExperiment, NewRun, PlacedRun, RunEnd, check_kept, check_parent
from runstore.errors import ExperimentNotFoundError, InvalidValueError
from runstore.local.clock import now_us
from runstore.model import TERMINAL_STATUSES, Artifact, RunStatus
from runstore.series import SeriesColumns
from runstore.values import EMPTY_CONFIG, ConfigDocument
from runstore_mongo.blobs import GridFSBlobs
from runstore_mongo.connection import ConflictingWriteError, Connection, Session, is_duplicate
from runstore_mongo.documents.names import ARTIFACTS, EXPERIMENTS, RUNS, Document
from runstore_mongo.documents.records import (
    artifact_document,
    empty_fields,
    experiment_document,
    failure_fields,
    leaf_document,
    placed_fields,
    presence_of,
    run_fields,
)
from runstore_mongo.documents.stages import heartbeat_stage, lease_stage, new_run_stage, reopen_stage
from runstore_mongo.editing import MongoEdits
from runstore_mongo.points import PointWriter, roll_up_stored
from runstore_mongo.schema import has_stored_to_roll_up, open_schema, tell_rolled_up

_log = logging.getLogger(__name__)

PLAIN: Final = "RUNSTORE_MONGO_PLAIN"
"""The environment's variable that has summaries read in the plain way, each document decoded: to look for a fault."""

_HEARTBEAT_EVERY_S: Final = 0.1
"""Calls on one run that follow each other faster than this share one heartbeat, and one look whether it exists."""

_MOST_REMEMBERED: Final = 1_000

_MOST_RUN_BYTES: Final = 15 * 2**20
"""What a run with its config and the index over it may take of the 16 MiB of a document."""

_TERMINAL: Final = sorted(str(status) for status in TERMINAL_STATUSES)


class MongoStore(MongoEdits):
    """A handle on one database."""

    def __init__(self, url: str, *, artifacts: str | None = None, read_only: bool = False) -> None:
        """Opens the database and, unless ``read_only``, makes its schema where there is none.

        Args:
            url: ``mongodb://…/database`` or ``mongodb+srv://…/database``.
            artifacts: where artifact bytes lie: a directory or any fsspec URL; GridFS in the same database by default.
            read_only: create nothing.
        """
        self._arguments = (url, artifacts, read_only)
        self._connection = Connection(url)
        self._blobs: Blobs = blobs_at(artifacts) if artifacts else GridFSBlobs(self._connection)
        self._is_place_named = bool(artifacts)
        self._points = PointWriter(self._connection)
        self._is_plain = bool(os.environ.get(PLAIN))
        self._heartbeats: dict[str, float] = {}
        self._without_config: set[str] = set()
        self._experiments: set[str] = set()  # that are there: one that was deleted is only hidden
        try:
            open_schema(self._connection, read_only=read_only)
            weak = None if read_only else self._connection.call("open the store", self._connection.weak_concern)
            if weak is not None:
                _log.warning("%s", weak)
            if not read_only and self._connection.call(
                "open the store", lambda: has_stored_to_roll_up(self._connection)
            ):
                threading.Thread(target=self._roll_up_stored, name="runstore-rollups", daemon=True).start()
        except BaseException:
            self._connection.close()
            raise

    def _roll_up_stored(self) -> None:
        """Rolls up what an older release wrote; cut short, it goes on when the store is opened again."""
        try:
            roll_up_stored(self._connection)
            self._connection.call("roll up", lambda: tell_rolled_up(self._connection))
        except Exception as error:  # noqa: BLE001 - the store was closed, the server is away: charts read the points
            _log.info("the roll-ups of %s are not complete yet: %s", self._connection.shown, error)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as what it was opened with: the copy connects by itself (OPEN.5)."""
        return _reopened, self._arguments

    def __repr__(self) -> str:
        """The class and the URL without its secrets."""
        return f"{type(self).__name__}({self._connection.shown!r})"

    def close(self) -> None:
        self._connection.close()

    # --- experiments and runs -----------------------------------------------------------------------------------

    def make_experiment(self, new: NewExperiment) -> None:
        self._connection.call("make an experiment", lambda: self._make_experiment(new))
        self._remember_experiment(new.id)

    def _make_experiment(self, new: NewExperiment) -> None:
        experiments = self._connection.collection(EXPERIMENTS)
        known = experiments.find_one({"_id": new.id})
        if known is None:
            try:
                experiments.insert_one(experiment_document(new, now_us=now_us()))
            except PyMongoError as error:
                if is_duplicate(error):
                    raise ConflictingWriteError from error
                raise
            return
        if known["description"] is None and new.describes(known.get("described_at")):
            change = {"$set": {"description": new.description}}
            experiments.update_one({"_id": new.id, "description": None}, change)
        if known.get("deleted_at") is not None and new.shows(known["deleted_at"]):
            self._show_experiment(new.id)

    def insert_run(self, new: NewRun) -> bool:
        fields = run_fields(new, now_us=now_us())
        if not self._connection.call("make a run", lambda: self._insert_run(new, fields)):
            return False
        # What this handle made it need not read before it writes to it; should another have been faster, its guard fails.
        self._points.begin_run(new.id)
        if len(self._without_config) > _MOST_REMEMBERED:
            self._without_config.clear()
        self._without_config.add(new.id)
        self._remember_heartbeat(new.id)
        return True

    def _insert_run(self, new: NewRun, fields: Document) -> bool:
        """Makes a run, and shows its experiment *afterwards*: see :meth:`MongoEdits._delete_experiment`."""
        experiment_id = new.require_experiment()
        if experiment_id not in self._experiments:
            if self._find(EXPERIMENTS, {"_id": experiment_id}, {"_id": 1}) is None:
                raise ExperimentNotFoundError.of(experiment_id)
            self._remember_experiment(experiment_id)
        if new.parent_run_id is not None:
            check_parent(new.parent_run_id, self.presence_of(new.parent_run_id))
        is_new = True
        try:
            # Matches no stored run, so that it inserts one or fails by its id; a plain insert has no server's clock.
            self._connection.collection(RUNS).update_one(
                {"_id": new.id, "experiment_id": {"$exists": False}}, [new_run_stage(fields)], upsert=True
            )
        except PyMongoError as error:
            if not is_duplicate(error):
                raise
            is_new = not new.is_named  # then our own insert, whose answer was lost: nobody else has this id
        self._show_experiment_of(new.id, experiment_id)
        return is_new

    def place_run(self, placed: PlacedRun) -> None:
        if self._connection.call("place a run", lambda: self._place_run(placed)):
            self._points.begin_run(placed.id)
        self._heartbeats.pop(placed.id, None)
        if placed.status.is_final:
            self._points.end_run(placed.id)

    def _place_run(self, placed: PlacedRun) -> bool:
        """Places a run; whether it was made."""
        runs = self._connection.collection(RUNS)
        fields = dict.fromkeys(("experiment_id", "attempt", "deleted_at", "purged_at"), 1)
        known = runs.find_one({"_id": placed.id}, fields)
        placed.check_presence(presence_of(known))
        if placed.parent_run_id is not None:
            check_parent(placed.parent_run_id, self.presence_of(placed.parent_run_id))
        if known is not None:
            placed.check_found(known["experiment_id"], int(known["attempt"]))
            guards = {name: known.get(name) for name in ("_id", "attempt", "deleted_at")} | {"purged_at": None}
            if not runs.update_one(guards, {"$set": placed_fields(placed)}).matched_count:
                raise ConflictingWriteError
            return False
        if self._find(EXPERIMENTS, {"_id": placed.experiment_id}, {"_id": 1}) is None:
            raise ExperimentNotFoundError.of(placed.experiment_id)
        try:
            runs.insert_one({"_id": placed.id, **placed_fields(placed), **empty_fields()})
        except PyMongoError as error:
            if is_duplicate(error):
                raise ConflictingWriteError from error
            raise
        self._show_experiment_of(placed.id, placed.experiment_id)
        return True

    def _remember_experiment(self, experiment_id: str) -> None:
        if len(self._experiments) > _MOST_REMEMBERED:
            self._experiments.clear()
        self._experiments.add(experiment_id)

    def reopen_run(self, run_id: str) -> None:
        runs = self._connection.collection(RUNS)
        scope = {"_id": run_id, "status": {"$in": _TERMINAL}, "purged_at": None}
        self._connection.call("reopen a run", lambda: runs.update_one(scope, [reopen_stage()]))

    def end_run(self, run_id: str, end: RunEnd) -> None:
        self._connection.call("finalize a run", lambda: self._end_run(run_id, end))
        self._points.end_run(run_id)

    def _end_run(self, run_id: str, end: RunEnd) -> None:
        runs = self._connection.collection(RUNS)
        known = runs.find_one({"_id": run_id, "purged_at": None}, {"status": 1, "start_time": 1})
        if known is None:
            raise self._missing(run_id)
        if end.is_reached(run_id, known["status"]):
            return
        fields = {
            "status": str(end.status),
            "end_time": Int64(end.moment(start_us=int(known["start_time"]), now_us=now_us())),
            "failure": failure_fields(end.failure),
        }
        result = runs.update_one({"_id": run_id, "status": str(RunStatus.IN_PROGRESS)}, {"$set": fields})
        if not result.matched_count:
            raise ConflictingWriteError

    def beat(self, run_id: str, lease_s: float) -> None:
        runs = self._connection.collection(RUNS)
        result = self._connection.call(
            "mark a run as alive",
            lambda: runs.update_one({"_id": run_id, "purged_at": None}, [lease_stage(lease_s)]),
        )
        if not result.matched_count:
            raise self._missing(run_id)
        self._heartbeats.pop(run_id, None)  # the lease may be shorter than what the next write would share

    # --- what runs hold -----------------------------------------------------------------------------------------

    def append(self, run_id: str, series: SeriesColumns) -> None:
        if not series:
            self._keep_alive(run_id)
            return
        is_due = self._is_heartbeat_due(run_id)
        self._points.write(run_id, series, is_heartbeat=is_due)
        if is_due:
            self._remember_heartbeat(run_id)

    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        self._connection.call("log config", lambda: self._merge_config(run_id, config))

    def _merge_config(self, run_id: str, config: ConfigDocument) -> None:
        runs = self._connection.collection(RUNS)
        known: Document | None = {"config_document": EMPTY_CONFIG, "config_version": 0}
        if run_id in self._without_config:  # this handle made it
            self._without_config.discard(run_id)
        else:
            known = runs.find_one({"_id": run_id, "purged_at": None}, {"config_document": 1, "config_version": 1})
        if known is None:
            raise self._missing(run_id)
        merged = config.merged_over(ConfigDocument(known["config_document"]))
        fields: Document = {}
        if merged.text != known["config_document"]:
            leaves = [leaf_document(leaf) for leaf in merged.leaves]
            _check_run_size(merged.text, leaves)
            fields = {
                "config_document": {"$literal": merged.text},
                "config": {"$literal": leaves},
                "config_version": known["config_version"] + 1,
            }
        guards = {"_id": run_id, "config_version": known["config_version"], "purged_at": None}
        if not runs.update_one(guards, [heartbeat_stage(fields)]).matched_count:
            raise ConflictingWriteError

    def record_artifacts(self, run_id: str, records: Sequence[Artifact]) -> None:
        documents = [artifact_document(record) for record in records]
        writes = [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents]

        def record(session: Session) -> None:
            self._connection.collection(ARTIFACTS).bulk_write(writes, session=session)

        self._keep_alive(run_id)
        self._connection.call("record an artifact", lambda: self._connection.transact(record))

    @property
    def blobs(self) -> Blobs:
        return self._blobs

    # --- heartbeats ---------------------------------------------------------------------------------------------

    def _keep_alive(self, run_id: str) -> None:
        """The heartbeat of a run that must exist."""
        if not self._is_heartbeat_due(run_id):
            check_kept(run_id, self.presence_of(run_id))  # it may have been purged since
            return
        runs = self._connection.collection(RUNS)
        result = self._connection.call(
            "look up a run", lambda: runs.update_one({"_id": run_id, "purged_at": None}, [heartbeat_stage()])
        )
        if not result.matched_count:
            raise self._missing(run_id)
        self._remember_heartbeat(run_id)

    def _is_heartbeat_due(self, run_id: str) -> bool:
        return time.monotonic() - self._heartbeats.get(run_id, float("-inf")) >= _HEARTBEAT_EVERY_S

    def _remember_heartbeat(self, run_id: str) -> None:
        if len(self._heartbeats) > _MOST_REMEMBERED:
            self._heartbeats.clear()
        self._heartbeats[run_id] = time.monotonic()


def _reopened(url: str, artifacts: str | None, read_only: bool) -> MongoStore:  # noqa: FBT001 - pickle passes by place
    return MongoStore(url, artifacts=artifacts, read_only=read_only)


def _check_run_size(text: str, leaves: list[Document]) -> None:
    size = len(text) + len(encode({"config": leaves}))
    if size > _MOST_RUN_BYTES:
        raise InvalidValueError(
            f"the run's config would take {size} bytes in MongoDB with the index that filters use; a document holds "
            f"{_MOST_RUN_BYTES}. Log large or deep tables as an artifact"
        )
