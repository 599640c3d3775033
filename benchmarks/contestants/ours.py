"""runstore, bare and through its recorder."""

import os
from array import array
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy

from benchmarks.contestants.base import Contestant, Place
from benchmarks.copies import check, copy_runs
from benchmarks.data import START_US, Point, RunData
from runstore import MetricPoint, open_store

EXPERIMENT = "benchmark"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Bare(Contestant):
    """The store itself: a call returns when the database has acknowledged it."""

    durable = False

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        os.environ["RUNSTORE_STATE_DIR"] = f"{self.directory}/state"
        self.store: Any = open_store(self.url, durable=self.durable)

    def new_run(self, name: str, metrics: list[str]) -> Any:
        experiment = self.store.get_or_create_experiment(EXPERIMENT)
        run_id = self.store.ensure_run(experiment, name=name)
        self.flush()
        return run_id, metrics

    def batch(self, run: Any, points: list[Point]) -> Any:
        _, metrics = run
        return [
            MetricPoint(
                name=metrics[point.series],
                value=point.value,
                step=point.step,
                dataset_type="train",
                logged_at=_EPOCH + timedelta(microseconds=point.at_us) if self.is_timed else None,
            )
            for point in points
        ]

    def log(self, run: Any, batch: Any) -> None:
        self.store.log_metrics(run[0], batch)

    def count(self, run: Any) -> int:
        return sum(summary.count for summary in self.store.get_summaries(run[0]))

    def add_copied_runs(self, runs: list[RunData], *, originals: int) -> None:
        self.add_runs(runs[:originals])
        if originals < len(runs):
            copy_runs(self.url, copies=len(runs) // originals - 1)
            check(self.url, runs)

    def add_runs(self, runs: list[RunData]) -> None:
        experiment = self.store.get_or_create_experiment(EXPERIMENT)
        for number, run in enumerate(runs):
            start = _EPOCH + timedelta(microseconds=START_US, seconds=number)
            run_id = self.store.ensure_run(experiment, name=run.name, start_time=start)
            self.store.log_config(run_id, run.config)
            self.store.log_metrics(
                run_id,
                [
                    MetricPoint(name=name, value=value, step=1, dataset_type="train")
                    for name, value in run.metrics.items()
                ],
            )

    def search(self, architecture: str, metric: str, limit: int) -> list[str]:
        page = self.store.search_runs(
            f"config.architecture = '{architecture}'", order_by=[f"metric.train.{metric}.last desc"], limit=limit
        )
        return [run.name for run in page.items]

    def list_runs(self, limit: int) -> int:
        page = self.store.search_runs(limit=limit)
        ids = [run.id for run in page.items]
        configs, summaries = self.store.get_configs(ids), self.store.get_summaries_of(ids)
        return sum(map(len, configs.values())) + sum(map(len, summaries.values()))

    def history(self, metric: str) -> tuple[int, int]:
        history = self.store.get_history(self._only_run(), metric, "train")
        steps, values = numpy.frombuffer(history.steps, numpy.int64), numpy.frombuffer(history.values)
        return len(values), int(steps[-1])

    def sample(self, metric: str, max_points: int) -> tuple[int, int, float, float]:
        found = self.store.sample_history(self._only_run(), metric, "train", max_points=max_points)
        values = array("d", found.values)
        return len(found), found.steps[-1], min(values), max(values)

    def _only_run(self) -> str:
        return str(self.store.search_runs(limit=1).items[0].id)

    def close(self) -> None:
        self.store.close()


class Recorded(Bare):
    """Through the journal: a call returns when it is on the local disk, ``flush`` when all is in the database."""

    durable = True

    def flush(self) -> None:
        self.store.flush()

    def count(self, run: Any) -> int:
        self.store.close()
        self.store = open_store(self.url, durable=False)
        return super().count(run)
