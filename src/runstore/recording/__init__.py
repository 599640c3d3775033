"""The durable recorder: nothing is lost, and training is never slowed or stopped, while the database is away."""

from runstore.health import Counts, Health, RunHealth, SentAgain, stored_health
from runstore.recording.opening import SyncReport, open_recorder, sync_leftovers
from runstore.recording.options import RecorderOptions
from runstore.recording.recorder import Recorder
from runstore.recording.requeue import RequeueReport, count_refused, requeue_refused

__all__ = [
    "Counts",
    "Health",
    "Recorder",
    "RecorderOptions",
    "RequeueReport",
    "RunHealth",
    "SentAgain",
    "SyncReport",
    "count_refused",
    "open_recorder",
    "requeue_refused",
    "stored_health",
    "sync_leftovers",
]
