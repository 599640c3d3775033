"""Sacred's MongoObserver: calls fill a queue, which a thread appends to arrays in documents."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from pymongo import MongoClient
from sacred import Experiment
from sacred.observers import MongoObserver

from benchmarks.contestants.base import Contestant
from benchmarks.data import Point


class Sacred(Contestant):
    """A run that is open while the points come; ``flush`` is its last heartbeat."""

    def new_run(self, name: str, metrics: list[str]) -> Any:
        experiment = Experiment(name, save_git_info=False)
        experiment.observers.append(MongoObserver(url=self.url, db_name=urlsplit(self.url).path[1:]))
        experiment.main(lambda: None)
        self.run = experiment._create_run()  # noqa: SLF001 - what Experiment.run() does before the user's function
        self.run._output_file = SimpleNamespace(closed=True)  # noqa: SLF001 - nothing is captured
        self.run._emit_started()  # noqa: SLF001 - the same
        self.run._emit_heartbeat()  # noqa: SLF001 - the same
        return metrics

    def batch(self, run: Any, points: list[Point]) -> Any:
        return [(run[point.series], point.value, point.step) for point in points]

    def log(self, run: Any, batch: Any) -> None:  # noqa: ARG002 - one run a process
        log_scalar = self.run.log_scalar
        for name, value, step in batch:
            log_scalar(name, value, step)

    def flush(self) -> None:
        self.run._emit_heartbeat()  # noqa: SLF001 - what the end of a run does

    def count(self, run: Any) -> int:  # noqa: ARG002 - one run a database
        with MongoClient(self.url) as client:
            metrics = client[urlsplit(self.url).path[1:]]["metrics"]
            return sum(len(document["steps"]) for document in metrics.find())
