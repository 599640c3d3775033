"""A run as a person leads it from any Python program: :func:`start_run` begins it, the block's end is the run's."""

from runstore.session.run import ActiveRun
from runstore.session.starting import start_run

__all__ = ["ActiveRun", "start_run"]
