"""The statements of the verbs, built once for a handle: building one anew takes longer than most databases take to run it."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from runstore.model import RunStatus
from runstore_sql.schema import config, config_leaf, experiment, run, tag

_ID = sa.bindparam("of_id", type_=sa.String)
_PK = sa.bindparam("of_pk", type_=sa.BigInteger)


class Statements:
    """Statements of one dialect. ``of_id`` and ``of_pk`` say which row; other parameters are named as their columns.

    Attributes:
        lock_run: a run's key, and whether its sign of life is due: once a tenth of the lease, for it costs a row.
            The run's row is locked until the transaction ends.
        insert_run: a run whose start, if none is given, is now; gives its key, or no row where the id is taken (MySQL: an error).
    """

    def __init__(self, dialect: str, now_us: str) -> None:
        """Takes the dialect's name and its SQL for the clock."""
        now = sa.literal_column(now_us, sa.BigInteger)
        is_due = sa.and_(
            run.c.status == RunStatus.IN_PROGRESS.value, now - run.c.heartbeat_us > run.c.lease_s * 100_000
        )
        self.experiment_pk = sa.select(experiment.c.pk).where(experiment.c.id == _ID)
        self.run_pk = sa.select(run.c.pk).where(run.c.id == _ID)
        self.lock_run = sa.select(run.c.pk, is_due).where(run.c.id == _ID).with_for_update()
        # MySQL assigns from left to right: the expiry first, while the old heartbeat stands.
        renewed = (run.c.expires_us, run.c.expires_us - run.c.heartbeat_us + now)
        self.beat = run.update().where(run.c.pk == _PK).ordered_values(renewed, (run.c.heartbeat_us, now))
        self.insert_experiment = inserted(experiment, dialect).values(created_us=now)
        self.insert_run = inserted(run, dialect).values(
            start_us=sa.func.coalesce(sa.bindparam("start_us", type_=sa.BigInteger), now),
            heartbeat_us=now,
            expires_us=now + sa.bindparam("lease_us", type_=sa.BigInteger),
            **{name: sa.bindparam(name, type_=run.c[name].type) for name in _GIVEN},
        )
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


def inserted(table: sa.Table, dialect: str) -> sa.Insert:
    """An insert that gives the new key, or nothing where a unique key is taken; a plain one on MySQL, which lacks that."""
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing().returning(table.c.pk)
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing().returning(table.c.pk)
    return table.insert()
