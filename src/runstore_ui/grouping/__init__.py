"""Runs in groups: those that have the same settings but the seed, or the same value of some settings."""

from runstore_ui.grouping.groups import SEED, Grouping, group_runs
from runstore_ui.grouping.sheet import GroupCell, GroupMetricLine, group_metric_lines, group_setting_lines

__all__ = [
    "SEED",
    "GroupCell",
    "GroupMetricLine",
    "Grouping",
    "group_metric_lines",
    "group_runs",
    "group_setting_lines",
]
