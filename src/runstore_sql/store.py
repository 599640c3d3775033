"""The six verbs and the heartbeat on SQL. One call is one transaction, whole or not at all."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, cast

import sqlalchemy as sa

from runstore.artifacts import Blobs, check_artifact, records_of
from runstore.backend import BegunRuns
from runstore.errors import (
    ExperimentNotFoundError,
    ReadOnlyError,
    RunFinalizedError,
    RunNotFoundError,
)
from runstore.model import Artifact, MetricPoint, RunFailure, RunStatus, from_microseconds
from runstore.protocol import DEFAULT_LEASE_S
from runstore.series.batches import batches_of, is_plain_name
from runstore.values import (
    births,
    check_config,
    checks,
    decode_config,
    encode_config,
    experiment_id_of,
    flatten_config,
    merge_config,
    new_run_id,
)
from runstore_sql.connections.database import Database
from runstore_sql.metrics.numbers import to_pair
from runstore_sql.reader import SqlReader
from runstore_sql.schema.rows import artifact_values, failure_text, lease_us, tags_text
from runstore_sql.schema.tables import HEAD_LENGTH, artifact, experiment, run
from runstore_sql.search.columns import Condition
from runstore_sql.statements import Statements


class SqlStore(SqlReader):
    """See :class:`runstore.protocol.BackendStore` for every method."""

    def __init__(self, database: Database, blobs: Blobs, *, reopen: Callable[[], "SqlStore"]) -> None:
        """A handle on a database whose schema is ready; made by :func:`runstore_sql.opening.open_sql`.

        Args:
            database: the connections.
            blobs: where artifact bytes go.
            reopen: opens the store again wherever it is unpickled.
        """
        super().__init__(database, blobs)
        self._reopen = reopen
        self._begun = BegunRuns()
        self._points = database.dialect.writer(database.transactions)
        self._sql = Statements(database.dialect)

    # --- the six verbs ------------------------------------------------------------------------------------------

    def get_or_create_experiment(self, name: str, *, description: str | None = None) -> str:
        """See :meth:`runstore.protocol.RunStore.get_or_create_experiment`."""
        checks.check_name(name, "experiment name")
        checks.check_optional_text(description, "description")
        experiment_id = experiment_id_of(name)
        known = self._one_experiment(experiment.c.id == experiment_id)
        if known is None or (known.description is None and description is not None):
            self._write(lambda connection: self._make_experiment(connection, experiment_id, name, description))
        return experiment_id

    def _make_experiment(
        self, connection: sa.Connection, experiment_id: str, name: str, description: str | None
    ) -> None:
        values = {"id": experiment_id, "name": name, "description": description}
        if (
            not self.database.dialect.insert_new(connection, self._sql.insert_experiment, values)
            and description is not None
        ):
            is_undescribed = sa.and_(experiment.c.id == experiment_id, experiment.c.description.is_(None))
            connection.execute(experiment.update().where(is_undescribed).values(description=description))

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
        # Chosen before the first try, so that a try whose reply was lost is found by the next.
        new_id = birth.run_id or new_run_id()
        if birth.run_id is not None and self._found_as_asked(birth, resume=resume):
            if resume:
                self._begun.add(birth.run_id)
            return birth.run_id
        self._check_writable()
        if not self.database.write(lambda connection: self._make_run(connection, new_id, birth, origin)):
            # Another writer made it between our look and our insert.
            self._found_as_asked(birth, resume=resume)
            if not resume:
                return new_id
        self._begun.add(new_id)
        return new_id

    def _found_as_asked(self, birth: births.Birth, *, resume: bool) -> bool:
        """Whether the run exists, under the experiment asked for; reopened if that was asked and it has ended."""
        known = self._find_run(cast("str", birth.run_id))
        if known is None:
            return False
        births.check_same_experiment(birth, known.experiment_id)
        if resume and known.status.is_final:
            has_ended = sa.and_(run.c.id == known.id, run.c.status != RunStatus.IN_PROGRESS.value)
            self._write(lambda connection: self._begin_again(connection, has_ended))
        return True

    def _begin_again(self, connection: sa.Connection, has_ended: Condition) -> None:
        alive = {"heartbeat_us": self._now(), "expires_us": run.c.expires_us - run.c.heartbeat_us + self._now()}
        # MySQL assigns from left to right, and the new expiry is computed from the old heartbeat.
        ordered = [(run.c.expires_us, alive["expires_us"]), (run.c.heartbeat_us, alive["heartbeat_us"])]
        changes = [
            *ordered,
            (run.c.status, RunStatus.IN_PROGRESS.value),
            (run.c.end_us, None),
            (run.c.failure, None),
            (run.c.attempt, run.c.attempt + 1),
        ]
        connection.execute(run.update().where(has_ended).ordered_values(*changes))

    def _make_run(self, connection: sa.Connection, new_id: str, birth: births.Birth, origin: str) -> bool:
        """Inserts the run unless one of its id is there; whether it did."""
        wanted = births.require_experiment(birth)
        experiment_pk = connection.execute(self._sql.experiment_pk, {"of_id": wanted}).scalar()
        if experiment_pk is None:
            raise ExperimentNotFoundError.of(wanted)
        parent_pk = None
        if birth.parent_run_id is not None:
            parent_pk = connection.execute(self._sql.run_pk, {"of_id": birth.parent_run_id}).scalar()
            if parent_pk is None:
                raise RunNotFoundError.of(birth.parent_run_id, role="parent run")
        values = {
            "id": new_id,
            "experiment_pk": experiment_pk,
            "parent_pk": parent_pk,
            "name": birth.name,
            "client_id": birth.client_id,
            "training_mode": birth.training_mode,
            "status": RunStatus.IN_PROGRESS.value,
            "attempt": 1,
            "start_us": birth.start_us,
            "lease_us": lease_us(DEFAULT_LEASE_S),
            "lease_s": DEFAULT_LEASE_S,
            "source_path": birth.source_path,
            "tags": tags_text(birth.tags),
            "provenance": origin,
        }
        if not self.database.dialect.insert_new(connection, self._sql.insert_run, values):
            return False
        if birth.tags:
            run_pk = connection.execute(self._sql.run_pk, {"of_id": new_id}).scalar_one()
            rows = [
                {"run_pk": run_pk, "key": key, "head": value[:HEAD_LENGTH], "value": value}
                for key, value in birth.tags.items()
            ]
            connection.execute(self._sql.insert_tags, rows)
        return True

    def log_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        """See :meth:`runstore.protocol.RunStore.log_metrics`."""
        if type(run_id) is not str or not is_plain_name(run_id):
            checks.check_run_id(run_id)
        batches = batches_of(points, now_us=time.time_ns() // 1000)
        self._check_writable()
        self.database.with_driver(lambda connection: self._points.write(connection, run_id, batches))

    def log_config(self, run_id: str, config: Mapping[str, Any]) -> None:
        """See :meth:`runstore.protocol.RunStore.log_config`."""
        checks.check_run_id(run_id)
        new = check_config(config)
        self._write(lambda connection: self._merge_config(connection, run_id, new))

    def _merge_config(self, connection: sa.Connection, run_id: str, new: dict[str, Any]) -> None:
        run_pk = self._locked_run(connection, run_id)
        stored = connection.execute(self._sql.document, {"of_pk": run_pk}).scalar()
        old = decode_config(stored or "{}")
        merged = merge_config(old, new)
        document = encode_config(merged)
        if document != stored:
            if stored is None:
                connection.execute(self._sql.insert_document, {"run_pk": run_pk, "document": document})
            else:
                connection.execute(self._sql.update_document, {"of_pk": run_pk, "document": document})
            self._index_config(connection, run_pk, old, merged)

    def _index_config(self, connection: sa.Connection, run_pk: int, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Brings the leaves, by which runs are searched, in line with the document."""
        before = {leaf.key: leaf for leaf in flatten_config(old)}
        after = {leaf.key: leaf for leaf in flatten_config(new)}
        # repr, for a NaN differs from itself and 1 equals 1.0
        gone = [key for key, leaf in before.items() if repr(after.get(key)) != repr(leaf)]
        if gone:
            connection.execute(self._sql.delete_leaves, [{"of_pk": run_pk, "gone": key} for key in gone])
        rows = []
        for key, leaf in after.items():
            if repr(before.get(key)) == repr(leaf):
                continue
            number, special = (None, 0) if leaf.number is None else to_pair(leaf.number)
            rows.append(
                {
                    "run_pk": run_pk,
                    "key": key,
                    "kind": leaf.kind,
                    "number": number,
                    "special": special,
                    "head": leaf.text[:HEAD_LENGTH],
                    "value": leaf.text,
                }
            )
        if rows:
            connection.execute(self._sql.insert_leaves, rows)

    def log_artifact(  # noqa: PLR0913 - the protocol's signature
        self,
        run_id: str,
        path: str | os.PathLike[str],
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
        self._require_run(run_id)
        moment = from_microseconds(time.time_ns() // 1000)
        logged = request.record(run_id, self._blobs, created_at=moment)
        self.database.write(lambda connection: self._record_artifacts(connection, run_id, logged))
        return logged

    def _record_artifacts(self, connection: sa.Connection, run_id: str, logged: Artifact) -> None:
        run_pk = self._locked_run(connection, run_id)
        records = records_of(logged)
        statement = artifact.delete().where(artifact.c.run_pk == run_pk, artifact.c.name == sa.bindparam("replaced"))
        connection.execute(statement, [{"replaced": record.name} for record in records])
        connection.execute(artifact.insert(), [artifact_values(record, run_pk) for record in records])

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
        self._write(lambda connection: self._end(connection, run_id, final, end_us, failure))
        self._begun.discard(run_id)

    def _end(
        self, connection: sa.Connection, run_id: str, final: RunStatus, end_us: int | None, failure: RunFailure | None
    ) -> None:
        run_pk = self._locked_run(connection, run_id, is_alive=False)
        query = sa.select(run.c.status, run.c.start_us, self._now()).where(run.c.pk == run_pk)
        status, start_us, now_us = connection.execute(query).one()
        if status != RunStatus.IN_PROGRESS.value:
            if status != final.value:
                raise RunFinalizedError.of(run_id, found=RunStatus(status), asked=final)
            return
        end_us = checks.check_end_time(end_us, start_us=start_us, now_us=now_us)
        values = {"status": final.value, "end_us": end_us, "failure": failure_text(failure)}
        connection.execute(run.update().where(run.c.pk == run_pk).values(**values))

    def heartbeat(self, run_id: str, *, lease_s: float) -> None:
        """See :meth:`runstore.protocol.BackendStore.heartbeat`."""
        checks.check_run_id(run_id)
        lease_s = checks.check_lease(lease_s)
        values = {
            "heartbeat_us": self._now(),
            "expires_us": self._now() + lease_us(lease_s),
            "lease_s": lease_s,
        }
        is_alive = sa.and_(run.c.id == run_id, run.c.status == RunStatus.IN_PROGRESS.value)

        def beat(connection: sa.Connection) -> None:
            if not connection.execute(run.update().where(is_alive).values(**values)).rowcount:
                self._locked_run(connection, run_id, is_alive=False)

        self._write(beat)

    # --- the handle ---------------------------------------------------------------------------------------------

    def close(self) -> None:
        """See :meth:`runstore.protocol.RunStore.close`."""
        self.database.close()

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the runs that were begun here by what left the block, and closes the store."""
        self._begun.leave(self, error)
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as URL and options: whoever unpickles it opens connections of its own (OPEN.5)."""
        return self._reopen, ()

    def __repr__(self) -> str:
        """The database, without its password."""
        return f"<SqlStore {self.database.place}>"

    # --- shared by the verbs ------------------------------------------------------------------------------------

    def _write(self, work: Any) -> None:
        self._check_writable()
        self.database.write(work)

    def _check_writable(self) -> None:
        if self.database.read_only:
            raise ReadOnlyError(f"{self.database.place} was opened for reading; open_store(url) opens for writing")

    def _now(self) -> sa.ColumnElement[int]:
        return sa.literal_column(self.database.dialect.now_us, sa.BigInteger)

    def _locked_run(self, connection: sa.Connection, run_id: str, *, is_alive: bool = True) -> int:
        """The run's key, its row locked until the transaction ends. A write is a sign of life, noted when it is due."""
        found = connection.execute(self._sql.lock_run, {"of_id": run_id}).first()
        if found is None:
            raise RunNotFoundError.of(run_id)
        pk, is_due = found
        if is_due and is_alive:
            connection.execute(self._sql.beat, {"of_pk": pk})
        return cast("int", pk)
