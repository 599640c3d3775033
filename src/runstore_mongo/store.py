"""The writing half of the store: the six verbs and the heartbeat.

Whatever one document can hold together changes by one update of it, which is atomic on every server: a run with its
config, its summaries and the points of a call. Where a verb touches several documents (a folder of artifacts, the series
of a run that has very many) it does so in one transaction on a replica set; a standalone server has none, and there a
call that was cut off leaves whole documents, and the same call again completes them.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from os import PathLike
from types import TracebackType
from typing import Any, Final

from bson import encode
from bson.int64 import Int64
from pymongo import ReplaceOne
from pymongo.errors import PyMongoError

from runstore.artifacts.requests import check_artifact, records_of
from runstore.backend.begun import BegunRuns
from runstore.errors import (
    ExperimentNotFoundError,
    InvalidValueError,
    ReadOnlyError,
    RunFinalizedError,
    RunNotFoundError,
)
from runstore.model import TERMINAL_STATUSES, Artifact, MetricPoint, RunFailure, RunStatus, from_microseconds
from runstore.protocol import DEFAULT_LEASE_S
from runstore.series.batches import batches_of
from runstore.values import births, checks
from runstore.values.config import check_config, decode_config, encode_config, flatten_config, merge_config
from runstore.values.ids import experiment_id_of, new_run_id
from runstore_mongo.connection import ConflictingWriteError, Document, Session, is_duplicate
from runstore_mongo.documents import (
    ARTIFACTS,
    EXPERIMENTS,
    NOW_US,
    RUNS,
    artifact_document,
    artifact_key,
    beaten,
    born,
    leaf_document,
    touched,
)
from runstore_mongo.ingest import Ingest
from runstore_mongo.reader import MongoReader

_TOUCH_EVERY_S: Final = 0.1
"""Calls on one run that follow each other faster than this share one sign of life, and one look whether it exists."""

_MOST_REMEMBERED: Final = 1_000

_MOST_RUN_BYTES: Final = 15 * 2**20
"""What a run with its config and the index over it may take of the 16 MiB of a document."""

_TERMINAL: Final = sorted(str(status) for status in TERMINAL_STATUSES)


class MongoStore(MongoReader):
    """A handle on one database; see :class:`runstore.protocol.BackendStore` for every method."""

    def __init__(self, url: str, *, artifacts: str | None = None, read_only: bool = False) -> None:
        """As :class:`MongoReader`; with ``read_only`` the verbs refuse."""
        super().__init__(url, artifacts=artifacts, read_only=read_only)
        self._is_read_only = read_only
        self._ingest = Ingest(self._connection)
        self._begun = BegunRuns()
        self._touched_at: dict[str, float] = {}
        self._without_config: set[str] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as what it was opened with: the copy connects by itself (OPEN.5)."""
        return _reopened, self._arguments

    # --- the six verbs ------------------------------------------------------------------------------------------

    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        """See :meth:`runstore.protocol.RunStore.get_or_create_experiment`."""
        checks.check_name(name, "experiment name")
        checks.check_optional_text(description, "description")
        self._check_writable()
        experiment_id = experiment_id_of(name)
        self._connection.call("make an experiment", lambda: self._make_experiment(experiment_id, name, description))
        return experiment_id

    def _make_experiment(self, experiment_id: str, name: str, description: str | None) -> None:
        experiments = self._connection.collection(EXPERIMENTS)
        known = experiments.find_one({"_id": experiment_id})
        if known is None:
            birth = {"_id": experiment_id, "name": name, "description": description, "created_at": Int64(_now_us())}
            try:
                experiments.insert_one(birth)
            except PyMongoError as error:
                if is_duplicate(error):
                    raise ConflictingWriteError from error
                raise
        elif known["description"] is None and description is not None:
            experiments.update_one({"_id": experiment_id, "description": None}, {"$set": {"description": description}})

    def ensure_run(  # noqa: PLR0913 - the protocol's signature
        self,
        experiment_id: str | None = None,
        *,
        run_id: str | None = None,
        training_mode: str = "centralized",
        parent_run_id: str | None = None,
        client_id: str | None = None,
        name: str | None = None,
        source_path: str | None = None,
        tags: Mapping[str, str] | None = None,
        provenance: Mapping[str, Any] | None = None,
        start_time: datetime | None = None,
        resume: bool = False,
    ) -> str:
        """See :meth:`runstore.protocol.RunStore.ensure_run`."""
        birth = births.check_birth(
            experiment_id=experiment_id,
            run_id=run_id,
            training_mode=training_mode,
            parent_run_id=parent_run_id,
            client_id=client_id,
            name=name,
            source_path=source_path,
            tags=tags,
            start_time=start_time,
        )
        origin = encode_config(check_config(provenance or {}, "provenance"))
        self._check_writable()
        if birth.run_id is None:
            birth = birth._replace(run_id=new_run_id())
        start_us = _now_us() if birth.start_us is None else birth.start_us

        def ensure() -> str:
            is_found = run_id is not None and self._reuse(birth, resume=resume)
            if not is_found:
                self._create(birth, origin, start_us=start_us, was_named=run_id is not None)
            if resume or not is_found:
                self._begun.add(str(birth.run_id))
            return str(birth.run_id)

        return self._connection.call("ensure a run", ensure)

    def _reuse(self, birth: births.Birth, *, resume: bool) -> bool:
        """Whether the run exists; reopens it if that is asked for and it has ended."""
        runs = self._connection.collection(RUNS)
        known = runs.find_one({"_id": birth.run_id}, {"experiment_id": 1, "status": 1})
        if known is None:
            return False
        births.check_same_experiment(birth, known["experiment_id"])
        if resume and known["status"] in TERMINAL_STATUSES:
            reopened = {
                "status": str(RunStatus.IN_PROGRESS),
                "end_time": None,
                "failure": None,
                "attempt": {"$add": ["$attempt", 1]},
                "heartbeat_at": NOW_US,
                "expires_at": {"$add": [NOW_US, {"$subtract": ["$expires_at", "$heartbeat_at"]}]},
            }
            runs.update_one({"_id": birth.run_id, "status": {"$in": _TERMINAL}}, [{"$set": reopened}])
        return True

    def _create(self, birth: births.Birth, provenance: str, *, start_us: int, was_named: bool) -> None:
        wanted = births.require_experiment(birth if was_named else birth._replace(run_id=None))
        if self._find_id(EXPERIMENTS, wanted) is None:
            raise ExperimentNotFoundError.of(wanted)
        if birth.parent_run_id is not None and self._find_id(RUNS, birth.parent_run_id) is None:
            raise RunNotFoundError.of(birth.parent_run_id, role="parent run")
        fields: Document = {
            "experiment_id": wanted,
            "name": birth.name,
            "status": str(RunStatus.IN_PROGRESS),
            "training_mode": birth.training_mode,
            "parent_run_id": birth.parent_run_id,
            "client_id": birth.client_id,
            "attempt": 1,
            "start_time": Int64(start_us),
            "end_time": None,
            "failure": None,
            "source_path": birth.source_path,
            "tags": [{"k": key, "v": value} for key, value in birth.tags.items()],
            "provenance": provenance,
            "config_version": 0,
            "config_document": "{}",
            "config": [],
            "metrics": {},
            "pending": [],
            "has_more_series": False,
        }
        try:
            # Matches no stored run, so that it inserts one or fails by its id; a plain insert has no server's clock.
            self._connection.collection(RUNS).update_one(
                {"_id": birth.run_id, "experiment_id": {"$exists": False}},
                [born(fields, lease_s=DEFAULT_LEASE_S)],
                upsert=True,
            )
        except PyMongoError as error:
            if is_duplicate(error):
                if was_named:
                    raise ConflictingWriteError from error
                return  # our own insert, whose answer was lost: nobody else has this id
            raise
        # What this handle made it need not read before it writes to it; should another have been faster, its guard fails.
        self._ingest.begin_run(str(birth.run_id))
        if len(self._without_config) > _MOST_REMEMBERED:
            self._without_config.clear()
        self._without_config.add(str(birth.run_id))
        self._remember_touch(str(birth.run_id))

    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        """See :meth:`runstore.protocol.RunStore.log_metrics`."""
        checks.check_run_id(run_id)
        batches = batches_of(points, now_us=_now_us())
        self._check_writable()
        if not batches:
            self._touch(run_id)
            return
        is_due = self._is_touch_due(run_id)
        self._ingest.write(run_id, batches, is_sign_of_life=is_due)
        if is_due:
            self._remember_touch(run_id)

    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        """See :meth:`runstore.protocol.RunStore.log_config`."""
        checks.check_run_id(run_id)
        new = check_config(config)
        self._check_writable()
        self._connection.call("log config", lambda: self._merge_config(run_id, new))

    def _merge_config(self, run_id: str, new: Mapping[str, Any]) -> None:
        runs = self._connection.collection(RUNS)
        known: Document | None = {"config_document": "{}", "config_version": 0}
        if run_id in self._without_config:  # this handle made it
            self._without_config.discard(run_id)
        else:
            known = runs.find_one({"_id": run_id}, {"config_document": 1, "config_version": 1})
        if known is None:
            raise RunNotFoundError.of(run_id)
        merged = merge_config(decode_config(known["config_document"]), new)
        text = encode_config(merged)
        fields: Document = {}
        if text != known["config_document"]:
            leaves = [leaf_document(leaf) for leaf in flatten_config(merged)]
            _check_run_size(text, leaves)
            fields = {
                "config_document": {"$literal": text},
                "config": {"$literal": leaves},
                "config_version": known["config_version"] + 1,
            }
        result = runs.update_one({"_id": run_id, "config_version": known["config_version"]}, [touched(fields)])
        if not result.matched_count:
            raise ConflictingWriteError

    def log_artifact(  # noqa: PLR0913 - the protocol's signature
        self,
        run_id: str,
        path: str | PathLike[str],
        *,
        name: str | None = None,
        artifact_type: str = "file",
        copy: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """See :meth:`runstore.protocol.RunStore.log_artifact`."""
        checks.check_run_id(run_id)
        request = check_artifact(path, name=name, artifact_type=artifact_type, copy=copy, metadata=metadata)
        self._check_writable()
        self._touch(run_id)
        artifact = request.record(run_id, self._blobs, created_at=from_microseconds(_now_us()))
        writes = [
            ReplaceOne({"_id": artifact_key(run_id, record.name)}, artifact_document(record), upsert=True)
            for record in records_of(artifact)
        ]

        def record(session: Session) -> None:
            self._connection.collection(ARTIFACTS).bulk_write(writes, session=session)

        self._connection.call("record an artifact", lambda: self._connection.transact(record))
        self._touch(run_id)
        return artifact

    def finalize(
        self,
        run_id: str,
        status: RunStatus | str,
        *,
        end_time: datetime | None = None,
        error: BaseException | RunFailure | None = None,
    ) -> None:
        """See :meth:`runstore.protocol.RunStore.finalize`."""
        checks.check_run_id(run_id)
        final = checks.check_terminal_status(status)
        end_us = None if end_time is None else checks.check_time(end_time, "end_time")
        failure = checks.check_failure(error)
        self._check_writable()
        self._connection.call("finalize a run", lambda: self._end(run_id, final, end_us, failure))
        self._ingest.end_run(run_id)
        self._begun.discard(run_id)

    def _end(self, run_id: str, final: RunStatus, end_us: int | None, failure: RunFailure | None) -> None:
        runs = self._connection.collection(RUNS)
        known = runs.find_one({"_id": run_id}, {"status": 1, "start_time": 1})
        if known is None:
            raise RunNotFoundError.of(run_id)
        found = RunStatus(known["status"])
        if found.is_final:
            if found != final:
                raise RunFinalizedError.of(run_id, found=found, asked=final)
            return
        end_us = checks.check_end_time(end_us, start_us=int(known["start_time"]), now_us=_now_us())
        fields: Document = {"status": str(final), "end_time": Int64(end_us), "failure": None}
        if failure is not None:
            fields["failure"] = {"type": failure.type, "message": failure.message, "traceback": failure.traceback}
        result = runs.update_one({"_id": run_id, "status": str(RunStatus.IN_PROGRESS)}, {"$set": fields})
        if not result.matched_count:
            raise ConflictingWriteError

    def heartbeat(self, run_id: str, *, lease_s: float) -> None:
        """See :meth:`runstore.protocol.BackendStore.heartbeat`."""
        checks.check_run_id(run_id)
        lease_s = checks.check_lease(lease_s)
        self._check_writable()
        runs = self._connection.collection(RUNS)
        result = self._connection.call(
            "mark a run as alive", lambda: runs.update_one({"_id": run_id}, [beaten(lease_s)])
        )
        if not result.matched_count:
            raise RunNotFoundError.of(run_id)
        self._touched_at.pop(run_id, None)  # the lease may be shorter than what the next write would share

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the runs that were begun here by what left the block, and closes the store."""
        self._begun.leave(self, error)
        self.close()

    # --- beneath ------------------------------------------------------------------------------------------------

    def _touch(self, run_id: str) -> None:
        """A sign of life of a run that must exist."""
        if not self._is_touch_due(run_id):
            return
        runs = self._connection.collection(RUNS)
        result = self._connection.call("look up a run", lambda: runs.update_one({"_id": run_id}, [touched({})]))
        if not result.matched_count:
            raise RunNotFoundError.of(run_id)
        self._remember_touch(run_id)

    def _is_touch_due(self, run_id: str) -> bool:
        return time.monotonic() - self._touched_at.get(run_id, float("-inf")) >= _TOUCH_EVERY_S

    def _remember_touch(self, run_id: str) -> None:
        if len(self._touched_at) > _MOST_REMEMBERED:
            self._touched_at.clear()
        self._touched_at[run_id] = time.monotonic()

    def _find_id(self, name: str, identity: str) -> Document | None:
        return self._connection.collection(name).find_one({"_id": identity}, {"_id": 1})

    def _check_writable(self) -> None:
        if self._is_read_only:
            raise ReadOnlyError(f"{self!r} was opened for reading; open it with open_store(url) to write")


def _reopened(url: str, artifacts: str | None, read_only: bool) -> MongoStore:  # noqa: FBT001 - pickle passes by place
    return MongoStore(url, artifacts=artifacts, read_only=read_only)


def _now_us() -> int:
    """The moment of the call, which is what start, end and logging times mean; leases go by the server's clock."""
    return time.time_ns() // 1000


def _check_run_size(text: str, leaves: list[Document]) -> None:
    size = len(text) + len(encode({"config": leaves}))
    if size > _MOST_RUN_BYTES:
        raise InvalidValueError(
            f"the run's config would take {size} bytes in MongoDB with the index that filters use; a document holds "
            f"{_MOST_RUN_BYTES}. Log large or deep tables as an artifact"
        )
