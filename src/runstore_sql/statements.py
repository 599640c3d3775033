"""The statements of the verbs, built once for a handle: building one anew takes longer than most databases take to run it."""

import sqlalchemy as sa

from runstore.model import RunStatus
from runstore_sql.dialects.base import Dialect
from runstore_sql.schema.leases import is_due, renewal, revival
from runstore_sql.schema.tables import config, config_leaf, experiment, run, tag

_ID = sa.bindparam("of_id", type_=sa.String)
_LEASE_US = sa.bindparam("lease_us", type_=sa.BigInteger)
_PK = sa.bindparam("of_pk", type_=sa.BigInteger)


class Statements:
    """Statements of one dialect. ``of_id`` and ``of_pk`` say which row; other parameters are named as their columns.

    Attributes:
        lock_run: a run's key, whether its heartbeat is due, and when it was purged. The run's row is locked until the transaction ends.
        insert_run: a run whose start, if none is given, is now; gives its key, or no row where the id is taken.
        given: what it is given, beside ``start_us`` and ``lease_us``.
    """

    def __init__(self, dialect: Dialect) -> None:
        now = sa.literal_column(dialect.now_us, sa.BigInteger)
        # Shared, so that an experiment is not deleted while a run begins in it.
        self.experiment_of = (
            sa.select(experiment.c.pk, experiment.c.deleted_us)
            .where(experiment.c.id == _ID)
            .with_for_update(read=True, key_share=True)
        )
        self.known_experiment = (
            sa.select(experiment.c.description, experiment.c.described_us, experiment.c.deleted_us)
            .where(experiment.c.id == _ID)
            .with_for_update()
        )
        self.show_experiment = experiment.update().where(experiment.c.pk == _PK).values(deleted_us=None)
        self.run_pk = sa.select(run.c.pk).where(run.c.id == _ID)
        due: sa.ColumnElement[bool] = sa.literal_column(f"({is_due(dialect.now_us, f'{run.name}.')})")
        self.lock_run = sa.select(run.c.pk, due, run.c.purged_us).where(run.c.id == _ID).with_for_update()
        self.beat = sa.text(f"UPDATE {run.name} SET {renewal(dialect.now_us)} WHERE pk = :of_pk")  # noqa: S608 - our own text
        self.beat_for = (
            run.update()
            .where(run.c.id == _ID, run.c.status == RunStatus.IN_PROGRESS.value, run.c.purged_us.is_(None))
            .values(heartbeat_us=now, expires_us=now + _LEASE_US, lease_s=sa.bindparam("lease_s"))
        )
        self.reopen = sa.text(
            f"UPDATE {run.name} SET {revival(dialect.now_us)}, status = '{RunStatus.IN_PROGRESS.value}', end_us = NULL, "  # noqa: S608 - as above
            f"failure = NULL, attempt = attempt + 1 WHERE id = :of_id AND status <> '{RunStatus.IN_PROGRESS.value}'"
        )
        self.insert_experiment = dialect.insert(experiment).values(created_us=now)
        self.insert_run = dialect.insert(run).values(
            start_us=sa.func.coalesce(sa.bindparam("start_us", type_=sa.BigInteger), now),
            heartbeat_us=now,
            expires_us=now + _LEASE_US,
            **{name: sa.bindparam(name, type_=run.c[name].type) for name in _GIVEN},
        )
        self.given = _GIVEN
        self.insert_tags = tag.insert()
        self.document = sa.select(config.c.document).where(config.c.run_pk == _PK)
        self.insert_document = config.insert()
        self.update_document = config.update().where(config.c.run_pk == _PK).values(document=sa.bindparam("document"))
        self.delete_leaves = config_leaf.delete().where(
            config_leaf.c.run_pk == _PK, config_leaf.c.key == sa.bindparam("gone")
        )
        self.insert_leaves = config_leaf.insert()


_GIVEN = (
    "id",
    "experiment_pk",
    "parent_pk",
    "name",
    "client_id",
    "training_mode",
    "status",
    "attempt",
    "lease_s",
    "source_path",
    "tags",
    "provenance",
)
