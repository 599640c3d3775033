"""What is made in an empty database, and in one of an older release: collections, indexes and the two views."""

from runstore_mongo.schema.indexes import missing_indexes
from runstore_mongo.schema.opening import (
    STEPS,
    VERSION,
    complete,
    has_stored_to_roll_up,
    open_schema,
    read_versions,
    tell_rolled_up,
)

__all__ = [
    "STEPS",
    "VERSION",
    "complete",
    "has_stored_to_roll_up",
    "missing_indexes",
    "open_schema",
    "read_versions",
    "tell_rolled_up",
]
