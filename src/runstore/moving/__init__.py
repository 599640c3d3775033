"""Runs on their way into a store: from another store, or from what another tool has left."""

from runstore.moving.arriving import MOST_POINTS_A_PIECE, ArrivingFile, ArrivingRun
from runstore.moving.bringing import bring
from runstore.moving.report import Outcome, Progress, Report, Trouble

__all__ = [
    "MOST_POINTS_A_PIECE",
    "ArrivingFile",
    "ArrivingRun",
    "Outcome",
    "Progress",
    "Report",
    "Trouble",
    "bring",
]
