"""Makes the dump of this folder: a store that the landed release before the second schema wrote.

It is made once, with the code of that release, and never again: a later one would dump what it writes itself.

    git archive 2f11660 src | tar x -C /tmp/landed
    PYTHONPATH=/tmp/landed/src:tests python tests/runstore_mongo/landed/make.py

Takes a real server, as the tests do.
"""

import math
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bson import json_util
from pymongo import MongoClient

from runstore.model import MetricPoint
from runstore_mongo.documents import summaries
from runstore_mongo.schema.opening import VERSION
from runstore_mongo.store import MongoStore
from support.servers import private_server

_AT = datetime(2026, 11, 1, tzinfo=UTC)
_ODD = [math.nan, math.inf, -math.inf, -0.0]


def main() -> None:
    written: int = VERSION
    if written != 1:
        raise SystemExit(f"this is no checkout of the landed release: it writes schema {written}")
    with private_server("mongodb", durable=False) as server:
        url = server.new_database()
        with MongoStore(url) as store:
            _fill(store)
        text = json_util.dumps(_dumped(url), json_options=json_util.CANONICAL_JSON_OPTIONS, indent=1)
    (Path(__file__).parent / "store_1.json").write_text(f"{text}\n", encoding="utf-8")


def _fill(store: MongoStore) -> None:
    """A run that has ended, a live one, and one with more series than it holds summaries of."""
    experiment_id = store.get_or_create_experiment("pneumonia", description="of the lung")
    store.get_or_create_experiment("empty")
    store.ensure_run(experiment_id, run_id="ended", name="first", tags={"owner": "me"}, start_time=_AT)
    store.log_config("ended", {"lr": 0.1, "net": "resnet", "deep": True, "layers": [1, 2]})
    store.log_metrics("ended", _points("loss", range(3000), lambda step: float(step * 37 % 101)))
    store.log_metrics("ended", _points("auroc", range(3), lambda step: step / 4, "validation"))
    store.log_metrics("ended", _points("odd", range(4), _ODD.__getitem__))
    store.log_metrics("ended", _points("loss", range(10), lambda _: -1.0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roc.png"
        path.write_bytes(b"roc")
        store.log_artifact("ended", path)
    store.finalize("ended", "failed", error=ValueError("oom"), end_time=datetime(2026, 11, 1, 1, tzinfo=UTC))
    store.ensure_run(
        experiment_id,
        run_id="live",
        parent_run_id="ended",
        client_id="c1",
        training_mode="federated",
        start_time=_AT,
    )
    store.log_metrics("live", _points("loss", range(5), float))
    summaries.MOST_COPIED = 2  # type: ignore[misc]  # so that few series make a wide run
    store.ensure_run(experiment_id, run_id="wide", start_time=_AT)
    for index in range(4):
        store.log_metrics("wide", _points(f"m{index}", range(3), float))
    store.finalize("wide", "completed", end_time=_AT)
    store.begun.discard("live")


def _points(
    name: str, steps: Iterable[int], value_at: Callable[[int], float], dataset_type: str = "train"
) -> list[MetricPoint]:
    return [
        MetricPoint(name=name, value=value_at(step), step=step, dataset_type=dataset_type, logged_at=_AT)
        for step in steps
    ]


def _dumped(url: str) -> dict[str, Any]:
    """The documents, the indexes and the views of a database."""
    found: dict[str, Any] = {"collections": {}, "indexes": {}, "views": {}}
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        for info in sorted(database.list_collections(), key=lambda each: str(each["name"])):
            name = info["name"]
            if name.startswith("system."):
                continue
            if info["type"] == "view":
                found["views"][name] = info["options"]
                continue
            found["collections"][name] = database[name].find().sort("_id", 1).to_list()
            found["indexes"][name] = [dict(index) for index in database[name].list_indexes()]
    return found


if __name__ == "__main__":
    main()
