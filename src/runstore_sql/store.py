"""Writing on SQL. One operation is one transaction, whole or not at all."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, cast

import sqlalchemy as sa

from runstore.artifacts import Blobs
from runstore.backend import DEFAULT_LEASE_S, NewExperiment, NewRun, PlacedRun, RunEnd, Thinning
from runstore.errors import (
    ExperimentNotFoundError,
    RunDeletedError,
    RunNotFoundError,
    RunStoreError,
    StoreUnavailableError,
)
from runstore.model import Artifact, RunStatus, Thinned
from runstore.series import SeriesColumns
from runstore.values import EMPTY_CONFIG, ConfigDocument
from runstore_sql.connections.database import Database
from runstore_sql.editing.edits import SqlEdits
from runstore_sql.editing.placing import Placing
from runstore_sql.editing.thinning import Thinner
from runstore_sql.metrics.catching_up import CatchingUp
from runstore_sql.metrics.numbers import to_pair
from runstore_sql.schema.leases import lease_us
from runstore_sql.schema.rows import artifact_values, failure_text, tag_rows, tags_text
from runstore_sql.schema.tables import HEAD_LENGTH, artifact, experiment
from runstore_sql.settling import Settling
from runstore_sql.statements import Statements

_SETTLED_BESIDE: Final = 20
"""How many runs the end of one settles beside it."""
_ENDS_AN_ASK: Final = 16
"""Of so many ends of a handle, one asks whether others have left runs; and so does the next, where they have."""
_SETTLED_APART: Final = 100
"""How many are settled at once by who has nothing else to do."""

_log = logging.getLogger(__name__)


class SqlStore(SqlEdits):
    """A handle on a database whose schema is ready; made by :func:`runstore_sql.opening.open_sql`."""

    def __init__(
        self, database: Database, blobs: Blobs, *, is_place_named: bool, reopen: Callable[[], "SqlStore"]
    ) -> None:
        """Writes through the database's connections.

        Args:
            database: the connections.
            blobs: where artifact bytes go.
            is_place_named: whether that is a place that somebody named, where other stores may keep theirs.
            reopen: opens the store again wherever it is unpickled.
        """
        super().__init__(database, blobs)
        self.is_place_named = is_place_named
        self._reopen = reopen
        self._points = database.dialect.writer(database.transactions)
        self._catching_up = CatchingUp(self._points)
        self._sql = Statements(database.dialect)
        self._settling = Settling(database.dialect)
        self._ends_to_ask = 0
        self._placing = Placing(database.dialect, self._sql, self._settling)

    # --- experiments and runs -----------------------------------------------------------------------------------

    def make_experiment(self, new: NewExperiment) -> None:
        known = self.find_experiment_by_id(new.id)
        if known is None or (known.description is None and new.description is not None):
            self.database.write(lambda connection: self._make_experiment(connection, new))

    def _make_experiment(self, connection: sa.Connection, new: NewExperiment) -> None:
        values = {"id": new.id, "name": new.name, "description": new.description}
        is_new = self.database.dialect.insert_new(connection, self._sql.insert_experiment, values)
        if is_new:
            return
        known = connection.execute(self._sql.known_experiment, {"of_id": new.id}).one()
        own = experiment.update().where(experiment.c.id == new.id)
        if known.description is None and new.describes(known.described_us):
            connection.execute(own.values(description=new.description))
        if known.deleted_us is not None and new.shows(known.deleted_us):
            connection.execute(own.values(deleted_us=None))

    def insert_run(self, new: NewRun) -> bool:
        return self.database.write(lambda connection: self._insert_run(connection, new))

    def _insert_run(self, connection: sa.Connection, new: NewRun) -> bool:
        wanted = new.require_experiment()
        found = connection.execute(self._sql.experiment_of, {"of_id": wanted}).first()
        if found is None:
            raise ExperimentNotFoundError.of(wanted)
        experiment_pk, hidden_us = found
        parent_pk = None if new.parent_run_id is None else self._parent_pk(connection, new.parent_run_id)
        values = {
            "id": new.id,
            "experiment_pk": experiment_pk,
            "parent_pk": parent_pk,
            "name": new.name,
            "client_id": new.client_id,
            "training_mode": new.training_mode,
            "status": RunStatus.IN_PROGRESS.value,
            "attempt": 1,
            "start_us": new.start_us,
            "lease_us": lease_us(DEFAULT_LEASE_S),
            "lease_s": DEFAULT_LEASE_S,
            "source_path": new.source_path,
            "tags": tags_text(new.tags),
            "provenance": new.provenance.text,
        }
        if not self.database.dialect.insert_new(connection, self._sql.insert_run, values):
            return False
        if hidden_us is not None:
            connection.execute(self._sql.show_experiment, {"of_pk": experiment_pk})
        if new.tags:
            run_pk = connection.execute(self._sql.run_pk, {"of_id": new.id}).scalar_one()
            connection.execute(self._sql.insert_tags, tag_rows(run_pk, new.tags))
        return True

    def _parent_pk(self, connection: sa.Connection, run_id: str) -> int:
        found = connection.execute(self._sql.run_pk, {"of_id": run_id}).scalar()
        if found is None:
            raise RunNotFoundError.of(run_id, role="parent run")
        return cast("int", found)

    def reopen_run(self, run_id: str) -> None:
        self.database.write(lambda connection: connection.execute(self._sql.reopen, {"of_id": run_id}))

    def end_run(self, run_id: str, end: RunEnd) -> None:
        asks_left = self._ends_to_ask <= 0
        looked = self.database.write(lambda connection: self._end(connection, run_id, end, asks_left=asks_left))
        if not asks_left:
            self._ends_to_ask -= 1
        elif not looked.are_many_left:
            self._ends_to_ask = _ENDS_AN_ASK - 1
        self._after_end(run_id, looked)

    def place_run(self, placed: PlacedRun) -> None:
        looked = self.database.write(lambda connection: self._placing.place(connection, placed))
        if looked is not None:
            self._after_end(placed.id, looked)

    def _after_end(self, run_id: str, looked: Any) -> None:
        if looked.is_long:
            with suppress(StoreUnavailableError):  # the run has ended; charts of it cost more until somebody catches up
                self.database.with_driver(lambda connection: self._catching_up.finish(connection, run_id))
        if looked.are_many_left:
            self.settle(_SETTLED_BESIDE)

    def catch_up(self) -> bool:
        """Rolls up some of what was stored before there were roll-ups, and settles some runs; whether more may be left."""
        is_settled = self.settle(_SETTLED_APART) == 0
        return self.database.with_driver(self._catching_up.step) or not is_settled

    def settle(self, most: int) -> int:
        """Settles some of the runs that others have left (:mod:`runstore_sql.settling`); how many it were.

        A store that is away or busy settles none: nothing is lost, for searches look through such runs one by one.
        """
        try:
            if not self.database.read(self._settling.is_left):
                return 0
            return self.database.write(lambda connection: self._settling.some(connection, most))
        except RunStoreError as error:
            _log.debug("no run was settled: %s", error)
            return 0

    def _end(self, connection: sa.Connection, run_id: str, end: RunEnd, *, asks_left: bool) -> Any:
        failure = failure_text(end.failure)
        if end.end_us is None or end.is_movable:
            asked = {"status": end.status.value, "asked_us": end.end_us, "failure": failure}
            ended = self._settling.end_now(connection, run_id, asked, asks_left=asks_left)
            if ended is not None:
                return ended
        run_pk = self._locked_run(connection, run_id, is_alive=False)
        looked = self._settling.look(connection, run_pk)
        if not end.is_reached(run_id, looked.status):
            end_us = end.moment(start_us=looked.start_us, now_us=looked.now_us)
            values = {"status": end.status.value, "end_us": end_us, "failure": failure}
            self._settling.end(connection, run_pk, looked, values)
        return looked

    def beat(self, run_id: str, lease_s: float) -> None:
        self.database.write(lambda connection: self._beat(connection, run_id, lease_s))

    def _beat(self, connection: sa.Connection, run_id: str, lease_s: float) -> None:
        values = {"of_id": run_id, "lease_us": lease_us(lease_s), "lease_s": lease_s}
        if not connection.execute(self._sql.beat_for, values).rowcount:
            self._locked_run(connection, run_id, is_alive=False)

    # --- what runs log ------------------------------------------------------------------------------------------

    def append(self, run_id: str, series: SeriesColumns) -> None:
        self.database.with_driver(lambda connection: self._points.write(connection, run_id, series))

    def merge_config(self, run_id: str, config: ConfigDocument) -> None:
        self.database.write(lambda connection: self._merge_config(connection, run_id, config))

    def _merge_config(self, connection: sa.Connection, run_id: str, config: ConfigDocument) -> None:
        run_pk = self._locked_run(connection, run_id)
        stored = connection.execute(self._sql.document, {"of_pk": run_pk}).scalar()
        before = ConfigDocument(EMPTY_CONFIG if stored is None else stored)
        after = config.merged_over(before)
        if after.text != stored:
            if stored is None:
                connection.execute(self._sql.insert_document, {"run_pk": run_pk, "document": after.text})
            else:
                connection.execute(self._sql.update_document, {"of_pk": run_pk, "document": after.text})
            self._index_config(connection, run_pk, before, after)

    def _index_config(self, connection: sa.Connection, run_pk: int, old: ConfigDocument, new: ConfigDocument) -> None:
        """Brings the leaves, by which runs are searched, in line with the document."""
        before = {leaf.key: leaf for leaf in old.leaves}
        after = {leaf.key: leaf for leaf in new.leaves}
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

    def record_artifacts(self, run_id: str, records: Sequence[Artifact]) -> None:
        self.database.write(lambda connection: self._record_artifacts(connection, run_id, records))

    def _record_artifacts(self, connection: sa.Connection, run_id: str, records: Sequence[Artifact]) -> None:
        run_pk = self._locked_run(connection, run_id)
        statement = artifact.delete().where(artifact.c.run_pk == run_pk, artifact.c.name == sa.bindparam("replaced"))
        connection.execute(statement, [{"replaced": record.name} for record in records])
        connection.execute(artifact.insert(), [artifact_values(record, run_pk) for record in records])

    # --- what is old --------------------------------------------------------------------------------------------

    def thin(self, asked: Thinning) -> Thinned:
        thinner = Thinner(self.database, self._histories, self._catching_up, ended_before_us=asked.ended_before_us)
        return thinner.thin()

    # --- the handle ---------------------------------------------------------------------------------------------

    def close(self) -> None:
        self.database.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as what opens it: whoever unpickles it has connections of its own (OPEN.5)."""
        return self._reopen, ()

    def __repr__(self) -> str:
        """The database, without its password."""
        return f"<SqlStore {self.database.shown_url}>"

    def _locked_run(self, connection: sa.Connection, run_id: str, *, is_alive: bool = True) -> int:
        """The run's key, its row locked until the transaction ends. A write is a heartbeat, noted when it is due."""
        found = connection.execute(self._sql.lock_run, {"of_id": run_id}).first()
        if found is None:
            raise RunNotFoundError.of(run_id)
        pk, is_due, purged_us = found
        if purged_us is not None:
            raise RunDeletedError.of(run_id, is_purged=True)
        if is_due and is_alive:
            connection.execute(self._sql.beat, {"of_pk": pk})
        return cast("int", pk)
