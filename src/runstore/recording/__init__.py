"""The durable recorder: nothing is lost, and training is never slowed or stopped, while the database is away."""

from runstore.recording.health import Counts, Health, RunHealth, stored_health
from runstore.recording.opening import Synced, open_recorded, sync_leftovers
from runstore.recording.options import RecorderOptions
from runstore.recording.recorder import RecordingStore

__all__ = [
    "Counts",
    "Health",
    "RecorderOptions",
    "RecordingStore",
    "RunHealth",
    "Synced",
    "open_recorded",
    "stored_health",
    "sync_leftovers",
]
