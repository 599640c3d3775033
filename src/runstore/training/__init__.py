"""What a training program leads a run with."""

from runstore.training.naming import MetricNames, SeriesName, split_metric_name
from runstore.training.session import RunSession, ending_of

__all__ = ["MetricNames", "RunSession", "SeriesName", "ending_of", "split_metric_name"]
