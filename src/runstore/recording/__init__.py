"""The durable recorder: nothing is lost, and training is never slowed or stopped, while the database is away."""

from runstore.recording.health import Counts, Health, RunHealth, stored_health
from runstore.recording.opening import Synced, open_recorded, sync_leftovers
from runstore.recording.options import RecorderOptions
from runstore.recording.recorder import RecordingStore
from runstore.recording.requeue import Requeued, count_refused, requeue_refused

__all__ = [
    "Counts",
    "Health",
    "RecorderOptions",
    "RecordingStore",
    "Requeued",
    "RunHealth",
    "Synced",
    "count_refused",
    "open_recorded",
    "requeue_refused",
    "stored_health",
    "sync_leftovers",
]
