"""Goes on with a run of MLflow and ends it: ``python mlflow_going_on.py TRACKING_URI RUN_ID``."""

import os
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

client = MlflowClient(sys.argv[1])
points = [Metric("later", 0.5 / 2**step, 1_700_000_000_100 + step, step) for step in range(3)]
client.log_batch(sys.argv[2], metrics=points, params=[Param("added", "1")])
client.set_terminated(sys.argv[2], "FINISHED", end_time=1_700_000_009_000)
