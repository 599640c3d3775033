"""What a backend is made of: the base class with its operations, and the checked values that they take."""

from runstore.backend.arguments import (
    BEATS_A_LEASE,
    DEFAULT_LEASE_S,
    NewExperiment,
    NewRun,
    RunEnd,
    StepRange,
    is_lost,
)
from runstore.backend.begun import BegunRuns
from runstore.backend.states import first_attempt, with_end, with_heartbeat, with_next_attempt, with_status_now
from runstore.backend.store import BackendStore, Store

__all__ = [
    "BEATS_A_LEASE",
    "DEFAULT_LEASE_S",
    "BackendStore",
    "BegunRuns",
    "NewExperiment",
    "NewRun",
    "RunEnd",
    "StepRange",
    "Store",
    "first_attempt",
    "is_lost",
    "with_end",
    "with_heartbeat",
    "with_next_attempt",
    "with_status_now",
]
