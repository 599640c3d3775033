"""The points of series: checked, in columns, summed up and thinned."""

from runstore.series.columns import Batch, Batches, batches_of, is_plain_name
from runstore.series.points import CheckedPoint, CheckedPoints, Series, check_points, group_points, many_points
from runstore.series.sampling import MIN_SAMPLE, bucket_count, bucket_of, sample_indices
from runstore.series.summaries import merge_summaries, summarize

__all__ = [
    "MIN_SAMPLE",
    "Batch",
    "Batches",
    "CheckedPoint",
    "CheckedPoints",
    "Series",
    "batches_of",
    "bucket_count",
    "bucket_of",
    "check_points",
    "group_points",
    "is_plain_name",
    "many_points",
    "merge_summaries",
    "sample_indices",
    "summarize",
]
