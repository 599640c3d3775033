"""What predictions say of a classifier: curves, rates with intervals, calibration, subgroups. Plain Python.

Rows are sorted once (:class:`Ranking`); every curve, every threshold and every subgroup is read from that order.
"""

from runstore_ui.evaluation.cases import Cases, Pooling, all_cases, pooled
from runstore_ui.evaluation.curves import CurvePoint, average_precision, precision_points, roc_points, thinned
from runstore_ui.evaluation.decisions import Decision, OperatingPoint, Rate, decide, operating_points
from runstore_ui.evaluation.intervals import Area, Interval, area_under_roc, wilson
from runstore_ui.evaluation.ranking import Ranking, rank, ranked_parts
from runstore_ui.evaluation.reliability import Bin, Reliability, reliability
from runstore_ui.evaluation.several_classes import ClassMatrix, class_matrix
from runstore_ui.evaluation.subgroups import Subgroup, subgroups

__all__ = [
    "Area",
    "Bin",
    "Cases",
    "ClassMatrix",
    "CurvePoint",
    "Decision",
    "Interval",
    "OperatingPoint",
    "Pooling",
    "Ranking",
    "Rate",
    "Reliability",
    "Subgroup",
    "all_cases",
    "area_under_roc",
    "average_precision",
    "class_matrix",
    "decide",
    "operating_points",
    "pooled",
    "precision_points",
    "rank",
    "ranked_parts",
    "reliability",
    "roc_points",
    "subgroups",
    "thinned",
    "wilson",
]
