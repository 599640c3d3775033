"""What a training program leads a run with."""

from runstore.training.naming import MetricNames, SeriesName, split_metric_name
from runstore.training.session import RunSession

__all__ = ["MetricNames", "RunSession", "SeriesName", "split_metric_name"]
