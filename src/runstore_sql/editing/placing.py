"""Placing on SQL a run that was made elsewhere (MOVE.1-5), in one transaction."""

from typing import Any

import sqlalchemy as sa

from runstore.backend import PlacedRun
from runstore.errors import ExperimentNotFoundError, RunNotFoundError
from runstore.model import RunStatus
from runstore_sql.dialects.base import Dialect
from runstore_sql.editing.changes import change_tags
from runstore_sql.schema.leases import lease_us
from runstore_sql.schema.rows import failure_text, presence, tags_of, tags_text
from runstore_sql.schema.tables import experiment, run
from runstore_sql.settling import Settling
from runstore_sql.statements import Statements

_EXPERIMENT_ID = sa.select(experiment.c.id).where(experiment.c.pk == run.c.experiment_pk).scalar_subquery()
_KNOWN = (run.c.pk, _EXPERIMENT_ID.label("experiment_id"), run.c.attempt, run.c.tags, run.c.deleted_us, run.c.purged_us)


class Placing:
    """Places runs, in transactions of the caller's."""

    def __init__(self, dialect: Dialect, sql: Statements, settling: Settling) -> None:
        self._dialect = dialect
        self._sql = sql
        self._settling = settling
        of_id = sa.bindparam("of_id", type_=sa.String)
        self._known = sa.select(*_KNOWN).where(run.c.id == of_id).with_for_update()

    def place(self, connection: sa.Connection, placed: PlacedRun) -> Any:
        """Places a run; gives what :meth:`runstore_sql.settling.Settling.look` gave, of one that has ended."""
        known = connection.execute(self._known, {"of_id": placed.id}).first()
        if known is None:
            self._make(connection, placed)
            # Ours, or that of another who was faster, whose transaction is over.
            known = connection.execute(self._known, {"of_id": placed.id}).one()
        placed.check_presence(presence(known))
        placed.check_found(known.experiment_id, known.attempt)
        change_tags(connection, known.pk, tags_of(known.tags), placed.tags)
        facts = {**self._facts(connection, placed), "settled": None}
        connection.execute(run.update().where(run.c.pk == known.pk).values(**facts))
        if placed.status is RunStatus.IN_PROGRESS:
            return None
        looked = self._settling.look(connection, known.pk)
        end = {"status": placed.status.value, "end_us": placed.end_us, "failure": failure_text(placed.failure)}
        self._settling.end(connection, known.pk, looked, end)
        return looked

    def _make(self, connection: sa.Connection, placed: PlacedRun) -> None:
        """Makes the row, without tags; it is shown to nobody before the transaction ends."""
        found = connection.execute(self._sql.experiment_of, {"of_id": placed.experiment_id}).first()
        if found is None:
            raise ExperimentNotFoundError.of(placed.experiment_id)
        experiment_pk, hidden_us = found
        values = {
            **self._facts(connection, placed),
            "id": placed.id,
            "experiment_pk": experiment_pk,
            "lease_us": lease_us(placed.lease_s),
            "tags": tags_text({}),
        }
        given = {name: values[name] for name in (*self._sql.given, "start_us", "lease_us")}
        if self._dialect.insert_new(connection, self._sql.insert_run, given) and hidden_us is not None:
            connection.execute(self._sql.show_experiment, {"of_pk": experiment_pk})

    def _facts(self, connection: sa.Connection, placed: PlacedRun) -> dict[str, Any]:
        return {
            "parent_pk": None if placed.parent_run_id is None else self._parent_pk(connection, placed.parent_run_id),
            "name": placed.name,
            "client_id": placed.client_id,
            "training_mode": placed.training_mode,
            "status": placed.status.value,
            "attempt": placed.attempt,
            "start_us": placed.start_us,
            "end_us": placed.end_us,
            "heartbeat_us": placed.heartbeat_us,
            "expires_us": placed.heartbeat_us + lease_us(placed.lease_s),
            "lease_s": placed.lease_s,
            "source_path": placed.source_path,
            "tags": tags_text(placed.tags),
            "provenance": placed.provenance.text,
            "failure": failure_text(placed.failure),
            "note": placed.note,
            "archived_us": placed.archived_us,
        }

    def _parent_pk(self, connection: sa.Connection, run_id: str) -> int:
        found = connection.execute(self._sql.run_pk, {"of_id": run_id}).scalar()
        if found is None:
            raise RunNotFoundError.of(run_id, role="parent run")
        return int(found)
