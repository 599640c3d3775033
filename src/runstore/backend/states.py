"""The states of a run, for a backend that keeps each run as one value: from the first attempt to the end (RUN.6, FIN).

Each function gives the run as it is to be stored next, and the run itself where nothing changes.
"""

from msgspec.structs import replace

from runstore.backend.arguments import BEATS_A_LEASE, DEFAULT_LEASE_S, NewRun, RunEnd, is_lost
from runstore.model import Run, RunStatus, from_microseconds, to_microseconds


def first_attempt(new: NewRun, *, now_us: int) -> Run:
    """A run as it is made."""
    now = from_microseconds(now_us)
    return Run(
        id=new.id,
        experiment_id=new.require_experiment(),
        name=new.name,
        status=RunStatus.IN_PROGRESS,
        training_mode=new.training_mode,
        parent_run_id=new.parent_run_id,
        client_id=new.client_id,
        attempt=1,
        start_time=now if new.start_us is None else from_microseconds(new.start_us),
        end_time=None,
        heartbeat_at=now,
        lease_s=DEFAULT_LEASE_S,
        source_path=new.source_path,
        tags=new.tags,
        provenance=new.provenance.values,
    )


def with_next_attempt(run: Run, *, now_us: int) -> Run:
    """A run that has ended, reopened; one that has not stays as it is."""
    if not run.status.is_final:
        return run
    return replace(
        run,
        status=RunStatus.IN_PROGRESS,
        end_time=None,
        failure=None,
        attempt=run.attempt + 1,
        heartbeat_at=from_microseconds(now_us),
    )


def with_end(run: Run, end: RunEnd, *, now_us: int) -> Run:
    """A run that has ended; raises as :meth:`runstore.backend.RunEnd.is_reached` and ``moment`` do."""
    if end.is_reached(run.id, run.status):
        return run
    end_us = end.moment(start_us=to_microseconds(run.start_time), now_us=now_us)
    return replace(run, status=end.status, end_time=from_microseconds(end_us), failure=end.failure)


def with_heartbeat(run: Run, *, now_us: int, lease_s: float | None = None) -> Run:
    """A run that is alive now; one that has ended stays as it is.

    Args:
        run: as it is stored.
        now_us: by the database's clock.
        lease_s: how long it is alive. ``None`` for a write, which keeps the lease and renews the heartbeat once a
            tenth of it.
    """
    if run.status.is_final:
        return run
    if lease_s is None:
        if now_us - to_microseconds(run.heartbeat_at) < run.lease_s * 1e6 / BEATS_A_LEASE:
            return run
        lease_s = run.lease_s
    return replace(run, heartbeat_at=from_microseconds(now_us), lease_s=lease_s)


def with_status_now(run: Run, *, now_us: int) -> Run:
    """A run as a reader sees it: ``lost`` once its lease has run out."""
    heartbeat_us = to_microseconds(run.heartbeat_at)
    is_late = is_lost(run.status, heartbeat_us=heartbeat_us, lease_s=run.lease_s, now_us=now_us)
    return replace(run, status=RunStatus.LOST) if is_late else run
