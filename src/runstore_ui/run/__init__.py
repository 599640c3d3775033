"""What the page of a run says, as values."""

from runstore_ui.run.ending import Ending, ending_of
from runstore_ui.run.leaves import Branch, branches_of
from runstore_ui.run.metrics import MetricRow, leading_rows, metric_rows
from runstore_ui.run.progress import planned_epochs, progress_of
from runstore_ui.run.recorders import Recorders, recorders_of

__all__ = [
    "Branch",
    "Ending",
    "MetricRow",
    "Recorders",
    "branches_of",
    "ending_of",
    "leading_rows",
    "metric_rows",
    "planned_epochs",
    "progress_of",
    "recorders_of",
]
