"""What a backend is made of: the base class with its operations, and the checked values that they take."""

from runstore.backend.administering import Administration, Finding, Grade, Rights, SchemaState, Selection
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
from runstore.backend.changes import ExperimentChange, RunChange, Sweep, Thinning
from runstore.backend.counting import KeyRow, ValueRow
from runstore.backend.placing import PlacedRun, placed_over
from runstore.backend.presence import Presence, check_kept, check_parent
from runstore.backend.states import first_attempt, with_end, with_heartbeat, with_next_attempt, with_status_now
from runstore.backend.store import BackendStore, Store

__all__ = [
    "BEATS_A_LEASE",
    "DEFAULT_LEASE_S",
    "Administration",
    "BackendStore",
    "BegunRuns",
    "ExperimentChange",
    "Finding",
    "Grade",
    "KeyRow",
    "NewExperiment",
    "NewRun",
    "PlacedRun",
    "Presence",
    "Rights",
    "RunChange",
    "RunEnd",
    "SchemaState",
    "Selection",
    "StepRange",
    "Store",
    "Sweep",
    "Thinning",
    "ValueRow",
    "check_kept",
    "check_parent",
    "first_attempt",
    "is_lost",
    "placed_over",
    "with_end",
    "with_heartbeat",
    "with_next_attempt",
    "with_status_now",
]
