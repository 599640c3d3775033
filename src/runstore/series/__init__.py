"""The points of series: checked, in columns, summed up, rolled up and thinned."""

from runstore.series.buckets import Buckets, EqualBuckets, OctaveBuckets
from runstore.series.cells import FALLS, Cells, cells_at, cells_of, merged
from runstore.series.columns import Columns, Series, SeriesColumns
from runstore.series.extremes import HAS_FINITE
from runstore.series.grids import GridRequest, SeriesKey, grid_of, grid_of_points
from runstore.series.packs import (
    FAN_OUT_BITS,
    MAX_LEVEL,
    level_for,
    packs_of_packs,
    packs_of_points,
    span_bits,
    unpacked,
)
from runstore.series.plans import PackRange, Plan, RollUps, plan, whole_buckets
from runstore.series.points import Points, check_points
from runstore.series.sampling import bucket_count, kept_of, sample, sample_buckets
from runstore.series.summaries import merge_summaries, summarize
from runstore.series.times import by_time, since, split_by_time

__all__ = [
    "FALLS",
    "FAN_OUT_BITS",
    "HAS_FINITE",
    "MAX_LEVEL",
    "Buckets",
    "Cells",
    "Columns",
    "EqualBuckets",
    "GridRequest",
    "OctaveBuckets",
    "PackRange",
    "Plan",
    "Points",
    "RollUps",
    "Series",
    "SeriesColumns",
    "SeriesKey",
    "bucket_count",
    "by_time",
    "cells_at",
    "cells_of",
    "check_points",
    "grid_of",
    "grid_of_points",
    "kept_of",
    "level_for",
    "merge_summaries",
    "merged",
    "packs_of_packs",
    "packs_of_points",
    "plan",
    "sample",
    "sample_buckets",
    "since",
    "span_bits",
    "split_by_time",
    "summarize",
    "unpacked",
    "whole_buckets",
]
