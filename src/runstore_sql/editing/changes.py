"""Changing on SQL what has begun: runs and experiments (CHG.1-8). One change is one transaction."""

from typing import Any, Final

import sqlalchemy as sa
from msgspec import UNSET

from runstore.backend import ExperimentChange, Presence, RunChange
from runstore.errors import ExperimentNotFoundError, RunNotFoundError
from runstore_sql.schema.rows import is_shown, presence, tag_rows, tags_of, tags_text
from runstore_sql.schema.tables import experiment, run, tag

_CHANGED: Final = (
    run.c.pk,
    run.c.experiment_pk,
    run.c.tags,
    run.c.archived_us,
    run.c.deleted_us,
    run.c.purged_us,
    run.c.changed,
)
"""What the outcome of a change depends on."""


def change_run(connection: sa.Connection, run_id: str, change: RunChange) -> None:
    """Changes a run."""
    row = connection.execute(sa.select(*_CHANGED).where(run.c.id == run_id).with_for_update()).first()
    if row is None:
        raise RunNotFoundError.of(run_id)
    found = presence(row)
    change.check_presence(run_id, found)
    if found is Presence.PURGED:
        return
    change, changed = change.standing(row.changed, deleted_us=row.deleted_us)
    values: dict[str, Any] = {
        "archived_us": change.archived_us_over(row.archived_us),
        "deleted_us": change.deleted_us_over(row.deleted_us),
        "changed": changed,
    }
    if change.name is not UNSET:
        values["name"] = change.name
    if change.note is not UNSET:
        values["note"] = change.note
    before = tags_of(row.tags)
    after = change.tags_over(before)
    if after != before:
        values["tags"] = tags_text(after)
        change_tags(connection, row.pk, before, after)
    connection.execute(run.update().where(run.c.pk == row.pk).values(**values))
    if change.is_deleted is False:  # a restored run brings its experiment back
        # It may be deleted at this moment: PostgreSQL waits for that only if the row is locked, not if it is asked for.
        own = sa.select(experiment.c.pk).where(experiment.c.pk == row.experiment_pk)
        connection.execute(own.with_for_update(read=True, key_share=True))
        is_hidden = sa.and_(experiment.c.pk == row.experiment_pk, experiment.c.deleted_us.is_not(None))
        connection.execute(experiment.update().where(is_hidden).values(deleted_us=None))


def change_tags(connection: sa.Connection, run_pk: int, before: dict[str, str], after: dict[str, str]) -> None:
    """Brings the rows, by which runs are searched, in line with the tags."""
    gone = [key for key, value in before.items() if after.get(key) != value]
    if gone:
        is_gone = sa.and_(tag.c.run_pk == run_pk, tag.c.key == sa.bindparam("gone"))
        connection.execute(tag.delete().where(is_gone), [{"gone": key} for key in gone])
    new = {key: value for key, value in after.items() if before.get(key) != value}
    if new:
        connection.execute(tag.insert(), tag_rows(run_pk, new))


def change_experiment(connection: sa.Connection, experiment_id: str, change: ExperimentChange) -> None:
    """Changes an experiment."""
    columns = experiment.c.pk, experiment.c.deleted_us, experiment.c.described_us
    row = connection.execute(sa.select(*columns).where(experiment.c.id == experiment_id).with_for_update()).first()
    if row is None or (row.deleted_us is not None and not change.is_deleted):
        raise ExperimentNotFoundError.of(experiment_id)
    if row.deleted_us is not None:
        return
    own = experiment.update().where(experiment.c.pk == row.pk)
    change, described_us = change.standing(row.described_us)
    if change.description is not UNSET:
        connection.execute(own.values(description=change.description, described_us=described_us))
    if change.is_deleted and _delete_runs(connection, row.pk, change):
        connection.execute(own.values(deleted_us=change.at_us))


def _delete_runs(connection: sa.Connection, experiment_pk: int, change: ExperimentChange) -> bool:
    """Deletes the runs of an experiment; whether none is left that is shown."""
    of_experiment = sa.and_(run.c.experiment_pk == experiment_pk, is_shown())
    if not change.is_late:
        connection.execute(run.update().where(of_experiment).values(deleted_us=change.at_us))
        return True
    for run_id, start_us in connection.execute(sa.select(run.c.id, run.c.start_us).where(of_experiment)).all():
        deletion = change.deletion_of(start_us)
        if deletion is not None:
            change_run(connection, run_id, deletion)
    return connection.execute(sa.select(run.c.pk).where(of_experiment).limit(1)).first() is None
