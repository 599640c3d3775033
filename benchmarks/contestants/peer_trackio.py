"""Trackio on its local SQLite file. A row holds all metrics of a step."""

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from benchmarks.contestants.base import Contestant, Place, columns
from benchmarks.data import Point

PROJECT = "benchmark"


class Trackio(Contestant):
    """The public calls: ``log`` fills a list that a thread writes; ``finish`` waits for it."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        os.environ["TRACKIO_DIR"] = self.directory  # read at import
        import trackio  # noqa: PLC0415 - see above

        self.trackio = trackio

    def new_run(self, name: str, metrics: list[str]) -> Any:
        self.trackio.init(PROJECT, name=name, embed=False, auto_log_gpu=False, auto_log_cpu=False)
        return name, metrics

    def batch(self, run: Any, points: list[Point]) -> Any:
        rows: dict[int, dict[str, float]] = {}
        for point in points:
            rows.setdefault(point.step, {})[run[1][point.series]] = point.value
        return rows

    def log(self, run: Any, batch: Any) -> None:  # noqa: ARG002 - one run a process
        for step, row in batch.items():
            self.trackio.log(row, step=step)

    def flush(self) -> None:
        self.trackio.finish()

    def count(self, run: Any) -> int:  # noqa: ARG002 - one run a database
        file = next(path for path in Path(self.directory).rglob("*.db"))
        rows = sqlite3.connect(file).execute("SELECT CAST(metrics AS TEXT) FROM metrics").fetchall()
        return sum(len(json.loads(text)) for (text,) in rows)

    def history(self, metric: str) -> tuple[int, int]:
        from trackio.sqlite_storage import SQLiteStorage  # noqa: PLC0415 - after TRACKIO_DIR is set

        rows = SQLiteStorage.get_logs(PROJECT, "history")
        return columns((row["step"], row[metric], 0) for row in rows)


class TrackioBulk(Trackio):
    """Its internal bulk call, which is synchronous."""

    def new_run(self, name: str, metrics: list[str]) -> Any:
        from trackio.sqlite_storage import SQLiteStorage  # noqa: PLC0415 - after TRACKIO_DIR is set

        self.storage = SQLiteStorage
        SQLiteStorage.init_db(PROJECT)
        return name, metrics

    def batch(self, run: Any, points: list[Point]) -> Any:
        rows = super().batch(run, points)
        return list(rows.values()), list(rows)

    def log(self, run: Any, batch: Any) -> None:
        rows, steps = batch
        self.storage.bulk_log(PROJECT, run[0], rows, steps)

    def flush(self) -> None:
        """Stored already."""
