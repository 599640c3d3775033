"""Figures as SVG, made on the server: for the page, for one file, for paper. No style sheet, no script, no font is needed.

Text and lines take the colour of the text around them, so that a figure is right on a light and on a dark ground. Each has a
title, a description and its numbers as a table. The same values give the same bytes.
"""

from runstore_ui.figures.colours import COLOURS, Look, look_of, looks, looks_of
from runstore_ui.figures.curves import Curve, precision_figure, roc_figure
from runstore_ui.figures.figure import Figure
from runstore_ui.figures.histories import Line, history_figure
from runstore_ui.figures.matrices import matrix_figure
from runstore_ui.figures.parallel import ParallelAxis, parallel_figure
from runstore_ui.figures.reliability import reliability_figure
from runstore_ui.figures.rounds import rounds_figure
from runstore_ui.figures.scatter import Dot, scatter_figure
from runstore_ui.figures.svg import short

__all__ = [
    "COLOURS",
    "Curve",
    "Dot",
    "Figure",
    "Line",
    "Look",
    "ParallelAxis",
    "history_figure",
    "look_of",
    "looks",
    "looks_of",
    "matrix_figure",
    "parallel_figure",
    "precision_figure",
    "reliability_figure",
    "roc_figure",
    "rounds_figure",
    "scatter_figure",
    "short",
]
