"""Runs on their way into a store: from another store, or from what another tool has left."""

from runstore.moving.arriving import MOST_POINTS_A_PIECE, ArrivingFile, ArrivingRun
from runstore.moving.bringing import bring
from runstore.moving.copying import copy, leaving
from runstore.moving.report import Outcome, Progress, Report, Trouble
from runstore.moving.selecting import Selection
from runstore.moving.surveying import Survey, survey
from runstore.moving.verifying import EQUAL_FIELDS, Difference, Verdict, verify
from runstore.moving.worked_on import worked_on

__all__ = [
    "EQUAL_FIELDS",
    "MOST_POINTS_A_PIECE",
    "ArrivingFile",
    "ArrivingRun",
    "Difference",
    "Outcome",
    "Progress",
    "Report",
    "Selection",
    "Survey",
    "Trouble",
    "Verdict",
    "bring",
    "copy",
    "leaving",
    "survey",
    "verify",
    "worked_on",
]
