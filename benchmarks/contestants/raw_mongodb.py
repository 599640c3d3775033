"""MongoDB through pymongo alone."""

import struct
from typing import Any
from urllib.parse import urlsplit

from bson.binary import Binary
from bson.int64 import Int64
from pymongo import MongoClient

from benchmarks.contestants.base import Contestant, Place, columns, new_id
from benchmarks.data import START_US, Point, RunData


class Documents(Contestant):
    """One document a point, with a unique key."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.client: MongoClient[dict[str, Any]] = MongoClient(self.url)
        self.database = self.client[urlsplit(self.url).path[1:]]

    def new_run(self, name: str, metrics: list[str]) -> Any:
        run_id = new_id()
        self.database["points"].create_index([("series", 1), ("step", 1)], unique=True)
        self.database["runs"].insert_one({"_id": run_id, "name": name})
        return [f"{name}/{run_id}/{metric}" if name != "history" else metric for metric in metrics]

    def batch(self, run: Any, points: list[Point]) -> Any:
        return [
            {"series": run[point.series], "step": Int64(point.step), "value": point.value, "at": Int64(point.at_us)}
            for point in points
        ]

    def log(self, run: Any, batch: Any) -> None:  # noqa: ARG002 - the documents hold their series
        self.database["points"].insert_many(batch)

    def count(self, run: Any) -> int:
        return self.database["points"].count_documents({"series": {"$in": run}})

    def add_runs(self, runs: list[RunData]) -> None:
        documents = [
            {
                "_id": new_id(),
                "name": run.name,
                "status": "completed",
                "start_us": START_US + number,
                "config": [{"k": key, "v": value} for key, value in run.config.items()],
                "last": run.metrics,
            }
            for number, run in enumerate(runs)
        ]
        self.database["runs"].create_index([("config.k", 1), ("config.v", 1)])
        self.database["runs"].create_index([("start_us", -1)])
        self.database["runs"].insert_many(documents)

    def search(self, architecture: str, metric: str, limit: int) -> list[str]:
        wanted = {"config": {"$elemMatch": {"k": "architecture", "v": architecture}}}
        found = self.database["runs"].find(wanted).sort(f"last.{metric}", -1).limit(limit)
        return [document["name"] for document in found]

    def list_runs(self, limit: int) -> int:
        found = self.database["runs"].find().sort("start_us", -1).limit(limit)
        return sum(len(document["config"]) + len(document["last"]) for document in found)

    def history(self, metric: str) -> tuple[int, int]:
        fields = {"_id": 0, "step": 1, "value": 1, "at": 1}
        found = self.database["points"].find({"series": metric}, fields).sort("step", 1)
        return columns((document["step"], document["value"], document["at"]) for document in found)

    def close(self) -> None:
        self.client.close()


class Packed(Documents):
    """A batch's points of each series packed into one document; not idempotent."""

    def batch(self, run: Any, points: list[Point]) -> Any:
        series: dict[int, list[Point]] = {}
        for point in points:
            series.setdefault(point.series, []).append(point)
        return [(run[key], found) for key, found in series.items()]

    def log(self, run: Any, batch: Any) -> None:  # noqa: ARG002 - the batch holds the series
        # Packing is part of the call: ours does it too.
        self.database["points"].insert_many([_packed(series, points) for series, points in batch])

    def count(self, run: Any) -> int:
        found = self.database["points"].find({"series": {"$in": run}}, {"n": 1})
        return sum(document["n"] for document in found)

    def history(self, metric: str) -> tuple[int, int]:
        import numpy  # noqa: PLC0415 - only this reader needs it

        steps = [
            numpy.frombuffer(document["steps"], numpy.int64)
            for document in self.database["points"].find({"series": metric}).sort("step", 1)
        ]
        joined = numpy.concatenate(steps)
        return len(joined), int(joined[-1])


def _packed(series: str, points: list[Point]) -> dict[str, Any]:
    _, steps, values, times = zip(*points, strict=True)
    count = len(points)
    return {
        "series": series,
        "step": Int64(steps[0]),
        "n": count,
        "steps": Binary(struct.pack(f"{count}q", *steps)),
        "values": Binary(struct.pack(f"{count}d", *values)),
        "times": Binary(struct.pack(f"{count}q", *times)),
    }
