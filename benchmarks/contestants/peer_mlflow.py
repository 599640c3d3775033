"""MLflow's client directly on a database, without its server; also with the plugin mlflow-mongodb."""

import os
import sqlite3
from typing import Any
from urllib.parse import urlsplit

os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from benchmarks.contestants.base import Contestant, Place, columns
from benchmarks.data import Point, RunData


class Mlflow(Contestant):
    """``log_batch`` for batches; it takes 1,000 points at most."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        url = self.url.replace("postgresql://", "postgresql+psycopg://")
        self.client = MlflowClient(tracking_uri=url)
        found = self.client.get_experiment_by_name("benchmark")
        self.experiment = found.experiment_id if found else self.client.create_experiment("benchmark")

    def new_run(self, name: str, metrics: list[str]) -> Any:
        return self.client.create_run(self.experiment, run_name=name).info.run_id, metrics

    def batch(self, run: Any, points: list[Point]) -> Any:
        _, metrics = run
        return [Metric(metrics[point.series], point.value, point.at_us // 1000, point.step) for point in points]

    def log(self, run: Any, batch: Any) -> None:
        if len(batch) == 1:
            only = batch[0]
            self.client.log_metric(run[0], only.key, only.value, timestamp=only.timestamp, step=only.step)
        else:
            self.client.log_batch(run[0], metrics=batch)

    def count(self, run: Any) -> int:
        query = "SELECT count(*) FROM metrics"
        if self.url.startswith("sqlite"):
            return int(sqlite3.connect(urlsplit(self.url).path.replace("//", "/")).execute(query).fetchone()[0])
        if self.url.startswith("postgresql"):
            import psycopg  # noqa: PLC0415 - only there

            with psycopg.connect(self.url) as connection:
                return int(connection.execute(query).fetchone()[0])
        from pymongo import MongoClient  # noqa: PLC0415 - only there

        with MongoClient(self.url) as client:
            return int(client[urlsplit(self.url).path[1:]]["run_metrics"].count_documents({"run_id": run[0]}))

    def add_runs(self, runs: list[RunData]) -> None:
        for run in runs:
            run_id = self.client.create_run(self.experiment, run_name=run.name).info.run_id
            params = [Param(key, str(value)) for key, value in run.config.items()]
            metrics = [Metric(name, value, 1, 1) for name, value in run.metrics.items()]
            self.client.log_batch(run_id, metrics=metrics, params=params)

    def search(self, architecture: str, metric: str, limit: int) -> list[str]:
        found = self.client.search_runs(
            [self.experiment],
            f"params.architecture = '{architecture}'",
            order_by=[f"metrics.{metric} DESC"],
            max_results=limit,
        )
        return [run.info.run_name for run in found]

    def list_runs(self, limit: int) -> int:
        found = self.client.search_runs([self.experiment], max_results=limit)
        return sum(len(run.data.params) + len(run.data.metrics) for run in found)

    def history(self, metric: str) -> tuple[int, int]:
        run = self.client.search_runs([self.experiment], max_results=1)[0]
        found = self.client.get_metric_history(run.info.run_id, metric)
        return columns((point.step, point.value, point.timestamp) for point in found)
