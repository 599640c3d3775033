"""The points of series: checked, in columns, summed up, rolled up and thinned."""

from runstore.series.buckets import Buckets, EqualBuckets, OctaveBuckets
from runstore.series.cells import FALLS, Cells, cells_at, cells_of, merged
from runstore.series.columns import Columns, Series, SeriesColumns
from runstore.series.extremes import HAS_FINITE
from runstore.series.grids import GridRequest, SeriesKey, grid_of
from runstore.series.grids_of_points import grid_of_points
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
from runstore.series.times import Held, Look, Timed, grid_of_time, in_order, pieces_between

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
    "Held",
    "Look",
    "OctaveBuckets",
    "PackRange",
    "Plan",
    "Points",
    "RollUps",
    "Series",
    "SeriesColumns",
    "SeriesKey",
    "Timed",
    "bucket_count",
    "cells_at",
    "cells_of",
    "check_points",
    "grid_of",
    "grid_of_points",
    "grid_of_time",
    "in_order",
    "kept_of",
    "level_for",
    "merge_summaries",
    "merged",
    "packs_of_packs",
    "packs_of_points",
    "pieces_between",
    "plan",
    "sample",
    "sample_buckets",
    "span_bits",
    "summarize",
    "unpacked",
    "whole_buckets",
]
