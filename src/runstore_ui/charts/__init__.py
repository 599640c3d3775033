"""Charts of histories: which there are, what a browser draws of them, and the same as files."""

from runstore_ui.charts.choosing import Metrics, choose_metrics
from runstore_ui.charts.drawn import Drawn, DrawnSeries, drawn_of
from runstore_ui.charts.grouped import means_of
from runstore_ui.charts.panels import Group, Panel, panels_of_run, panels_of_runs
from runstore_ui.charts.written import csv_of, csv_of_means, figure_of

__all__ = [
    "Drawn",
    "DrawnSeries",
    "Group",
    "Metrics",
    "Panel",
    "choose_metrics",
    "csv_of",
    "csv_of_means",
    "drawn_of",
    "figure_of",
    "means_of",
    "panels_of_run",
    "panels_of_runs",
]
