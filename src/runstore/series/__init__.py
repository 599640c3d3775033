"""The points of series: checked, in columns, summed up and thinned."""

from runstore.series.columns import Columns, Series, SeriesColumns
from runstore.series.points import Points, check_points
from runstore.series.sampling import MIN_SAMPLE, bucket_count, bucket_of, check_sample_size, sample, sample_indices
from runstore.series.summaries import merge_summaries, summarize

__all__ = [
    "MIN_SAMPLE",
    "Columns",
    "Points",
    "Series",
    "SeriesColumns",
    "bucket_count",
    "bucket_of",
    "check_points",
    "check_sample_size",
    "merge_summaries",
    "sample",
    "sample_indices",
    "summarize",
]
