"""A run's lease in SQL: when a write renews its heartbeat, how, and when the run is lost (FIN.6)."""

from typing import Final

import sqlalchemy as sa

from runstore.backend import BEATS_A_LEASE
from runstore.model import RunStatus
from runstore_sql.schema.tables import run

_SECOND_US: Final = 1_000_000
_LONGEST_LEASE_US: Final = 2**61
"""Keeps the time at which a lease ends within a bigint; some 73,000 years."""


def lease_us(lease_s: float) -> int:
    """A lease in microseconds."""
    return min(int(lease_s * _SECOND_US), _LONGEST_LEASE_US)


def status_now(now_us: str) -> sa.ColumnElement[str]:
    """A run's status as readers see it: ``lost`` once its lease has run out by the database's clock.

    As :func:`runstore.backend.is_lost`, by the time that was worked out when the heartbeat was stored.
    """
    in_progress = RunStatus.IN_PROGRESS.value
    is_lost = sa.and_(run.c.status == in_progress, run.c.expires_us < sa.literal_column(now_us))
    return sa.case((is_lost, sa.literal(RunStatus.LOST.value)), else_=run.c.status)


def is_due(now_us: str, of: str = "") -> str:
    """SQL for whether a write renews a run's heartbeat: not each does, for it costs a row.

    Args:
        now_us: SQL for the clock.
        of: what stands before the columns' names, such as ``r.``.
    """
    in_progress, part_us = RunStatus.IN_PROGRESS.value, _SECOND_US // BEATS_A_LEASE
    return f"{of}status = '{in_progress}' AND {now_us} - {of}heartbeat_us > {of}lease_s * {part_us}"


def renewal(now_us: str) -> str:
    """SQL for the assignments that renew a heartbeat for another lease.

    MySQL assigns from left to right: the expiry comes first, while the old heartbeat stands.
    """
    return f"expires_us = expires_us - heartbeat_us + {now_us}, heartbeat_us = {now_us}"
