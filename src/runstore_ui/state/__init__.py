"""What a URL says, as values, and the way back: every link is made from a state, and is relative."""

from runstore_ui.state.charts import AxisState, ChartState, RunGroup
from runstore_ui.state.compare import CompareState
from runstore_ui.state.evaluation import EvaluationState
from runstore_ui.state.links import link
from runstore_ui.state.rounds import RoundsState
from runstore_ui.state.spread import SpreadState
from runstore_ui.state.table import NEWEST_FIRST, TableState

__all__ = [
    "NEWEST_FIRST",
    "AxisState",
    "ChartState",
    "CompareState",
    "EvaluationState",
    "RoundsState",
    "RunGroup",
    "SpreadState",
    "TableState",
    "link",
]
