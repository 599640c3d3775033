"""A run's lease in SQL: when a write renews its heartbeat, and how (FIN.6)."""

from typing import Final

_TENTH_US: Final = 100_000
"""Microseconds of a tenth of a second: a heartbeat is renewed once a tenth of the lease is over, for it costs a row."""


def is_due(now_us: str, of: str = "") -> str:
    """SQL for whether a run's heartbeat is old enough to be renewed.

    Args:
        now_us: SQL for the clock.
        of: what stands before the columns' names, such as ``r.``.
    """
    return f"{of}status = 'in_progress' AND {now_us} - {of}heartbeat_us > {of}lease_s * {_TENTH_US}"


def renewed(now_us: str) -> str:
    """SQL for the assignments that renew a heartbeat for another lease.

    MySQL assigns from left to right: the expiry comes first, while the old heartbeat stands.
    """
    return f"expires_us = expires_us - heartbeat_us + {now_us}, heartbeat_us = {now_us}"
