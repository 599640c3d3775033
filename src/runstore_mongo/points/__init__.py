"""The points of series: how they are written, moved, and read."""

from runstore_mongo.points.history import read_points
from runstore_mongo.points.pending import PointWriter

__all__ = ["PointWriter", "read_points"]
