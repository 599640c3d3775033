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
    """SQL for whether a write has to change the run's row: not each does, for it costs a row.

    It does to renew the heartbeat, and to say that a settled run is so no more (:mod:`runstore_sql.settling`).

    Args:
        now_us: SQL for the clock.
        of: what stands before the columns' names, such as ``r.``.
    """
    in_progress, part_us = RunStatus.IN_PROGRESS.value, _SECOND_US // BEATS_A_LEASE
    is_late = f"{of}status = '{in_progress}' AND {now_us} - {of}heartbeat_us > {of}lease_s * {part_us}"
    return f"({of}settled IS NOT NULL OR {is_late})"


def renewal(now_us: str) -> str:
    """SQL for the assignments of a write that is due: the heartbeat of a run that goes on is renewed for another lease.

    MySQL assigns from left to right: the expiry comes first, while the old heartbeat stands.
    """
    goes_on = f"CASE WHEN status = '{RunStatus.IN_PROGRESS.value}' THEN {{}} ELSE {{}} END"
    expires = goes_on.format(f"expires_us - heartbeat_us + {now_us}", "expires_us")
    return f"expires_us = {expires}, heartbeat_us = {goes_on.format(now_us, 'heartbeat_us')}, settled = NULL"


def revival(now_us: str) -> str:
    """SQL for the assignments that make an ended run alive again, for another lease."""
    return f"expires_us = expires_us - heartbeat_us + {now_us}, heartbeat_us = {now_us}, settled = NULL"
