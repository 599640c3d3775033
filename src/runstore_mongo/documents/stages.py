"""Stages of updates that the server computes by its own clock: when a run lives, and until when."""

from typing import Final

from runstore.backend import BEATS_A_LEASE, DEFAULT_LEASE_S
from runstore.model import RunStatus
from runstore_mongo.documents.names import Document

NOW_US: Final[Document] = {"$multiply": [{"$toLong": "$$NOW"}, 1000]}
"""The server's clock in microseconds, as an expression; it ticks in milliseconds."""

IS_LATE: Final[Document] = {"$gt": [NOW_US, "$expires_at"]}
"""That a run's lease has run out: one that is in progress then counts as lost (:func:`runstore.backend.is_lost`)."""

IN_PROGRESS: Final[Document] = {"$eq": ["$status", str(RunStatus.IN_PROGRESS)]}

STATUS: Final[Document] = {"$cond": [{"$and": [IN_PROGRESS, IS_LATE]}, str(RunStatus.LOST), "$status"]}
"""The status that readers see."""

DURATION: Final[Document] = {"$divide": [{"$subtract": ["$end_time", "$start_time"]}, 1e6]}
"""Seconds from the start to the end; null for a run that has not ended."""

_LONGEST_US: Final = 8e18
"""A lease of 300,000 years stands for anything longer."""


def lease_us(lease_s: float) -> int:
    """A lease in microseconds."""
    return int(min(lease_s * 1e6, _LONGEST_US))


def heartbeat_stage(fields: Document | None = None) -> Document:
    """Sets fields to expressions, and counts as the heartbeat of an unfinished run.

    The heartbeat moves only once a tenth of the lease has gone by: a call that comes sooner leaves the document as it
    is, and the server then writes nothing.
    """
    next_due = {"$add": ["$heartbeat_at", {"$multiply": ["$lease_s", 1e6 / BEATS_A_LEASE]}]}
    is_due: Document = {"$and": [IN_PROGRESS, {"$gt": [NOW_US, next_due]}]}
    return {
        "$set": {
            "heartbeat_at": {"$cond": [is_due, NOW_US, "$heartbeat_at"]},
            "expires_at": {"$cond": [is_due, _end_of("$lease_s"), "$expires_at"]},
            **(fields or {}),
        }
    }


def lease_stage(lease_s: float) -> Document:
    """Gives an unfinished run a lease from now on."""
    return {
        "$set": {
            "heartbeat_at": {"$cond": [IN_PROGRESS, NOW_US, "$heartbeat_at"]},
            "lease_s": {"$cond": [IN_PROGRESS, lease_s, "$lease_s"]},
            "expires_at": {"$cond": [IN_PROGRESS, _end_of(lease_s), "$expires_at"]},
        }
    }


def new_run_stage(fields: Document) -> Document:
    """Makes a run of plain values, with the default lease from now on."""
    plain = {key: {"$literal": value} for key, value in fields.items()}
    return {
        "$set": {**plain, "heartbeat_at": NOW_US, "lease_s": DEFAULT_LEASE_S, "expires_at": _end_of(DEFAULT_LEASE_S)}
    }


def reopen_stage() -> Document:
    """Makes a run that has ended a new attempt, with its lease from now on."""
    return {
        "$set": {
            "status": str(RunStatus.IN_PROGRESS),
            "end_time": None,
            "failure": None,
            "attempt": {"$add": ["$attempt", 1]},
            "heartbeat_at": NOW_US,
            "expires_at": _end_of("$lease_s"),
        }
    }


def _end_of(lease_s: float | str) -> Document:
    """When a lease that begins now ends."""
    return {"$add": [NOW_US, {"$toLong": {"$min": [{"$multiply": [lease_s, 1e6]}, _LONGEST_US]}}]}
