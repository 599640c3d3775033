"""Runs that somebody works on where a copy would place them: it would take back what they do."""

from runstore.errors import RunNotFoundError
from runstore.model import Run, RunStatus
from runstore.moving.bringing import CUT_OFF_LEASE_S
from runstore.moving.selecting import Selection
from runstore.protocol import RunReader

_GOING_ON = "status = 'in_progress' and archived in (true, false)"


def worked_on(source: RunReader, target: RunReader, selection: Selection | None = None) -> list[Run]:
    """The runs that a copy would take back to what they are in the source, as they are in the target.

    Somebody works on a run in the target if it is in progress there, and its last heartbeat is later than the source knows of. A
    run that is copied while it goes on has the source's heartbeat, and one whose copy was cut off has a lease of its own.

    Args:
        source: the store to copy from.
        target: the store to copy to.
        selection: which runs; by default all.
    """
    selection = selection or Selection()
    found = []
    for run in target.iter_runs(_GOING_ON):
        if run.lease_s == CUT_OFF_LEASE_S:
            continue
        try:
            ours = source.get_run(run.id)
        except RunNotFoundError:
            continue
        is_later = run.heartbeat_at > ours.heartbeat_at and run.attempt <= ours.attempt
        if is_later and run.status is RunStatus.IN_PROGRESS and selection.holds(source, run.id):
            found.append(run)
    return found
