"""The points of series: checked, in columns, summed up and thinned."""

from runstore.series.columns import Columns, Series, SeriesColumns
from runstore.series.points import Points, check_points
from runstore.series.sampling import bucket_count, sample
from runstore.series.summaries import merge_summaries, summarize

__all__ = [
    "Columns",
    "Points",
    "Series",
    "SeriesColumns",
    "bucket_count",
    "check_points",
    "merge_summaries",
    "sample",
    "summarize",
]
