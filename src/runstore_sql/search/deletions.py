"""The deleted runs that can be restored."""

from typing import Any

import sqlalchemy as sa

from runstore.model import DeletedRun, from_microseconds
from runstore.query import DeletedQuery
from runstore_sql.schema.tables import experiment, run


def deleted_runs(asked: DeletedQuery) -> sa.Select[Any]:
    """Those that were asked for, each with its experiment."""
    query = (
        sa.select(
            run.c.id,
            run.c.name,
            experiment.c.id.label("experiment_id"),
            experiment.c.name.label("experiment"),
            run.c.start_us,
            run.c.deleted_us,
        )
        .join(experiment, experiment.c.pk == run.c.experiment_pk)
        .where(run.c.deleted_us.is_not(None), run.c.purged_us.is_(None))
        .order_by(run.c.deleted_us.desc(), run.c.id)
        .limit(asked.limit)
    )
    if asked.experiment_id is not None:
        query = query.where(experiment.c.id == asked.experiment_id)
    if asked.after is not None:
        deleted_us, run_id = asked.after
        query = query.where(run.c.deleted_us <= deleted_us, sa.or_(run.c.deleted_us < deleted_us, run.c.id > run_id))
    return query


def deleted_run_of(row: Any) -> DeletedRun:
    """A row of :func:`deleted_runs`."""
    return DeletedRun(
        id=row.id,
        name=row.name,
        experiment_id=row.experiment_id,
        experiment=row.experiment,
        start_time=from_microseconds(row.start_us),
        deleted_at=from_microseconds(row.deleted_us),
    )
