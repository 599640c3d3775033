"""The points of series: how they are written, moved, and read."""

from runstore_mongo.points.charts import read_grid, read_sample
from runstore_mongo.points.history import read_points
from runstore_mongo.points.pending import PointWriter
from runstore_mongo.points.thinning import roll_up_stored, thin_runs

__all__ = ["PointWriter", "read_grid", "read_points", "read_sample", "roll_up_stored", "thin_runs"]
